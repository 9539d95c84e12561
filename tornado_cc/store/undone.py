"""Writes that are made and taken back: what would be written, without anything being kept."""

import asyncio
import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any, Generic, TypeVar

from sqlalchemy import Connection, Delete, Insert, Table, Update, event

from tornado_cc.store.engine import Engine, Transaction, timed
from tornado_cc.store.tables import deliveries, requests, sessions, versions

T = TypeVar("T")

_VERBS = {Insert: "insert", Update: "update", Delete: "delete"}
_SECRET = frozenset({"password_hash", "token_hash"})
_TIMES = frozenset({"created_at", "updated_at"})
"""When it would have been says nothing."""
_OWN = (versions, requests)
"""What goes along with changes: by which workers notice them, and of which request they are."""
_NAMED_BY = {deliveries: ("kind", "plugin", "target"), sessions: ("user_id",)}
"""What a row is called where its key is made by the database, or is a secret."""
# `of_NAME` is what a statement looks for, `to_NAME` what it sets; SQLAlchemy adds numbers.
_AROUND = re.compile(r"^(of|to)_|_[0-9]+$")


@dataclass(frozen=True, slots=True, kw_only=True)
class Change:
    """A row that a transaction writes.

    Attributes:
        verb: `insert`, which may be over a row that is there, `update` or `delete`.
        key: which row, as far as it is known by texts.
        values: what else is said of it, by column; no secret column.
    """

    verb: str
    table: str
    key: tuple[str, ...]
    values: dict[str, Any] = field(repr=False)


class Undone:
    """An engine that keeps nothing, although whoever writes finds again what they wrote.

    A transaction is a function that may run again. So each one is made to follow all that were
    made before it, and then every one of them is rolled back: nothing stays locked in between, and
    a server beside it goes on.
    """

    def __init__(self, engine: Engine, notice: Callable[[Change], None]) -> None:
        self._engine = engine
        self._notice = notice
        self._before: list[Transaction[Any]] = []
        # Each has to be made after those that it followed when its caller was answered.
        self._turn = asyncio.Lock()

    async def open(self) -> None:
        """Nothing: it is over an engine that is open."""

    async def close(self) -> None:
        """Nothing: whoever opened the engine closes it."""

    async def read(self, function: Transaction[T], seconds: float) -> T:
        """What a function reads, after all that was written so far."""
        async with self._turn:
            if not self._before:
                return await self._engine.read(function, seconds)
            return (await self._tried(function, seconds)).value

    async def write(self, function: Transaction[T], seconds: float) -> T:
        """What a function returned; of one that raises nothing is told, for it changes nothing."""
        async with self._turn:
            back = await self._tried(function, seconds)
            self._before.append(function)
        for change in back.changes:
            self._notice(change)
        return back.value

    async def _tried(self, function: Transaction[T], seconds: float) -> "_TakenBack[T]":
        def run(connection: Connection) -> None:
            for one in self._before:
                one(connection)
            with _noted(connection) as changes:
                value = function(connection)
            raise _TakenBack(value, changes)

        try:
            await self._engine.write(timed(run, seconds), seconds)
        except _TakenBack as back:
            return back
        raise AssertionError("unreachable")


class _TakenBack(Exception, Generic[T]):
    """Ends a transaction that has done its work, so that the engine rolls it back."""

    def __init__(self, value: T, changes: list[Change]) -> None:
        super().__init__()
        self.value = value
        self.changes = changes


@contextmanager
def _noted(connection: Connection) -> Iterator[list[Change]]:
    """The changes that a connection makes within the block."""
    found: list[Change] = []

    def executed(
        _: Connection, cursor: Any, statement: str, parameters: Any, context: Any, many: bool
    ) -> None:
        # A statement that met no row, such as an insert that does nothing, changes nothing.
        if context.compiled is not None and cursor.rowcount:
            found.extend(_changes(context.compiled.statement, context.compiled_parameters))

    event.listen(connection, "after_cursor_execute", executed)
    try:
        yield found
    finally:
        event.remove(connection, "after_cursor_execute", executed)


def _changes(statement: Any, rows: list[dict[str, Any]]) -> Iterator[Change]:
    verb = next((word for kind, word in _VERBS.items() if isinstance(statement, kind)), None)
    if verb is None or statement.table in _OWN:
        return
    for row in rows:
        yield _change(verb, statement.table, row)


def _change(verb: str, table: Table, row: dict[str, Any]) -> Change:
    named = {_AROUND.sub("", name): value for name, value in row.items()}
    hidden = _SECRET | _TIMES
    known = {name: one for name, one in named.items() if name in table.c and name not in hidden}
    keys = _NAMED_BY.get(table) or tuple(column.name for column in table.primary_key)
    key = tuple(known.pop(name) for name in keys if isinstance(known.get(name), str))
    return Change(verb=verb, table=table.name, key=key, values=known)
