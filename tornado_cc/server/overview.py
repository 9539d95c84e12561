"""The admin pages of a server of several workers: one address that speaks for all of them."""

import asyncio
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

from prometheus_client import Metric
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily
from prometheus_client.registry import Collector

from tornado_cc.core.message import Response
from tornado_cc.server import status
from tornado_cc.server.admin import METRICS, Page, always
from tornado_cc.server.child import Child
from tornado_cc.server.health import State, alive, readiness
from tornado_cc.server.metrics import encoded
from tornado_cc.server.status import STATUS
from tornado_cc.server.totals import Totals

_STATES = ("starting", "ready", "unavailable", "draining")
_ENDS = ("asked", "failed")


class Overview:
    """What the workers are, together.

    Attributes:
        is_draining: whether the server ends.
        has_served: whether a worker has ever been up.
    """

    def __init__(self, children: Sequence[Child]) -> None:
        """Args: children: the workers there are at any time."""
        self.is_draining = False
        self._children = children
        self._totals = Totals()
        self._ends: Counter[str] = Counter()
        self._has_served = False

    @property
    def has_served(self) -> bool:
        """Whether a worker has ever been up."""
        self._has_served = self._has_served or any(one.up_at is not None for one in self._children)
        return self._has_served

    def ended(self, child: Child, *, expected: bool) -> None:
        """A worker is gone; what it has counted stays."""
        self._has_served = self._has_served or child.up_at is not None
        self._totals.keep(child.figures)
        self._ends[_ENDS[not expected]] += 1

    def pages(self) -> Mapping[str, Page]:
        """The pages by path."""
        return {
            "/healthz": always(alive),
            "/readyz": always(lambda: readiness(self.facts())),
            STATUS: self._status,
            METRICS: self._metrics,
        }

    def facts(self) -> Mapping[str, str]:
        """What `/readyz` says: what the best of the workers says."""
        if self.is_draining:
            return {"status": State.DRAINING.value}
        serving = [one.facts for one in self._children if one.facts and not one.is_leaving]
        ready = next((one for one in serving if one["status"] == State.READY.value), None)
        return ready or next(iter(serving), {"status": State.STARTING.value})

    async def _status(self, accept: str) -> Response:
        reports = await self._reports()
        workers = [{"pid": one.pid, "status": _state(one)} for one in self._children]
        held = [breaker for report in reports for breaker in report["breakers"]]
        return status.content({**self.facts(), "workers": workers}, held)

    async def _metrics(self, accept: str) -> Response:
        await self._reports()
        # Those of a worker that did not answer in time count as they last were: no sum may fall.
        families = [*self._totals.of([one.figures for one in self._children]), *self._own()]
        return encoded(_Families(families), accept)

    async def _reports(self) -> Iterable[Mapping[str, Any]]:
        """What the workers say of themselves; the first that is ready also of the queue."""
        asked = [one for one in self._children if one.facts]
        first = next((one for one in asked if one.is_ready), None)
        reports = await asyncio.gather(*(one.report(queue=one is first) for one in asked))
        return [one for one in reports if one is not None]

    def _own(self) -> Iterator[Metric]:
        states = Counter(map(_state, self._children))
        workers = GaugeMetricFamily(
            "tornado_cc_workers", "Workers there are, by state.", labels=["state"]
        )
        for state in _STATES:
            workers.add_metric([state], states[state])
        yield workers
        ends = CounterMetricFamily(
            "tornado_cc_worker_ends", "Workers that ended, asked to or not.", labels=["how"]
        )
        for how in _ENDS:
            ends.add_metric([how], self._ends[how])
        yield ends


def _state(child: Child) -> str:
    if child.is_leaving:
        return State.DRAINING.value
    return child.facts.get("status", State.STARTING.value)


class _Families(Collector):
    """Families that are made already."""

    def __init__(self, families: Iterable[Metric]) -> None:
        self._families = families

    def collect(self) -> Iterable[Metric]:
        """All of them."""
        return self._families
