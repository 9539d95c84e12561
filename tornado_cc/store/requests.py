"""The journal: requests as they came in, without secrets, and what came of them."""

from collections.abc import Collection, Iterable, Sequence
from dataclasses import fields
from functools import cache
from typing import Any

from sqlalchemy import Connection, Row, Select, bindparam, delete, exists, select

from tornado_cc.core import clock
from tornado_cc.core.record import Record
from tornado_cc.store.ids import ulid_of
from tornado_cc.store.runs import Runs
from tornado_cc.store.tables import deliveries, insert_on, requests

_PRUNED_AT_ONCE = 500
_COLUMNS = tuple(one.name for one in fields(Record))
# What is not known yet when a request arrives.
_LATER = ("outcome", "cause", "error_id", "status", "ms", "answer", "plugins", "user_id")


def keep(connection: Connection, records: Iterable[Record]) -> None:
    """Write records in a transaction; of one that is there, what has become of it."""
    # Not `asdict`: its deep copy of each would take longer than the statement.
    rows = [{name: getattr(one, name) for name in _COLUMNS} for one in records]
    if rows:
        connection.execute(_keep(connection.dialect.name), rows)


def found(connection: Connection, ids: Collection[str]) -> dict[str, Record]:
    """What is kept of these requests, by id."""
    if not ids:
        return {}
    rows = connection.execute(_THESE, {"ids": sorted(ids)})
    return {row.id: _record(row) for row in rows}


class Requests:
    """The requests of a store."""

    def __init__(self, runs: Runs) -> None:
        self._runs = runs

    async def keep(self, records: Sequence[Record]) -> None:
        """Write records, all of them or none."""
        await self._runs.write(lambda connection: keep(connection, records))

    async def get(self, request_id: str) -> Record | None:
        """One request, None when nothing is kept of it."""
        one = select(requests).where(requests.c.id == request_id)
        row = await self._runs.read(lambda connection: connection.execute(one).one_or_none())
        return None if row is None else _record(row)

    async def find(
        self,
        *,
        dialect: str | None = None,
        route: str | None = None,
        outcome: str | None = None,
        after: str | None = None,
        before: str | None = None,
        limit: int = 50,
    ) -> list[Record]:
        """The latest requests that fit, the newest first; after and before an id, exclusive."""
        asked = select(requests).order_by(requests.c.id.desc()).limit(limit)
        equal = {"dialect": dialect, "route": route, "outcome": outcome}
        for name, value in equal.items():
            asked = asked if value is None else asked.where(requests.c[name] == value)
        if after is not None:
            asked = asked.where(requests.c.id > after)
        if before is not None:
            asked = asked.where(requests.c.id < before)
        return await self._runs.read(lambda connection: _records(connection, asked))

    async def prune(self, seconds: float) -> int:
        """Remove some that came so many seconds ago and of which no delivery is left; how many."""
        oldest = ulid_of(clock.utc_now().timestamp() - seconds)

        def write(connection: Connection) -> int:
            return connection.execute(_PRUNE, {"oldest": oldest}).rowcount

        return await self._runs.write(write)


@cache
def _keep(dialect: str) -> Any:
    new = insert_on(dialect, requests)
    changed = {name: new.excluded[name] for name in _LATER}
    return new.on_conflict_do_update(index_elements=["id"], set_=changed)


_THESE = select(requests).where(requests.c.id.in_(bindparam("ids", expanding=True)))
_OLD = (
    select(requests.c.id)
    .where(
        requests.c.id < bindparam("oldest"),
        ~exists().where(deliveries.c.request_id == requests.c.id),
    )
    .limit(_PRUNED_AT_ONCE)
)
_PRUNE = delete(requests).where(requests.c.id.in_(_OLD))


def _records(connection: Connection, asked: Select[Any]) -> list[Record]:
    return [_record(row) for row in connection.execute(asked)]


def _record(row: Row[Any]) -> Record:
    return Record(**row._mapping)
