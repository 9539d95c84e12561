"""What a command does to a whole database: bring its tables up to date, copy it into another.

A copy is read in one transaction, so as of one moment, and written in one, so all of it or nothing.
Each side runs on a loop and a thread of its own, with a few rows between them: inside a transaction
there is no awaiting the other side.
"""

import asyncio
import threading
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import (
    AbstractAsyncContextManager,
    asynccontextmanager,
    contextmanager,
    nullcontext,
    suppress,
)
from dataclasses import dataclass
from textwrap import shorten

from sqlalchemy import Connection, Table, func, select, text
from sqlalchemy.exc import DBAPIError

from tornado_cc.core.json_value import NotJson
from tornado_cc.settings import Database
from tornado_cc.store import schema
from tornado_cc.store.engine import CannotOpen, Engine, StatementFailed
from tornado_cc.store.errors import StoreUnavailable
from tornado_cc.store.pipe import Batch, Closed, Pipe
from tornado_cc.store.postgresql import PostgreSQL
from tornado_cc.store.schema import Schema, SchemaError
from tornado_cc.store.sqlite import InUse, SQLite
from tornado_cc.store.tables import metadata

Notice = Callable[[str, int, int], None]
"""Told the name of a table, how many of its rows are copied, and how many there are."""

_ROWS = 100
"""The rows that go over at a time. An object has up to a megabyte, and there are a few batches."""
_LOOK_SECONDS = 10.0
_STATEMENT_SECONDS = 3600.0
_ALL_SECONDS = 30 * 86_400.0
_PATIENCE = 5.0
"""Seconds for the reading side to close its database."""


class NotUsable(Exception):
    """A database cannot be used now; the message says which and why."""


class MoveRefused(Exception):
    """The databases are not ones to copy from and into; the message says why."""


@dataclass(frozen=True, slots=True)
class Moved:
    """A table and how many rows it has in either database."""

    table: str
    source: int
    target: int


async def migrate(database: Database) -> bool:
    """Bring the tables of a database up to date; whether anything was to be done.

    Raises:
        NotUsable: it cannot be reached, is newer than this code, or is a SQLite file that is to be
            changed while a server uses it.
    """
    with _named(database):
        async with _opened(database) as engine:
            if isinstance(engine, SQLite):
                await engine.lock_while(lambda: _is_old(engine))
            return await engine.write(schema.migrate, _ALL_SECONDS)


def move(source: Database, target: Database, notice: Notice) -> list[Moved]:
    """Copy every row of a database into another, whose tables are made; blocks until it is done.

    No server may use either: one on SQLite is noticed. On any error the target is as it was before,
    and a SQLite file that was not there is not there again.

    Raises:
        MoveRefused: the target is not empty, or is the source.
        NotUsable: either cannot be used.
    """
    if _same(source, target):
        raise MoveRefused(f"{source} cannot be copied into itself")
    pipe = Pipe()
    reader = threading.Thread(target=_read_all, args=(source, pipe), name="tornado_cc-move")
    # Nobody waits for a query whose answer is not wanted any more.
    reader.daemon = True
    reader.start()
    try:
        return asyncio.run(_write_all(target, pipe, notice))
    finally:
        pipe.close()
        reader.join(_PATIENCE)


def _read_all(source: Database, pipe: Pipe) -> None:
    """The life of the thread that reads."""
    try:
        asyncio.run(_read(source, pipe))
        pipe.put(None)
    except Closed:
        return
    except Exception as error:  # noqa: BLE001 - raised where it is waited for
        with suppress(Closed):
            pipe.put(error)


async def _read(source: Database, pipe: Pipe) -> None:
    if source.path is not None and not source.path.is_file():
        raise NotUsable(f"cannot use {source}: there is no such file")

    def read(connection: Connection) -> None:
        schema.check(connection)
        for table in metadata.sorted_tables:
            total = _count(connection, table)
            pipe.put(Batch(table, total, []))
            rows = connection.execute(select(table), execution_options={"yield_per": _ROWS})
            for part in rows.mappings().partitions():
                pipe.put(Batch(table, total, [dict(row) for row in part]))

    with _named(source):
        async with _opened(source, alone=True) as engine:
            await engine.read(read, _ALL_SECONDS)


async def _write_all(target: Database, pipe: Pipe, notice: Notice) -> list[Moved]:
    begun = False

    def write(connection: Connection) -> list[Moved]:
        nonlocal begun
        if begun:
            # What was read for the first try is gone.
            raise NotUsable(f"{target} gave up the transaction; try again")
        begun = True
        schema.migrate(connection)
        _keep_to_ourselves(connection)
        _check_empty(connection, target)
        return _fill(connection, pipe, notice)

    with _named(target):
        async with _opened(target, alone=True) as engine:
            try:
                return await engine.write(write, _ALL_SECONDS)
            finally:
                # When this is cancelled, SQLite's writer would go on, and be waited for.
                pipe.close()


def _keep_to_ourselves(connection: Connection) -> None:
    """Until the end of the transaction nobody else writes into the tables."""
    if connection.dialect.name == "postgresql":
        names = ", ".join(table.name for table in metadata.sorted_tables)
        connection.execute(text(f"LOCK TABLE {names} IN EXCLUSIVE MODE"))


def _check_empty(connection: Connection, target: Database) -> None:
    full = [
        table.name
        for table in metadata.sorted_tables
        if connection.execute(select(table).limit(1)).first() is not None
    ]
    if full:
        raise MoveRefused(
            f"{target} is not empty, it has rows in {', '.join(full)}; name a new database"
        )


def _fill(connection: Connection, pipe: Pipe, notice: Notice) -> list[Moved]:
    totals: dict[str, int] = {}
    done = 0
    for batch in pipe.batches():
        name = batch.table.name
        done = done + len(batch.rows) if name in totals else 0
        totals[name] = batch.total
        if batch.rows:
            connection.execute(batch.table.insert(), batch.rows)
        notice(name, done, batch.total)
    moved = [
        Moved(table.name, totals.get(table.name, 0), _count(connection, table))
        for table in metadata.sorted_tables
    ]
    wrong = [one.table for one in moved if one.source != one.target]
    if wrong:
        raise NotUsable(f"the rows of {', '.join(wrong)} are not all there; nothing is kept")
    _go_on_counting(connection)
    return moved


def _go_on_counting(connection: Connection) -> None:
    """PostgreSQL numbers deliveries from 1, whatever numbers were copied."""
    if connection.dialect.name == "postgresql":
        connection.execute(
            text(
                "SELECT setval(pg_get_serial_sequence('deliveries', 'number'), max(number))"
                " FROM deliveries"
            )
        )


def _count(connection: Connection, table: Table) -> int:
    return connection.execute(select(func.count()).select_from(table)).scalar_one()


def _same(source: Database, target: Database) -> bool:
    if source.path is not None and target.path is not None:
        return source.path.resolve() == target.path.resolve()
    return source.place == target.place


async def _state(engine: Engine) -> Schema:
    return await engine.read(schema.state, _LOOK_SECONDS)


async def _is_old(engine: Engine) -> bool:
    return await _state(engine) is Schema.OLD


@asynccontextmanager
async def _opened(database: Database, *, alone: bool = False) -> AsyncIterator[Engine]:
    """A database for statements that may take long, once it has answered a quick one."""
    if database.path is None:
        async with _closing(PostgreSQL(database.dsn, database.place, _LOOK_SECONDS, 1)) as quick:
            await _state(quick)
        engine: Engine = PostgreSQL(database.dsn, database.place, _STATEMENT_SECONDS, 1)
    else:
        engine = SQLite(database.path, _LOOK_SECONDS)
    async with _closing(engine):
        left: AbstractAsyncContextManager[None] = nullcontext()
        if alone and isinstance(engine, SQLite):
            try:
                engine.lock()
            except InUse as error:
                raise NotUsable(f"no server may run during a move: {error}") from None
            left = _nothing_left(engine)
        async with left:
            await engine.open()
            await _state(engine)
            yield engine


@asynccontextmanager
async def _nothing_left(engine: SQLite) -> AsyncIterator[None]:
    """Remove a file that was made in vain, under its lock, for then it is nobody else's."""
    path = engine.place
    is_new = not path.exists()
    try:
        yield
    except BaseException:
        if is_new:
            # A thread that is just opening the file would make it again.
            await engine.finish()
            for end in ("", "-wal", "-shm", ".lock"):
                path.with_name(path.name + end).unlink(missing_ok=True)
        raise


@asynccontextmanager
async def _closing(engine: Engine) -> AsyncIterator[Engine]:
    try:
        yield engine
    finally:
        await engine.close()


@contextmanager
def _named(database: Database) -> Iterator[None]:
    """Say of which database it is that something is wrong with it."""
    try:
        yield
    except StoreUnavailable as error:
        cause = error.log
    except (CannotOpen, SchemaError, StatementFailed) as error:
        # A statement may be long, and have lines.
        cause = shorten(str(error), 300)
    except NotJson as error:
        cause = f"a value in it is {error}"
    except DBAPIError as error:
        # A driver's own words may quote a value.
        cause = f"{type(error.orig).__name__} {getattr(error.orig, 'sqlstate', '')}".strip()
    else:
        return
    raise NotUsable(f"cannot use {database}: {cause}")
