"""Deliveries as people look after them: how many there are, which failed, run this one again."""

from collections.abc import Callable, Collection, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from functools import cache, partial
from typing import Any

from sqlalchemy import (
    ColumnElement,
    Connection,
    Row,
    Select,
    and_,
    false,
    func,
    or_,
    select,
    update,
)

from tornado_cc.core.errors import Reason, Refusal
from tornado_cc.store import moments
from tornado_cc.store.lanes import lock, promote
from tornado_cc.store.outbox import Failures
from tornado_cc.store.runs import Runs
from tornado_cc.store.tables import CLAIMABLE, ENDED, UNFINISHED, deliveries

STATES = ("waiting", "ready", "running", "done", "dead", "discarded")
NOT_DONE = ("waiting", "ready", "running", "dead")
"""The states in which somebody may still want something done."""

_TABLE = deliveries.c
_AT_ONCE = 100


@dataclass(frozen=True, slots=True, kw_only=True)
class Delivery:
    """A delivery with all that is kept of it; times are moments (see `moments`)."""

    number: int
    id: str
    kind: str
    plugin: str
    target: str
    lane: str | None
    once: str | None
    payload: str = field(repr=False)
    request_id: str | None
    state: str
    attempts: int
    due_at: int
    created_at: int
    ended_at: int | None
    leased_by: str | None
    failures: Failures
    version: str | None


@dataclass(frozen=True, slots=True)
class Depth:
    """How much there is to do.

    Attributes:
        by_state: how many are waiting, ready, running and dead.
        oldest: seconds that the one which is due for longest has waited; None when none is due.
    """

    by_state: Mapping[str, int]
    oldest: float | None


class NotPossible(Refusal):
    """A delivery is not in a state for that; the message says why and what to do."""

    def __init__(self, message: str) -> None:
        super().__init__(message, reason=Reason.INVALID)


class Deliveries:
    """The deliveries of a store."""

    def __init__(self, runs: Runs) -> None:
        self._runs = runs

    async def depth(self) -> Depth:
        """How much there is to do."""

        def read(connection: Connection) -> Depth:
            counted = {row.state: row.number for row in connection.execute(_UNFINISHED)}
            counted["dead"] = connection.execute(_DEAD).scalar_one()
            oldest = _oldest(connection.dialect.name)
            waited = connection.execute(oldest, moments.given(connection)).scalar()
            by_state = {state: counted.get(state, 0) for state in _COUNTED}
            return Depth(by_state, None if waited is None else int(waited) / 1000)

        return await self._runs.read(read)

    async def get(self, delivery_id: str) -> Delivery | None:
        """One delivery, None when nothing is kept of it."""
        one = select(deliveries).where(_TABLE.id == delivery_id)
        row = await self._runs.read(lambda connection: connection.execute(one).one_or_none())
        return None if row is None else _delivery(row)

    async def find(
        self,
        *,
        state: str | Collection[str] = STATES,
        kind: str | None = None,
        plugin: str | None = None,
        request_id: str | None = None,
        limit: int = 50,
    ) -> list[Delivery]:
        """Deliveries that fit, the newest first.

        Args:
            state: one, or any of several.
        """
        asked = _fitting(select(deliveries), state, kind=kind, plugin=plugin, request_id=request_id)
        asked = asked.order_by(_TABLE.number.desc()).limit(limit)

        def read(connection: Connection) -> list[Delivery]:
            return [_delivery(row) for row in connection.execute(asked)]

        return await self._runs.read(read)

    async def retry(self, delivery_id: str) -> Delivery:
        """Have one run as soon as its turn comes; of a dead one, all attempts anew.

        Raises:
            NotPossible: it runs, or has run.
        """
        return await self._change(delivery_id, _retry)

    async def discard(self, delivery_id: str) -> Delivery:
        """Have one never run.

        Raises:
            NotPossible: it runs, or has run.
        """
        return await self._change(delivery_id, _discard)

    async def count_dead(self, *, kind: str | None = None, plugin: str | None = None) -> int:
        """How many dead ones fit."""
        number = select(func.count()).select_from(deliveries)
        asked = _fitting(number, "dead", kind=kind, plugin=plugin)
        return await self._runs.read(lambda connection: connection.execute(asked).scalar_one())

    async def redrive(
        self,
        *,
        kind: str | None = None,
        plugin: str | None = None,
        notice: Callable[[int], None] = lambda count: None,
    ) -> int:
        """Have every dead one that fits run again, the oldest first; how many.

        Args:
            notice: told after each how many it has been by then.
        """
        fitting = _fitting(select(_TABLE.number, _TABLE.id), "dead", kind=kind, plugin=plugin)
        fitting = fitting.order_by(_TABLE.number).limit(_AT_ONCE)
        count = last = 0
        while found := await self._runs.read(partial(_after, fitting, last)):
            for _, delivery_id in found:
                # Somebody else may have been faster.
                with suppress(NotPossible):
                    await self.retry(delivery_id)
                    count += 1
                    notice(count)
            last = found[-1][0]
        return count

    async def _change(self, delivery_id: str, change: Any) -> Delivery:
        one = select(deliveries).where(_TABLE.id == delivery_id)

        def write(connection: Connection) -> Delivery:
            lane = connection.execute(select(_TABLE.lane).where(_TABLE.id == delivery_id))
            lock(connection, {lane.scalar()})
            row = connection.execute(one.with_for_update()).one_or_none()
            if row is None:
                raise NotPossible(f"there is no delivery {delivery_id}")
            change(connection, row)
            promote(connection, {row.lane})
            return _delivery(connection.execute(one).one())

        return await self._runs.write(write)


def _retry(connection: Connection, row: Row[Any]) -> None:
    _check_rests(row, "run again")
    # Not `ready` at once: another of its lane may be running. `promote` knows.
    again = {"attempts": 0, "ended_at": None} if row.state == "dead" else {}
    state = "waiting" if row.lane is not None else "ready"
    _set(connection, row, state=state, due_at=moments.now(connection.dialect.name), **again)


def _discard(connection: Connection, row: Row[Any]) -> None:
    _check_rests(row, "be discarded")
    _set(connection, row, state="discarded", ended_at=moments.now(connection.dialect.name))


def _check_rests(row: Row[Any], what: str) -> None:
    if row.state == "running":
        raise NotPossible(f"delivery {row.id} is running; wait until this attempt has ended")
    if row.state not in NOT_DONE:
        raise NotPossible(f"delivery {row.id} is {row.state}; it cannot {what}")


def _set(connection: Connection, row: Row[Any], **values: Any) -> None:
    change = update(deliveries).where(_TABLE.number == row.number).values(**values)
    connection.execute(change, moments.given(connection))


def _fitting(asked: Select[Any], state: str | Collection[str], **equal: str | None) -> Select[Any]:
    for name, value in equal.items():
        asked = asked if value is None else asked.where(_TABLE[name] == value)
    states = {state} if isinstance(state, str) else {*state}
    return asked if states == {*STATES} else asked.where(_is_in(states))


def _is_in(states: Collection[str]) -> ColumnElement[bool]:
    """The condition on states, spelt so that the indexes can be used.

    Of those that are done, which are most, the newest are found sooner without one.
    """
    named = sorted(states)
    if "done" in named:
        return _TABLE.state.in_(named)
    ended = [one for one in named if one in ("dead", "discarded")]
    others = [one for one in named if one not in ended]
    return or_(
        and_(UNFINISHED, _TABLE.state.in_(others)) if others else false(),
        and_(ENDED, _TABLE.state.in_(ended)) if ended else false(),
    )


def _after(asked: Select[Any], number: int, connection: Connection) -> list[tuple[int, str]]:
    """Those behind one: what dies again meanwhile is not met twice."""
    page = asked.where(_TABLE.number > number)
    return [(row.number, row.id) for row in connection.execute(page)]


_COUNTED = ("waiting", "ready", "running", "dead")
_UNFINISHED = (
    select(_TABLE.state, func.count().label("number")).where(UNFINISHED).group_by(_TABLE.state)
)
_DEAD = select(func.count()).select_from(deliveries).where(ENDED, _TABLE.state == "dead")


@cache
def _oldest(dialect: str) -> Select[Any]:
    now = moments.now(dialect)
    due = select(func.min(_TABLE.due_at)).where(CLAIMABLE, _TABLE.due_at <= now)
    return select(now - due.where(_TABLE.state == "ready").scalar_subquery())


def _delivery(row: Row[Any]) -> Delivery:
    return Delivery(**row._mapping)
