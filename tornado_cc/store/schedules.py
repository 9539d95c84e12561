"""Schedules: when each was due last, so that of all workers one makes the next run.

A run is a delivery, in a lane of its schedule's own: whatever happens, no two of one schedule run
at the same time. The row of a schedule only ever moves forward. So a due time that was seen is
never seen again, not when the clock is set back either.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from sqlalchemy import Connection, Row, bindparam, select, update

from tornado_cc.core import clock
from tornado_cc.store import moments
from tornado_cc.store.lanes import NewDelivery, enqueue, lock
from tornado_cc.store.runs import Runs
from tornado_cc.store.tables import UNFINISHED, deliveries, insert, schedules

_TABLE = deliveries.c
OVERTAKEN = "not tried again, because the next run is due"
"""What is noted with a run that gave way."""


@dataclass(frozen=True, slots=True)
class DueRun:
    """A run that is due, unless somebody else has made it.

    Attributes:
        schedule: the schedule's name, which no other has.
        due_at: when it is due.
        delivery: what runs; its lane is of this schedule alone.
    """

    schedule: str
    due_at: int
    delivery: NewDelivery


@dataclass(frozen=True, slots=True)
class Made:
    """What became of runs that were due; those that somebody else has made are in none of these.

    Attributes:
        added: the schedules that got their run.
        left_out: those whose last run has not ended; they got none.
        overtaken: the ids of older runs that waited for another attempt, and are dead now, with
            their schedules.
    """

    added: list[str] = field(default_factory=list)
    left_out: list[str] = field(default_factory=list)
    overtaken: list[tuple[str, str]] = field(default_factory=list)


class Schedules:
    """The schedules of a store."""

    def __init__(self, runs: Runs) -> None:
        self._runs = runs

    async def look(self) -> tuple[int, dict[str, int]]:
        """The moment it is, and when each schedule was due last."""

        def read(connection: Connection) -> tuple[int, dict[str, int]]:
            rows = connection.execute(select(schedules))
            return moment(connection), {row.name: row.due_at for row in rows}

        return await self._runs.read(read)

    async def begin(self, due: Mapping[str, int]) -> None:
        """Have new schedules count from these due times on, for which they do not run any more."""
        rows = [{"name": name, "due_at": due[name]} for name in sorted(due)]

        def write(connection: Connection) -> None:
            connection.execute(insert(connection, schedules).on_conflict_do_nothing(), rows)

        await self._runs.write(write)

    async def claim(self, name: str, seconds: float) -> bool:
        """Whether it is the caller's turn at what one worker at a time does.

        Args:
            name: of no schedule.
            seconds: for which it is nobody's turn after that.
        """

        def write(connection: Connection) -> bool:
            row = {"name": name, "due_at": 0}
            connection.execute(insert(connection, schedules).on_conflict_do_nothing(), [row])
            now = moment(connection)
            turn = {"of_name": name, "due": now, "until": now - moments.milliseconds(seconds)}
            return connection.execute(_TURN, turn).rowcount == 1

        return await self._runs.write(write)

    async def make(self, due: Sequence[DueRun]) -> Made:
        """Add the runs that nobody has added yet.

        The run before it is waited for when it has not ended: the new one is left out. But one
        that has failed and waits for another attempt gives way.
        """

        def write(connection: Connection) -> Made:
            runs = _unmade(connection, due)
            lock(connection, {one.delivery.lane for one in runs})
            now, made = moment(connection), Made()
            unended = _unended(connection, runs)
            for one in runs:
                before = unended.get(one.delivery.lane, [])
                is_free = all(_gives_way(row, now) for row in before)
                (made.added if is_free else made.left_out).append(one.schedule)
                made.overtaken.extend((row.id, one.schedule) for row in before if is_free)
            _overtake(connection, unended, {one for one, _ in made.overtaken}, now)
            enqueue(connection, [one.delivery for one in runs if one.schedule in made.added])
            _note(connection, runs)
            return made

        return await self._runs.write(write)


def moment(connection: Connection) -> int:
    """The moment it is, by the clock of the database."""
    asked = select(moments.now(connection.dialect.name))
    return int(connection.execute(asked, moments.given(connection)).scalar_one())


def _unmade(connection: Connection, due: Sequence[DueRun]) -> list[DueRun]:
    """Those that are later than what was due last, whose schedules are then ours.

    A schedule that another worker has in hand is left to it: it makes the same run.
    """
    names = sorted({one.schedule for one in due})
    last = {row.name: row.due_at for row in connection.execute(_LAST, {"names": names})}
    return [one for one in due if last.get(one.schedule, one.due_at) < one.due_at]


def _unended(connection: Connection, runs: Iterable[DueRun]) -> dict[str | None, list[Row[Any]]]:
    """What of these schedules has not ended, by lane."""
    found: dict[str | None, list[Row[Any]]] = {}
    lanes = sorted(one.delivery.lane for one in runs if one.delivery.lane is not None)
    if lanes:
        for row in connection.execute(_UNENDED, {"lanes": lanes}):
            found.setdefault(row.lane, []).append(row)
    return found


def _gives_way(row: Row[Any], now: int) -> bool:
    """Whether a run has failed, or lost its worker, and waits for another attempt."""
    if row.state == "running":
        return bool(row.due_at <= now)
    return bool(row.state == "ready" and row.attempts)


def _overtake(
    connection: Connection,
    unended: Mapping[str | None, Sequence[Row[Any]]],
    ids: set[str],
    now: int,
) -> None:
    rows = [
        {
            "of_number": row.number,
            "at": now,
            "to_failures": [
                *row.failures,
                {"attempt": row.attempts, "at": clock.now(), "error": OVERTAKEN},
            ],
        }
        for each in unended.values()
        for row in each
        if row.id in ids
    ]
    if rows:
        connection.execute(_END, rows)


def _note(connection: Connection, runs: Iterable[DueRun]) -> None:
    rows = [{"of_name": one.schedule, "due": one.due_at} for one in runs]
    if rows:
        connection.execute(_MOVE, rows)


_LAST = (
    select(schedules)
    .where(schedules.c.name.in_(bindparam("names", expanding=True)))
    .order_by(schedules.c.name)
    .with_for_update(skip_locked=True)
)
# Locked, so that none of them is claimed meanwhile.
_UNENDED = (
    select(_TABLE.number, _TABLE.id, _TABLE.lane, _TABLE.state, _TABLE.attempts)
    .add_columns(_TABLE.due_at, _TABLE.failures)
    .where(_TABLE.lane.in_(bindparam("lanes", expanding=True)), UNFINISHED)
    .order_by(_TABLE.number)
    .with_for_update()
)
_END = (
    update(deliveries)
    .where(_TABLE.number == bindparam("of_number"))
    .values(
        state="dead", ended_at=bindparam("at"), leased_by=None, failures=bindparam("to_failures")
    )
)
_MOVE = (
    update(schedules)
    .where(schedules.c.name == bindparam("of_name"))
    .values(due_at=bindparam("due"))
)
_TURN = (
    update(schedules)
    .where(schedules.c.name == bindparam("of_name"), schedules.c.due_at <= bindparam("until"))
    .values(due_at=bindparam("due"))
)
