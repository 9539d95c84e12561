"""A store: one database and everything kept in it."""

import asyncio
import contextlib
import logging
from collections.abc import Callable

from sqlalchemy import Connection, text

from tornado_cc.settings import Database, StoreSettings
from tornado_cc.store import schema
from tornado_cc.store.bell import Bell, Silent
from tornado_cc.store.changes import Changes
from tornado_cc.store.config import Config
from tornado_cc.store.deliveries import Deliveries
from tornado_cc.store.engine import CannotOpen, Engine, StatementFailed
from tornado_cc.store.errors import StoreUnavailable
from tornado_cc.store.objects import Objects
from tornado_cc.store.outbox import Outbox
from tornado_cc.store.passwords import Passwords
from tornado_cc.store.players import Players
from tornado_cc.store.receipts import Receipts
from tornado_cc.store.requests import Requests
from tornado_cc.store.runs import Runs
from tornado_cc.store.schedules import Schedules
from tornado_cc.store.schema import SchemaError
from tornado_cc.store.sqlite import SQLite
from tornado_cc.store.tables import insert, versions
from tornado_cc.store.undone import Change, Undone
from tornado_cc.store.users import Users

_log = logging.getLogger("tornado_cc.store")

_MIGRATION_SECONDS = 3600.0
_LOOK_EVERY = 2.0
"""Seconds between two looks whether the database answers."""
_LOOK_AGAIN = 0.5
"""Seconds between two looks while it does not."""


class Store:
    """Everything that is kept. `open`, then `close`."""

    def __init__(self, settings: StoreSettings) -> None:
        self.place = settings.url.place
        self.engine = _engine(settings.url, settings)
        self._runs = Runs(self.engine, settings.timeout)
        # One that failed may only have been slow: a look at the database tells.
        self._suspected = asyncio.Event()
        self._runs.on_failure = self._suspected.set
        self._passwords = Passwords()
        self.users = Users(self._runs, self._passwords)
        self.players = Players(self._runs)
        self.config = Config(self._runs)
        self.objects = Objects(self._runs)
        self.bell = _bell(self.engine, self._runs)
        self.requests = Requests(self._runs)
        self.receipts = Receipts(self._runs)
        self.outbox = Outbox(self._runs)
        self.deliveries = Deliveries(self._runs)
        self.changes = Changes(self._runs)
        self.schedules = Schedules(self._runs)
        self.problem: str | None = "not opened yet"
        self._told: set[str] = set()
        self._watch: asyncio.Task[None] | None = None

    async def open(self) -> None:
        """Open it for a server: alone with a SQLite file, its tables made or brought up to date.

        A PostgreSQL that does not answer is waited for in the background: `problem` says so.

        Raises:
            CannotOpen: another server has the file, or it cannot be used.
            SchemaError: the tables are not those of this code.
        """
        if isinstance(self.engine, SQLite):
            self.engine.lock()
        await self.engine.open()
        try:
            await self._prepare()
            if isinstance(self.engine, SQLite):
                # Whoever held a lease had the file before us, and is gone.
                await self.receipts.release_all()
                await self.outbox.release()
            self.problem = None
            _log.info("store opened", extra={"store": self.place})
        except StoreUnavailable as error:
            if isinstance(self.engine, SQLite):
                raise CannotOpen(f"cannot use {self.engine.place}: {error.log}") from None
            self._note(error.log)
        except StatementFailed as error:
            raise CannotOpen(f"cannot use {self.place}: {error}") from None
        self._watch = asyncio.create_task(self._look_after())

    async def open_for_command(self) -> None:
        """Open it beside a server that may be running.

        Raises:
            CannotOpen, SchemaError, StoreUnavailable: it cannot be used now.
        """
        await self.engine.open()
        if isinstance(self.engine, SQLite):
            await self.engine.lock_while(self._is_old)
        await self._prepare()
        self.problem = None

    def undo_writes(self, notice: Callable[[Change], None]) -> None:
        """From now on until it is closed keep nothing that is written, and tell of it."""
        self._runs.engine = Undone(self.engine, notice)

    async def migrate(self) -> bool:
        """Bring the tables up to date; whether anything was to be done. Raises `SchemaError`."""
        return await self.engine.write(schema.migrate, _MIGRATION_SECONDS)

    async def close(self) -> None:
        """Finish what was asked for and let go of the database."""
        if self._watch is not None:
            self._watch.cancel()
            await asyncio.wait({self._watch})
        await self.engine.close()
        self._passwords.close()

    async def _is_old(self) -> bool:
        found = await self._runs.read(schema.state)
        return found is schema.Schema.OLD

    async def _prepare(self) -> None:
        """Make the tables of a SQLite database; those of a PostgreSQL are made by a command."""
        if isinstance(self.engine, SQLite):
            await self.migrate()
        else:
            await self._runs.read(schema.check)

    async def _look_after(self) -> None:
        """Notice that the database is gone, and that it is back."""
        while True:
            if self.problem is not None:
                await asyncio.sleep(_LOOK_AGAIN)
            else:
                with contextlib.suppress(TimeoutError):
                    async with asyncio.timeout(_LOOK_EVERY):
                        await self._suspected.wait()
            suspected = self._suspected.is_set()
            self._suspected.clear()
            self._note(await self._look(suspected=suspected))

    async def _look(self, *, suspected: bool) -> str | None:
        """What is wrong with the database at the moment.

        Where something failed, it has to take a write: a full disk and a standby can be read.
        """
        try:
            if self.problem is not None:
                await self._prepare()
            if suspected or self.problem is not None:
                await self._runs.write(_touch)
            else:
                await self._runs.read(_ping)
        except StoreUnavailable as error:
            return error.log
        except (CannotOpen, SchemaError) as error:
            return str(error)
        except Exception as error:  # noqa: BLE001 - nobody else would notice that it is back
            _log.exception("the database could not be looked at")
            return type(error).__name__
        return None

    def _note(self, problem: str | None) -> None:
        """Keep what is wrong, and log it once for as long as it lasts."""
        if problem is None and self.problem is not None:
            self._told.clear()
            _log.info("database is back", extra={"store": self.place})
        if problem is not None and problem not in self._told:
            self._told.add(problem)
            _log.error("database is not available", extra={"cause": problem})
        self.problem = problem


def _engine(database: Database, settings: StoreSettings) -> Engine:
    if database.path is not None:
        return SQLite(database.path, settings.timeout)
    # Its driver takes a tenth of a second to import, which those with SQLite need not wait for.
    from tornado_cc.store.postgresql import PostgreSQL

    return PostgreSQL(database.dsn, database.place, settings.timeout, settings.pool)


def _bell(engine: Engine, runs: Runs) -> Bell | Silent:
    if isinstance(engine, SQLite):
        return Silent()
    from tornado_cc.store.postgresql import PostgreSQL

    assert isinstance(engine, PostgreSQL)
    return Bell(engine, runs)


def _touch(connection: Connection) -> None:
    """Write a row of no other use."""
    row = insert(connection, versions).values(name="looked", number=1)
    change = {"number": versions.c.number + 1}
    connection.execute(row.on_conflict_do_update(index_elements=["name"], set_=change))


def _ping(connection: Connection) -> None:
    # It has to open the file, and notices when the tables are gone.
    connection.execute(text("SELECT 1 FROM versions LIMIT 1"))
