"""Lanes: what has to run in order, and how deliveries are put into them.

A lane is one implementation and one object. Only its head is `ready` or `running`, the rest is
`waiting`; whoever adds to a lane or ends its head holds the lane's lock, so that no row can go on
waiting for one that has just ended.
"""

import hashlib
from collections.abc import Collection, Iterable
from dataclasses import dataclass, field
from functools import cache
from typing import Any

from sqlalchemy import BigInteger, Connection, Update, bindparam, case, exists, text, update

from tornado_cc.store import moments
from tornado_cc.store.ids import new_ulid
from tornado_cc.store.moments import milliseconds
from tornado_cc.store.tables import UNFINISHED, deliveries, insert_on

_TABLE = deliveries.c
_LONGEST = 300
# Any number will do, as long as nobody else of this database locks texts with it.
_LOCK_LANES = text(
    "SELECT pg_advisory_xact_lock(hash) FROM (SELECT DISTINCT hashtextextended(lane, 7472) AS hash"
    " FROM unnest(CAST(:lanes AS text[])) AS lane ORDER BY hash) AS hashes"
)


@dataclass(frozen=True, slots=True, kw_only=True)
class NewDelivery:
    """Something to be done once it is stored.

    Attributes:
        kind: `hook`, `job`, `schedule`, `webhook` or `mail`.
        plugin: whose it is.
        target: what of the plugin's runs.
        payload: JSON, with no secret in it.
        lane: what it has to keep its place in; None runs beside everything.
        delay: seconds until it is due.
        once: of two with the same one only the first is kept.
        request_id: the recorded request that led to it.
        replaces: whether it takes the place of what waits in its lane.
    """

    kind: str
    plugin: str
    target: str
    payload: str = field(repr=False)
    lane: str | None = None
    delay: float = 0
    once: str | None = None
    request_id: str | None = None
    replaces: bool = False
    id: str = field(default_factory=new_ulid)


@dataclass(frozen=True, slots=True)
class Withdrawal:
    """What waits in a lane shall not run; what runs there already does."""

    lane: str


Wanted = NewDelivery | Withdrawal
"""What a transaction may do to the outbox along with its own changes."""


def lane(text: str) -> str:
    """The lane of that name. Names come from callers, and an index takes no long ones."""
    if len(text) <= _LONGEST and text.isprintable():
        return text
    return hashlib.sha256(text.encode("utf-8", "backslashreplace")).hexdigest()


def enqueue(connection: Connection, new: Iterable[Wanted]) -> list[str]:
    """Store deliveries in the transaction of what they are about; the ids of those that are kept.

    One whose `once` is there already is not. Each is done in its turn, so that one that is promised
    and withdrawn in the same transaction never runs.
    """
    wanted = list(new)
    if not wanted:
        return []
    lock(connection, {one.lane for one in wanted})
    kept = []
    statement, clock = _insert(connection.dialect.name), moments.given(connection)
    for one in wanted:
        if isinstance(one, Withdrawal) or one.replaces:
            _withdraw(connection, one.lane)
        if isinstance(one, Withdrawal):
            continue
        if connection.execute(statement, {**_row(one), **clock}).rowcount:
            kept.append(one.id)
    return kept


def _row(one: NewDelivery) -> dict[str, Any]:
    return {
        "of_id": one.id,
        "of_kind": one.kind,
        "of_plugin": one.plugin,
        "of_target": one.target,
        "of_lane": one.lane,
        "of_once": one.once,
        "of_payload": one.payload,
        "of_request_id": one.request_id,
        "delay": milliseconds(one.delay),
    }


def _withdraw(connection: Connection, lane: str | None) -> None:
    """Discard what waits in a locked lane, for its time, its turn or another attempt."""
    statement = _discard(connection.dialect.name)
    connection.execute(statement, {"of_lane": lane, **moments.given(connection)})


def lock(connection: Connection, lanes: Collection[str | None]) -> None:
    """Have these lanes to ourselves until the transaction ends; SQLite has one writer anyway."""
    named = sorted(lane for lane in lanes if lane is not None)
    if named and connection.dialect.name == "postgresql":
        connection.execute(_LOCK_LANES, {"lanes": named})


def promote(connection: Connection, lanes: Collection[str | None]) -> None:
    """Let the first that waits in each of these locked lanes come, where nothing is before it."""
    named = [{"of_lane": lane} for lane in sorted(one for one in lanes if one is not None)]
    if named:
        connection.execute(_PROMOTE, named)


# The states are spelt as in the index on lanes.
_PROMOTE = text(
    "UPDATE deliveries SET state = 'ready' WHERE number ="
    " (SELECT min(number) FROM deliveries WHERE lane = :of_lane"
    " AND state IN ('waiting', 'ready', 'running') AND state = 'waiting')"
    " AND NOT EXISTS (SELECT 1 FROM deliveries WHERE lane = :of_lane"
    " AND state IN ('waiting', 'ready', 'running') AND state <> 'waiting')"
)


# As text, or the note of a dry run would take it for the new state.
_RESTS = text("state <> 'running'")


@cache
def _discard(dialect: str) -> Update:
    is_mine = _TABLE.lane == bindparam("of_lane", type_=_TABLE.lane.type)
    waiting = update(deliveries).where(is_mine, UNFINISHED, _RESTS)
    return waiting.values(state="discarded", ended_at=moments.now(dialect))


@cache
def _insert(dialect: str) -> Any:
    of_lane = bindparam("of_lane", type_=_TABLE.lane.type)
    is_ahead = exists().where(_TABLE.lane == of_lane, UNFINISHED)
    now = moments.now(dialect)
    values: dict[str, Any] = {name: bindparam(f"of_{name}") for name in _GIVEN}
    new = insert_on(dialect, deliveries).values(
        **values,
        lane=of_lane,
        state=case((is_ahead, "waiting"), else_="ready"),
        attempts=0,
        due_at=now + bindparam("delay", type_=BigInteger),
        created_at=now,
        failures=[],
    )
    return new.on_conflict_do_nothing(index_elements=["once"])


_GIVEN = ("id", "kind", "plugin", "target", "once", "payload", "request_id")
