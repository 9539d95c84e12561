"""Requests and deliveries as they end: each is told of once, also one that is written late."""

from collections.abc import AsyncIterator, Collection, Iterable, Iterator, Mapping
from dataclasses import asdict, dataclass, field
from typing import Any

from tornado_cc.store import StoreUnavailable, moments
from tornado_cc.store.changes import Changes, Progress
from tornado_cc.store.ids import ulid_of

_PAGE = 500
_LATE = 10_000
"""Milliseconds by which a row may come later than it says: of a worker whose clock is behind, or
from a transaction that takes its time."""
_LONGEST = 300_000
"""Milliseconds after which a request is told of although nobody knows what came of it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Event:
    """Something that happened.

    Attributes:
        time: ISO 8601; of a request, when it came.
        what: `request` or `delivery`.
        how: the outcome of a request, None when nobody knows it; of a delivery `retried`, `done`,
            `dead` or `discarded`.
        facts: the rest, JSON.
    """

    time: str
    what: str
    how: str | None
    facts: Mapping[str, Any] = field(repr=False)


class Follower:
    """Looks again and again what has happened since.

    Args:
        moment: from when on it is told of.
        request_id: the last request that is not told of; by the moment otherwise.
    """

    def __init__(self, changes: Changes, moment: int, request_id: str | None = None) -> None:
        self._changes = changes
        self._requests = _Requests(changes, request_id or ulid_of(moment / 1000))
        self._deliveries = _Deliveries(changes, moment)

    async def look(self) -> AsyncIterator[Event]:
        """What has happened since the last look, the oldest first.

        Raises:
            StoreUnavailable: the rest cannot be read now; the next look tells of it.
        """
        now = await self._changes.now()
        failed = await self._deliveries.failed(now)
        streams = (_listed(failed), self._requests.ended(now), self._deliveries.ended(now))
        async for event in _merged(streams):
            yield event


class _Requests:
    """Requests: they come in the order of their ids, and end in any."""

    def __init__(self, changes: Changes, floor: str) -> None:
        self._changes = changes
        self._floor = floor
        self._met: set[str] = set()
        self._open: set[str] = set()

    async def ended(self, now: int) -> AsyncIterator[Event]:
        after = self._floor
        while True:
            page = await self._changes.requests_after(after, _PAGE)
            self._open.update(one for one in page if one not in self._met)
            self._met.update(page)
            async for event in self._told(self._open, ended=True):
                yield event
            if len(page) < _PAGE:
                break
            after = page[-1]
        oldest = ulid_of((now - _LONGEST) / 1000)
        async for event in self._told([one for one in self._open if one < oldest], ended=False):
            yield event
        self._floor = max(self._floor, ulid_of((now - _LATE) / 1000))
        self._met = {one for one in self._met if one > self._floor}

    async def _told(self, ids: Collection[str], *, ended: bool) -> AsyncIterator[Event]:
        named = sorted(ids)
        for start in range(0, len(named), _PAGE):
            some = named[start : start + _PAGE]
            for row in await self._changes.requests(some, ended=ended):
                self._open.discard(row["id"])
                facts = {name: value for name, value in row.items() if name != "outcome"}
                yield Event(
                    time=row["received_at"], what="request", how=row["outcome"], facts=facts
                )


class _Deliveries:
    """Deliveries: each attempt that failed, and their ends."""

    def __init__(self, changes: Changes, moment: int) -> None:
        self._changes = changes
        self._since = moments.spelt(moment)
        self._floor = moment
        self._met: set[tuple[int, int]] = set()
        self._told: dict[int, int] = {}

    async def failed(self, now: int) -> list[Event]:
        failing = await self._changes.failing(now - _LATE)
        found = [event for one in failing for event in self._retried(one, len(one.failures))]
        return sorted(found, key=lambda event: event.time)

    async def ended(self, now: int) -> AsyncIterator[Event]:
        place = (self._floor, 0)
        while True:
            page = await self._changes.ended_after(place, _PAGE)
            for one in page:
                place = (one.ended_at or 0, one.number)
                if place in self._met:
                    continue
                self._met.add(place)
                for event in self._end(one):
                    yield event
            if len(page) < _PAGE:
                break
        self._floor = max(self._floor, now - _LATE)
        self._met = {one for one in self._met if one[0] >= self._floor}

    def _end(self, one: Progress) -> Iterator[Event]:
        """The end of a delivery, with the attempts before it that were not seen in between."""
        # The last failure of a dead one is its end.
        failures = len(one.failures) - (one.state == "dead")
        yield from self._retried(one, failures)
        last = one.failures[-1] if one.state == "dead" else {}
        yield _event(one, moments.spelt(one.ended_at or 0), one.state, one.attempts, last)
        if one.state == "dead":
            # It may be redriven: what it failed with so far is known then.
            self._told[one.number] = len(one.failures)
        else:
            self._told.pop(one.number, None)

    def _retried(self, one: Progress, count: int) -> list[Event]:
        """The first so many of its failed attempts, as far as they are news."""
        told = self._told.get(one.number, 0)
        self._told[one.number] = max(told, count)
        # Those of a delivery that was not met before may be old.
        fresh = [each for each in one.failures[told:count] if each["at"] >= self._since]
        return [_event(one, each["at"], "retried", each["attempt"], each) for each in fresh]


def _event(one: Progress, time: str, how: str, attempt: int, failure: Mapping[str, Any]) -> Event:
    facts = asdict(one)
    for name in ("number", "state", "attempts", "due_at", "ended_at", "failures"):
        del facts[name]
    error = {name: failure.get(name) for name in ("error", "error_id")}
    return Event(time=time, what="delivery", how=how, facts={**facts, "attempt": attempt, **error})


async def _listed(events: Iterable[Event]) -> AsyncIterator[Event]:
    for event in events:
        yield event


async def _merged(streams: Collection[AsyncIterator[Event]]) -> AsyncIterator[Event]:
    """The events of several streams, each of which has its own in order, by their time.

    What a stream has given is told of, whatever becomes of the others: it would not give it again.

    Raises:
        StoreUnavailable: a stream did, once the others have ended.
    """
    ended = _Ended()
    heads = [(event, one) for one in streams if (event := await ended.next(one)) is not None]
    while heads:
        head = min(heads, key=lambda each: each[0].time)
        heads.remove(head)
        event, one = head
        yield event
        if (following := await ended.next(one)) is not None:
            heads.append((following, one))
    if ended.error is not None:
        raise ended.error


class _Ended:
    """How streams end: `error` is why the first did that did not come to its end."""

    def __init__(self) -> None:
        self.error: StoreUnavailable | None = None

    async def next(self, stream: AsyncIterator[Event]) -> Event | None:
        try:
            return await anext(stream, None)
        except StoreUnavailable as error:
            self.error = self.error or error
            return None
