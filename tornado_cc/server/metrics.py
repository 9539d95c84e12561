"""What is counted and timed, and how Prometheus reads it.

A label is a template, a plugin's name or one of a few words, so that no caller can make a series:
each costs memory here and in whatever collects it, for as long as the process lives.
"""

import math
from collections.abc import Iterable, Iterator
from typing import Any

from prometheus_client import (
    CollectorRegistry,
    Counter,
    Gauge,
    GCCollector,
    Metric,
    PlatformCollector,
    ProcessCollector,
)
from prometheus_client.core import GaugeMetricFamily
from prometheus_client.exposition import choose_encoder
from prometheus_client.registry import Collector

from tornado_cc.core.message import Response
from tornado_cc.server.tallies import Counts, Timings
from tornado_cc.server.totals import figures_of
from tornado_cc.store.deliveries import Depth

# From what an answer without a database takes to the longest that an endpoint may.
_BUCKETS = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60)
_UNDONE = ("waiting", "ready", "running")
_DEAD = "dead"
_ENDS = ("done", "retried", _DEAD)
_CLOSED = "closed"
_BREAKER_STATES = (_CLOSED, "open", "half-open")


class Metrics:
    """The figures of one process; a `Meter` for the rooms below.

    Attributes:
        answered: how many requests have been.
        answered_at: when the last one was, on the monotonic clock.
    """

    def __init__(self, plugins: Iterable[str]) -> None:
        """Every figure at nothing.

        Args:
            plugins: those that are loaded. A series that begins with its first event shows
                Prometheus no increase, so those of rare events begin here.
        """
        self.answered = 0
        self.answered_at = -math.inf
        self._registry = CollectorRegistry()
        labels = "dialect route method status"
        self._requests = Counts("tornado_cc_requests", "Requests answered.", labels.split())
        self._request_seconds = _timings(
            "request_duration_seconds", "dialect route", "From a request's head to its answer."
        )
        self._hook_seconds = _timings(
            "hook_duration_seconds", "plugin hook how", "What one function of a plugin took."
        )
        for one in (self._requests, self._request_seconds, self._hook_seconds):
            self._registry.register(one)
        self._attempts = self._counter(
            "delivery_attempts", "kind plugin how", "Attempts of deliveries that ended."
        )
        self._stalls = self._counter(
            "loop_stalls", "plugin", "Times that the event loop was blocked."
        )
        for plugin in ("none", *plugins):
            self._stalls.labels(plugin)
        self._breaker_changes = self._counter(
            "breaker_changes", "host state", "Times that a circuit breaker opened, tried, closed."
        )
        self._breakers_open = Gauge(
            "tornado_cc_breakers_open",
            "Circuit breakers that hold requests to a host back.",
            ["host"],
            registry=self._registry,
            # Of several processes, each has its own.
            multiprocess_mode="livesum",
        )
        ProcessCollector(registry=self._registry)
        PlatformCollector(registry=self._registry)
        GCCollector(registry=self._registry)

    def request_ended(
        self, *, dialect: str, route: str, method: str, status: int, seconds: float, now: float
    ) -> None:
        """Count and time one answered request.

        Args:
            route: the template.
            method: a known one, or `OTHER`.
            seconds: from its head to its answer.
            now: the time of its answer, on the monotonic clock.
        """
        self.answered += 1
        self.answered_at = now
        self._requests.add((dialect, route, method, str(status)))
        self._request_seconds.add((dialect, route), seconds)

    def hook_ended(self, plugin: str, hook: str, how: str, seconds: float) -> None:
        """One implementation ran: `how` is `ok`, `refused`, `failed` or `timeout`."""
        self._hook_seconds.add((plugin, hook, how), seconds)

    def loop_stalled(self, plugin: str) -> None:
        """The event loop was blocked, by a plugin or by `none`; called from another thread."""
        self._stalls.labels(plugin).inc()

    def delivery_ended(self, kind: str, plugin: str, how: str) -> None:
        """One attempt of a delivery ended: `how` is `done`, `retried` or `dead`."""
        for one in _ENDS:
            # Each begins at nothing as soon as one is there, so that the first dead one is seen.
            self._attempts.labels(kind, plugin, one)
        self._attempts.labels(kind, plugin, how).inc()

    def breaker_changed(self, host: str, before: str, after: str) -> None:
        """Requests to a host are held back or not: `closed`, `open` or `half-open`."""
        for state in _BREAKER_STATES:
            self._breaker_changes.labels(host, state)
        self._breaker_changes.labels(host, after).inc()
        self._breakers_open.labels(host).inc((before == _CLOSED) - (after == _CLOSED))

    def page(self, accept: str, depth: Depth | None) -> Response:
        """All figures, in the text format that suits whoever asks.

        Args:
            accept: the header of that name, or nothing.
            depth: what the queue holds; its figures are left out when that is not known.
        """
        return encoded(_Page(self._registry, depth), accept)

    def figures(self, depth: Depth | None) -> list[Any]:
        """All figures, for a supervisor that adds up those of its workers.

        Args:
            depth: as for a page, of one worker only: all have the same queue.
        """
        return figures_of(_Page(self._registry, depth))

    def _counter(self, name: str, labels: str, meaning: str) -> Counter:
        return Counter(f"tornado_cc_{name}", meaning, labels.split(), registry=self._registry)


def _timings(name: str, labels: str, meaning: str) -> Timings:
    return Timings(f"tornado_cc_{name}", meaning, labels.split(), _BUCKETS)


def encoded(collector: Collector, accept: str) -> Response:
    """What a collector has, in the text format that suits an `Accept`."""
    try:
        encode, kind = choose_encoder(accept)
    except (TypeError, ValueError):
        # A version that is no number.
        encode, kind = choose_encoder("")
    headers = (("Content-Type", kind), ("Cache-Control", "no-store"))
    return Response(200, encode(collector), headers)


class _Page(Collector):
    """What one scrape reads."""

    def __init__(self, registry: CollectorRegistry, depth: Depth | None) -> None:
        self._registry = registry
        self._depth = depth

    def collect(self) -> Iterator[Metric]:
        """Every family; without the times at which series began, which would double them."""
        for family in self._registry.collect():
            family.samples = [one for one in family.samples if not one.name.endswith("_created")]
            yield family
        if self._depth is not None:
            yield from _of_queue(self._depth)


def _of_queue(depth: Depth) -> Iterator[Metric]:
    """The figures that the database has, of the queue that all workers share."""
    undone = GaugeMetricFamily(
        "tornado_cc_queue_depth", "Deliveries that are not done, by state.", labels=["state"]
    )
    for state in _UNDONE:
        undone.add_metric([state], depth.by_state.get(state, 0))
    yield undone
    yield GaugeMetricFamily(
        "tornado_cc_queue_oldest_age_seconds",
        "Seconds that the oldest delivery that is due has waited; 0 when none is due.",
        value=depth.oldest or 0,
    )
    yield GaugeMetricFamily(
        "tornado_cc_dead_letters",
        "Deliveries that were given up and wait for somebody to look at them.",
        value=depth.by_state.get(_DEAD, 0),
    )
