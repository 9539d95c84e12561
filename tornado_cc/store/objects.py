"""Objects of plugins: JSON by class and id. SQL finds and narrows, Python decides.

So both engines answer alike, and no name of a field is ever a part of a statement.
"""

import heapq
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from itertools import islice
from typing import Any

from sqlalchemy import Connection, Row, Select, bindparam, func, select, tuple_
from sqlalchemy import delete as sql_delete
from sqlalchemy import update as sql_update

from tornado_cc.core import clock
from tornado_cc.core.state import Keys, Order
from tornado_cc.store import operations
from tornado_cc.store.engine import check_time, computed
from tornado_cc.store.errors import DuplicateValue, InvalidQuery, ObjectNotFound
from tornado_cc.store.narrow import narrowed
from tornado_cc.store.query import Query, compile_keys, compile_order, compile_query
from tornado_cc.store.runs import Runs
from tornado_cc.store.tables import insert, objects

Object = dict[str, Any]
"""Fields with objectId, createdAt and updatedAt, as Parse's JSON."""

Along = Callable[[Connection, Object, Object | None], None]
"""What is written along with a change, in its transaction, of the object as it is and as it was."""

MAX_LIMIT = 1000
MAX_SKIP = 100_000
_BATCH = 500
"""Rows read at once. On PostgreSQL they are matched on the event loop, some 2 ms for so many."""

_IS_IT = (
    objects.c.class_name == bindparam("of_class_name"),
    objects.c.object_id == bindparam("of_object_id"),
)
_ONE = select(objects).where(*_IS_IT)
_LOCKED = _ONE.with_for_update()
_CHANGE = (
    sql_update(objects)
    .where(*_IS_IT)
    .values(fields=bindparam("to_fields"), updated_at=bindparam("to_updated_at"))
)
_REMOVE = sql_delete(objects).where(*_IS_IT)
_PLACE = tuple_(objects.c.created_at, objects.c.object_id)


class Objects:
    """The objects of a store. No hook fires here: flows do that, around each write."""

    def __init__(self, runs: Runs) -> None:
        self._runs = runs

    async def insert(
        self,
        class_name: str,
        object_id: str,
        changes: Mapping[str, Any],
        along: Along | None = None,
    ) -> Object:
        """Store a new object of checked changes, and return it.

        Raises:
            DuplicateValue: the class has an object of this id.
        """

        def write(connection: Connection) -> Object:
            now, fields = clock.now(), operations.apply(None, dict(changes))
            row = {"class_name": class_name, "object_id": object_id, "fields": fields}
            times = {"created_at": now, "updated_at": now}
            new = insert(connection, objects).on_conflict_do_nothing()
            if not connection.execute(new, {**row, **times}).rowcount:
                raise DuplicateValue(f"An object of class {class_name} has this objectId already")
            stored = _spelt(object_id, fields, now, now)
            if along is not None:
                along(connection, stored, None)
            return stored

        return await self._runs.write(write)

    async def get(
        self, class_name: str, object_id: str, where: Mapping[str, Any] | None = None
    ) -> Object:
        """One object that fits `where`. Raises `ObjectNotFound`."""
        condition = compile_query(where)
        return await self._runs.read(
            lambda connection: _object(_found(connection, _ONE, class_name, object_id, condition))
        )

    async def update(
        self,
        class_name: str,
        object_id: str,
        changes: Mapping[str, Any],
        where: Mapping[str, Any] | None = None,
        along: Along | None = None,
    ) -> tuple[Object, Object]:
        """Apply checked changes to an object that fits `where`: as it was, and as it is now.

        Nobody changes it in between.

        Raises:
            ObjectNotFound: there is none, or it does not fit.
            IncorrectType, InvalidValue: an operation does not fit the field.
        """
        condition = compile_query(where)

        def write(connection: Connection) -> tuple[Object, Object]:
            row = _found(connection, _LOCKED, class_name, object_id, condition)
            fields = _applied(connection, row.fields, changes)
            now = clock.now()
            names = {"of_class_name": class_name, "of_object_id": object_id}
            connection.execute(_CHANGE, {**names, "to_fields": fields, "to_updated_at": now})
            before, after = _object(row), _spelt(object_id, fields, row.created_at, now)
            if along is not None:
                along(connection, after, before)
            return before, after

        return await self._runs.write(write)

    async def delete(
        self,
        class_name: str,
        object_id: str,
        where: Mapping[str, Any] | None = None,
        along: Along | None = None,
    ) -> Object:
        """Remove an object that fits `where`, and return it. Raises `ObjectNotFound`."""
        condition = compile_query(where)

        def write(connection: Connection) -> Object:
            row = _found(connection, _LOCKED, class_name, object_id, condition)
            connection.execute(_REMOVE, {"of_class_name": class_name, "of_object_id": object_id})
            gone = _object(row)
            if along is not None:
                along(connection, gone, None)
            return gone

        return await self._runs.write(write)

    async def find(
        self,
        class_name: str,
        where: Mapping[str, Any] | None = None,
        *,
        order: Order = None,
        limit: int = 100,
        skip: int = 0,
        keys: Keys = None,
    ) -> list[Object]:
        """The objects that fit `where`; without an order, the oldest first.

        Raises:
            InvalidQuery: it cannot be understood, or asks for too much.
        """
        _check_page(limit, skip)
        query, wanted = compile_query(where), compile_keys(keys)
        # No order at all is the order in which they are read: reading can stop early.
        ordered = compile_order(order) if order else None

        def read(connection: Connection) -> list[Object]:
            if not limit:
                return []
            # Without a condition, those that are read first are those that are wanted.
            enough = _BATCH if where or ordered is not None else skip + limit
            matching = _matching(connection, class_name, query, min(_BATCH, enough))
            if ordered is not None:
                page = iter(heapq.nsmallest(skip + limit, matching, key=ordered.key))
            else:
                page = matching
            return list(islice(page, skip, skip + limit))

        found = await self._runs.read(read)
        return [wanted.select(one) for one in found] if wanted is not None else found

    async def count(self, class_name: str, where: Mapping[str, Any] | None = None) -> int:
        """How many objects fit `where`. Raises `InvalidQuery`."""
        query = compile_query(where)

        def read(connection: Connection) -> int:
            if not where:
                of_class = objects.c.class_name == class_name
                everything = select(func.count()).select_from(objects).where(of_class)
                return connection.execute(everything).scalar_one()
            return sum(1 for _ in _matching(connection, class_name, query))

        return await self._runs.read(read)


def _matching(
    connection: Connection, class_name: str, query: Query, at_once: int = _BATCH
) -> Iterator[Object]:
    """The objects that fit, the oldest first, so many rows at a time."""
    rows = select(objects).where(
        objects.c.class_name == class_name, *narrowed(query, connection.dialect.name)
    )
    rows = rows.order_by(objects.c.created_at, objects.c.object_id).limit(at_once)
    page: Select[Any] = rows
    while True:
        batch = connection.execute(page).all()
        yield from _fitting(connection, batch, query)
        if len(batch) < at_once:
            return
        last = batch[-1]
        page = rows.where(tuple_(last.created_at, last.object_id) < _PLACE)


def _fitting(connection: Connection, batch: Sequence[Row[Any]], query: Query) -> Iterable[Object]:
    """What of a batch fits; expressions may take their time, so they are matched elsewhere."""
    if not query.is_slow:
        return (one for one in map(_object, batch) if query.matches(one))

    def fits(one: Object) -> bool:
        check_time(connection)
        return query.matches(one)

    return computed(connection, lambda: [one for one in map(_object, batch) if fits(one)])


def _applied(connection: Connection, stored: Object, changes: Mapping[str, Any]) -> Object:
    """The fields after the changes; a batch of changes to a long list takes seconds."""

    def compute() -> Object:
        return operations.apply(stored, dict(changes))

    is_slow = any(isinstance(one, dict) and one.get("__op") == "Batch" for one in changes.values())
    return computed(connection, compute) if is_slow else compute()


def _found(
    connection: Connection,
    statement: Any,
    class_name: str,
    object_id: str,
    condition: Query,
) -> Row[Any]:
    names = {"of_class_name": class_name, "of_object_id": object_id}
    rows = connection.execute(statement, names).all()
    if not any(_fitting(connection, rows, condition)):
        raise ObjectNotFound("Object not found.")
    return rows[0]


def _object(row: Row[Any]) -> Object:
    return _spelt(row.object_id, row.fields, row.created_at, row.updated_at)


def _spelt(object_id: str, fields: Object, created_at: str, updated_at: str) -> Object:
    return {**fields, "objectId": object_id, "createdAt": created_at, "updatedAt": updated_at}


def _check_page(limit: int, skip: int) -> None:
    for name, number, most in (("limit", limit, MAX_LIMIT), ("skip", skip, MAX_SKIP)):
        if type(number) is not int or not 0 <= number <= most:
            raise InvalidQuery(f"{name} is a number from 0 to {most}")
