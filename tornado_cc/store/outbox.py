"""The outbox: work that has been promised, row by row, until it is done or dead."""

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass, field
from functools import cache
from typing import Any

from sqlalchemy import (
    BigInteger,
    Connection,
    Delete,
    Select,
    Update,
    and_,
    bindparam,
    case,
    delete,
    not_,
    select,
    update,
)

from tornado_cc.core.record import Record
from tornado_cc.store import moments
from tornado_cc.store.lanes import Wanted, enqueue, lock, promote
from tornado_cc.store.moments import milliseconds
from tornado_cc.store.requests import found, keep
from tornado_cc.store.runs import Runs
from tornado_cc.store.tables import CLAIMABLE, ENDED, LEASED, deliveries

_TABLE = deliveries.c
_PRUNED_AT_ONCE = 500

SUSPECT_AFTER = 2
"""Claims after which one that was running when its worker ended may be what ended it. Of all that
ran beside it, which is no more to blame, a worker runs one at a time: that shows which it is."""

Failures = list[dict[str, Any]]
"""What went wrong, attempt by attempt: `attempt`, `at`, `error`, and `error_id` when there is."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Claimed:
    """A delivery that this worker runs, as long as its lease lasts.

    Attributes:
        attempts: how often it has been claimed, this time included.
        record: what is kept of the request that led to it.
    """

    number: int
    id: str
    kind: str
    plugin: str
    target: str
    lane: str | None
    payload: str = field(repr=False)
    request_id: str | None
    attempts: int
    created_at: int
    failures: Failures
    record: Record | None = field(default=None, repr=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class End:
    """How an attempt ended: `done`, `dead`, or `ready` again after a delay in seconds."""

    claimed: Claimed
    state: str
    failures: Failures
    delay: float = 0
    version: str = ""


class Outbox:
    """The outbox as workers use it."""

    def __init__(self, runs: Runs) -> None:
        self._runs = runs

    async def add(self, new: Iterable[Wanted], record: Record | None = None) -> list[str]:
        """Store deliveries and withdraw others; the ids of those that are kept, once it is durable.

        Args:
            record: the request that leads to them, kept with them.
        """
        wanted = list(new)

        def write(connection: Connection) -> list[str]:
            if record is not None:
                keep(connection, [record])
            return enqueue(connection, wanted)

        return await self._runs.write(write)

    async def claim(
        self,
        worker: str,
        count: int,
        lease: float,
        ends: Sequence[End] = (),
        *,
        suspect: bool = True,
    ) -> list[Claimed]:
        """Take what is due, the longest due first, for so many seconds; each counts an attempt.

        Args:
            ends: what is to `end` first, in the same transaction: one wait for the disk, not two.
            suspect: whether one of them may be one whose workers ended again and again.
        """

        def write(connection: Connection) -> list[Claimed]:
            if ends:
                _note(connection, worker, ends)
            if count <= 0:
                return []
            names = {"worker": worker, "lease": milliseconds(lease), "suspects": int(suspect)}
            return _take(connection, {**names, "count": count})

        return await self._runs.write(write)

    async def renew(self, worker: str, numbers: Collection[int], lease: float) -> set[int]:
        """Keep what runs for so many seconds more; those that are still this worker's."""

        def write(connection: Connection) -> set[int]:
            names = {"worker": worker, "lease": milliseconds(lease), "numbers": sorted(numbers)}
            statement = _renew(connection.dialect.name)
            rows = connection.execute(statement, {**names, **moments.given(connection)})
            return set(rows.scalars())

        return await self._runs.write(write)

    async def end(self, worker: str, ends: Sequence[End]) -> None:
        """Note how attempts ended, and let the next of each lane come.

        What is not this worker's any more stays as it is: somebody else runs it.
        """
        await self._runs.write(lambda connection: _note(connection, worker, ends))

    async def release(self) -> int:
        """End every lease, where no other worker can be: what was running is due; how many."""

        def write(connection: Connection) -> int:
            now = moments.now(connection.dialect.name)
            ended = update(deliveries).where(LEASED).values(due_at=now, leased_by=None)
            return connection.execute(ended, moments.given(connection)).rowcount

        return await self._runs.write(write)

    async def next_due(self) -> float | None:
        """Seconds until something is due, 0 when it is; None when nothing waits for its time."""

        def read(connection: Connection) -> int | None:
            statement = _next_due(connection.dialect.name)
            left = connection.execute(statement, moments.given(connection)).scalar()
            return None if left is None else int(left)

        left = await self._runs.read(read)
        return None if left is None else max(left, 0) / 1000

    async def prune(self, done: float, dead: float) -> int:
        """Remove some of what ended so many seconds ago; how many. 0 when nothing is left to."""

        def write(connection: Connection) -> int:
            ages = {"done": milliseconds(done), "dead": milliseconds(dead)}
            statement = _prune(connection.dialect.name)
            return connection.execute(statement, {**ages, **moments.given(connection)}).rowcount

        return await self._runs.write(write)


def _note(connection: Connection, worker: str, ends: Sequence[End]) -> None:
    lock(connection, {one.claimed.lane for one in ends})
    clock = moments.given(connection)
    rows = [
        {
            "of_number": one.claimed.number,
            "worker": worker,
            "to_state": one.state,
            "delay": milliseconds(one.delay),
            "to_failures": one.failures,
            "to_version": one.version,
            **clock,
        }
        for one in sorted(ends, key=lambda one: one.claimed.number)
    ]
    connection.execute(_end(connection.dialect.name), rows)
    promote(connection, {one.claimed.lane for one in ends if one.state != "ready"})


def _take(connection: Connection, names: dict[str, Any]) -> list[Claimed]:
    statement = _claim(connection.dialect.name)
    taken = connection.execute(statement, {**names, **moments.given(connection)})
    rows = taken.mappings().all()
    records = found(connection, {row["request_id"] for row in rows} - {None})
    claimed = [Claimed(**row, record=records.get(row["request_id"])) for row in rows]
    return sorted(claimed, key=lambda one: one.number)


@cache
def _claim(dialect: str) -> Any:
    now = moments.now(dialect)
    is_suspect = and_(LEASED, _TABLE.attempts >= SUSPECT_AFTER)

    def first(limit: str, *conditions: Any) -> Any:
        # Apart from the update, or PostgreSQL may ask more than once, and lock more than was asked.
        return (
            select(_TABLE.number)
            .where(*conditions, _TABLE.due_at <= now)
            .order_by(_TABLE.due_at, _TABLE.number)
            .limit(bindparam(limit))
            .with_for_update(skip_locked=True)
            .cte(limit)
            .prefix_with("MATERIALIZED", dialect="postgresql")
        )

    suspects, others = first("suspects", is_suspect), first("count", CLAIMABLE, not_(is_suspect))
    due = select(suspects.c.number).union_all(select(others.c.number)).limit(bindparam("count"))
    claimed = {
        "state": "running",
        "attempts": _TABLE.attempts + 1,
        "due_at": now + bindparam("lease", type_=BigInteger),
        "leased_by": bindparam("worker"),
    }
    taken = update(deliveries).where(_TABLE.number.in_(due)).values(claimed)
    return taken.returning(*(one for one in _TABLE if one.name in Claimed.__dataclass_fields__))


@cache
def _renew(dialect: str) -> Any:
    until = moments.now(dialect) + bindparam("lease", type_=BigInteger)
    numbers: Any = bindparam("numbers", expanding=True)
    return _held().where(_TABLE.number.in_(numbers)).values(due_at=until).returning(_TABLE.number)


def _held() -> Update:
    """What the worker of that name runs."""
    is_mine = _TABLE.leased_by == bindparam("worker")
    return update(deliveries).where(CLAIMABLE, _TABLE.state == "running", is_mine)


@cache
def _end(dialect: str) -> Update:
    now = moments.now(dialect)
    state = bindparam("to_state", type_=_TABLE.state.type)
    return (
        _held()
        .where(_TABLE.number == bindparam("of_number"))
        .values(
            state=state,
            due_at=now + bindparam("delay", type_=BigInteger),
            ended_at=case((state == "ready", None), else_=now),
            leased_by=None,
            failures=bindparam("to_failures"),
            version=bindparam("to_version"),
        )
    )


@cache
def _next_due(dialect: str) -> Select[Any]:
    first = select(_TABLE.due_at).where(CLAIMABLE).order_by(_TABLE.due_at).limit(1)
    return select(first.scalar_subquery() - moments.now(dialect))


@cache
def _prune(dialect: str) -> Delete:
    now = moments.now(dialect)

    def ended(age: str, *states: str) -> Select[Any]:
        long_ago = _TABLE.ended_at <= now - bindparam(age, type_=BigInteger)
        found = select(_TABLE.number).where(ENDED, _TABLE.state.in_(states), long_ago)
        return select(found.limit(_PRUNED_AT_ONCE).subquery().c.number)

    old = ended("done", "done", "discarded").union_all(ended("dead", "dead"))
    return delete(deliveries).where(_TABLE.number.in_(old))
