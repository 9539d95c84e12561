"""A circuit breaker for each host: who keeps failing is left alone for a while, then tried once.

A hook that waits for a dead third party keeps its caller waiting too; an error lets it answer.
"""

import logging
from collections import OrderedDict, deque
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from enum import Enum

from tornado_cc.core import clock
from tornado_cc.core.meter import Meter
from tornado_cc.outbound.errors import CircuitOpen
from tornado_cc.settings import OutboundSettings

_log = logging.getLogger("tornado_cc.outbound")

REMEMBERED = 1000
"""Hosts that failed lately. Callers may choose them, so they must not fill the memory."""

_SLOTS = 10
_PROBE_SECONDS = 1.0
"""What whoever comes during a probe is told to wait."""


class State(Enum):
    """Whether requests go to a host."""

    CLOSED = "closed"
    OPEN = "open"
    HALF_OPEN = "half-open"


@dataclass(frozen=True, slots=True)
class Held:
    """A host that is left alone.

    Attributes:
        host: `host:port`.
        state: open, or half-open while the one request is awaited that tries it.
        failures: how many requests have failed one after another.
        retry_after: seconds until it is tried; 0 when the next request does.
    """

    host: str
    state: State
    failures: int
    retry_after: float


class Admission:
    """A request that was let through; `succeeded` or `failed` says what it tells of the host.

    Neither is said of one that was given up: it tells nothing.
    """

    __slots__ = ("is_failure", "is_probe")

    def __init__(self, *, is_probe: bool) -> None:
        self.is_probe = is_probe
        self.is_failure: bool | None = None

    def succeeded(self) -> None:
        """The host answered."""
        self.is_failure = False

    def failed(self) -> None:
        """It did not, or said that it cannot."""
        self.is_failure = True


class Breakers:
    """The breakers of a worker, one for each host and port that has failed lately.

    Args:
        settings: when they open, and for how long.
        meter: is told of every change.
        label: how metrics call a host. It must come from the conf: callers choose hosts, and a
            series for each would never go away.
    """

    def __init__(
        self, settings: OutboundSettings, meter: Meter, label: Callable[[str, int], str]
    ) -> None:
        self._settings = settings
        self._meter = meter
        self._label = label
        self._hosts: OrderedDict[tuple[str, int], _Breaker] = OrderedDict()

    @contextmanager
    def admitted(self, host: str, port: int, url: str) -> Iterator[Admission]:
        """Let a request through, and take note of what came of it at the end.

        Raises:
            CircuitOpen: the host is left alone.
        """
        if not self._settings.breaker:
            yield Admission(is_probe=False)
            return
        place = (host, port)
        admission = self._admission(place, url)
        try:
            yield admission
        finally:
            self._note(place, admission)

    def held(self) -> list[Held]:
        """The hosts that are left alone now, those that failed first before the others."""
        return [
            Held(
                host=_spelt(place),
                state=breaker.state,
                failures=breaker.failures,
                retry_after=breaker.remaining(),
            )
            for place, breaker in self._hosts.items()
            if breaker.state is not State.CLOSED
        ]

    def _admission(self, place: tuple[str, int], url: str) -> Admission:
        breaker = self._hosts.get(place)
        if breaker is None or breaker.state is State.CLOSED:
            return Admission(is_probe=False)
        remaining = breaker.remaining()
        if breaker.state is State.HALF_OPEN or remaining > 0:
            raise CircuitOpen(max(remaining, _PROBE_SECONDS), url)
        self._change(place, breaker, State.HALF_OPEN)
        return Admission(is_probe=True)

    def _note(self, place: tuple[str, int], admission: Admission) -> None:
        breaker = self._hosts.get(place)
        if admission.is_probe:
            self._note_probe(place, breaker, admission.is_failure)
        elif admission.is_failure is None or (breaker and breaker.state is not State.CLOSED):
            # What was sent before it opened, and ended after, was counted on by nobody.
            return
        elif admission.is_failure:
            self._note_failure(place, breaker)
        elif breaker is not None:
            breaker.note(failed=False)
            if breaker.is_well:
                del self._hosts[place]

    def _note_probe(
        self, place: tuple[str, int], breaker: "_Breaker | None", is_failure: bool | None
    ) -> None:
        if breaker is None:
            return  # forgotten meanwhile
        if is_failure is None:
            self._change(place, breaker, State.OPEN)  # the next request tries again
        elif is_failure:
            breaker.note(failed=True)
            self._open(place, breaker)
        else:
            del self._hosts[place]
            self._change(place, breaker, State.CLOSED)

    def _note_failure(self, place: tuple[str, int], breaker: "_Breaker | None") -> None:
        if breaker is None:
            breaker = self._hosts[place] = _Breaker(self._settings)
            self._forget_oldest()
        self._hosts.move_to_end(place)
        breaker.note(failed=True)
        if breaker.has_reason_to_open:
            self._open(place, breaker)

    def _open(self, place: tuple[str, int], breaker: "_Breaker") -> None:
        breaker.until = clock.monotonic() + self._settings.breaker_pause
        self._change(place, breaker, State.OPEN)

    def _forget_oldest(self) -> None:
        if len(self._hosts) > REMEMBERED:
            place, breaker = self._hosts.popitem(last=False)
            self._change(place, breaker, State.CLOSED)

    def _change(self, place: tuple[str, int], breaker: "_Breaker", state: State) -> None:
        before, breaker.state = breaker.state, state
        if before is state:
            return
        self._meter.breaker_changed(self._label(*place), before.value, state.value)
        facts = {"host": _spelt(place), "failures": breaker.failures}
        if state is State.OPEN and before is State.CLOSED:
            _log.warning("circuit opened", extra=facts)
        elif state is State.CLOSED:
            _log.info("circuit closed", extra=facts)


class _Breaker:
    """What is remembered of one host."""

    def __init__(self, settings: OutboundSettings) -> None:
        self.state = State.CLOSED
        self.until = 0.0
        self.failures = 0
        self._settings = settings
        self._width = settings.breaker_window / _SLOTS
        # Number of the slot, requests, failures: a busy host has no more of them than a quiet one.
        self._slots: deque[tuple[int, int, int]] = deque()

    def remaining(self) -> float:
        """Seconds until it is tried again, 0 when that is now."""
        return max(self.until - clock.monotonic(), 0.0)

    def note(self, *, failed: bool) -> None:
        """Count one request."""
        self.failures = self.failures + 1 if failed else 0
        number = self._forget_old()
        requests, failures = 0, 0
        if self._slots and self._slots[-1][0] == number:
            _, requests, failures = self._slots.pop()
        self._slots.append((number, requests + 1, failures + failed))

    @property
    def has_reason_to_open(self) -> bool:
        """Whether so many failed one after another, or so large a part of many."""
        settings = self._settings
        if self.failures >= settings.breaker_failures:
            return True
        requests = sum(requests for _, requests, _ in self._slots)
        failures = sum(failures for _, _, failures in self._slots)
        enough = requests >= settings.breaker_requests
        return enough and failures * 100 >= settings.breaker_rate * requests

    @property
    def is_well(self) -> bool:
        """Whether nothing has failed for as long as is looked back."""
        self._forget_old()
        return not any(failures for _, _, failures in self._slots)

    def _forget_old(self) -> int:
        number = int(clock.monotonic() / self._width)
        while self._slots and self._slots[0][0] <= number - _SLOTS:
            self._slots.popleft()
        return number


def _spelt(place: tuple[str, int]) -> str:
    host, port = place
    return f"[{host}]:{port}" if ":" in host else f"{host}:{port}"
