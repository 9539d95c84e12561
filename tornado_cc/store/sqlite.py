"""SQLite: one thread writes for everybody, a few threads read beside it."""

import asyncio
import contextlib
import fcntl
import os
import sqlite3
from collections.abc import Awaitable, Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import IO, Any, TypeVar

from sqlalchemy import Connection, create_engine, event
from sqlalchemy.engine import Engine as SyncEngine
from sqlalchemy.exc import DBAPIError, OperationalError
from sqlalchemy.pool import QueuePool

from tornado_cc.core import clock
from tornado_cc.store.engine import CannotOpen, Transaction, timed
from tornado_cc.store.errors import StoreUnavailable
from tornado_cc.store.job import Job, Outcome, deliver
from tornado_cc.store.writer import Writer, driver, failure

T = TypeVar("T")

READERS = 4
_MAKING_SECONDS = 3.0
"""How long another process may take to make the tables of a new file."""
_LOOK_AGAIN = 0.05
_CHECK_EVERY = 10_000
"""SQLite's instructions between two looks whether to go on, about a millisecond."""


class InUse(CannotOpen):
    """Another server has the file."""


class SQLite:
    """A database in one file, for one server."""

    def __init__(self, path: Path, timeout: float) -> None:
        self._path = path
        self._busy = timeout
        self._is_open = False
        self._opened: tuple[int, int] | None = None
        self._lock_file: IO[bytes] | None = None
        self._writer = Writer(self._engine("BEGIN IMMEDIATE", "synchronous=FULL"))
        self._readers = ThreadPoolExecutor(READERS, thread_name_prefix="tornado_cc-store-reader")
        self._read_engine = self._engine("BEGIN", "query_only=ON")

    @property
    def place(self) -> Path:
        """The file, whole, for people."""
        return self._path.absolute()

    def lock(self) -> None:
        """Keep every other server away for as long as this process lives.

        Raises:
            InUse: another one has it.
            CannotOpen: nothing can be written beside the file.
        """
        self._make_folder()
        name = self._path.with_name(f"{self._path.name}.lock")
        try:
            file = name.open("ab")
        except OSError as error:
            raise CannotOpen(f"cannot open {name}: {error.strerror}") from None
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            file.close()
            raise InUse(
                f"another server uses {self.place}; SQLite is for one server, several share a"
                " PostgreSQL"
            ) from None
        self._lock_file = file

    async def lock_while(self, is_old: Callable[[], Awaitable[bool]]) -> None:
        """`lock`, while the tables are old: they are changed under no server's feet.

        Another process may be making them; then it is waited for, and needs no lock of ours.

        Raises:
            InUse: another one has the lock and does not make them.
            CannotOpen: nothing can be written beside the file.
        """
        until = clock.monotonic() + _MAKING_SECONDS
        while await is_old():
            try:
                return self.lock()
            except InUse:
                if clock.monotonic() > until:
                    raise
            await asyncio.sleep(_LOOK_AGAIN)

    async def open(self) -> None:
        """Make the folder and the file, and start the writer."""
        self._make_folder()
        try:
            # For its owner only: it holds hashes of passwords. SQLite makes its other files alike.
            os.close(os.open(self._path, os.O_CREAT | os.O_RDWR, 0o600))
            self._opened = self._found()
            with contextlib.closing(sqlite3.connect(self._path, timeout=self._busy)) as connection:
                connection.execute("PRAGMA journal_mode=WAL")
        except OSError as error:
            raise CannotOpen(f"cannot open {self.place}: {error.strerror}") from None
        except sqlite3.Error as error:
            raise CannotOpen(f"cannot open {self.place}: {error}") from None
        self._writer.start()
        self._is_open = True

    async def close(self) -> None:
        """Finish what was asked for, then let go of the file."""
        await self.finish()
        if self._lock_file is not None:
            self._lock_file.close()

    async def finish(self) -> None:
        """Finish what was asked for, and use the file no more, but keep the lock."""
        self._is_open = False
        await asyncio.to_thread(self._writer.finish)
        await asyncio.to_thread(self._readers.shutdown)
        self._read_engine.dispose()

    async def read(self, function: Transaction[T], seconds: float) -> T:
        """What a function reads; SQLite itself stops one that takes too long."""
        job = Job(timed(function, seconds), writes=False)
        self._check_open()
        self._readers.submit(self._read, job)
        value: T = await job.result(seconds)
        return value

    async def write(self, function: Transaction[T], seconds: float) -> T:
        """What a function returned, once it is on the disk.

        At the deadline the caller goes, but the writer is not interrupted: it has others' changes
        in hand.
        """
        job = Job(function, writes=True)
        self._check_open()
        self._writer.submit(job)
        value: T = await job.result(seconds)
        return value

    def _found(self) -> tuple[int, int]:
        found = self._path.stat()
        return found.st_dev, found.st_ino

    def _check_file(self) -> None:
        """Raise unless the file is the one that was opened.

        SQLite would go on writing into one that was deleted, which nobody finds again.
        """
        with contextlib.suppress(OSError):
            if self._found() == self._opened:
                return
        # Without its folder: the health page says this to anybody.
        gone = sqlite3.OperationalError(
            f"{self._path.name} was deleted or replaced while in use; start the server again"
        )
        raise OperationalError(None, None, gone)

    def _connect(self) -> sqlite3.Connection:
        self._check_file()
        return sqlite3.connect(
            self._path, timeout=self._busy, isolation_level=None, check_same_thread=False
        )

    def _check_open(self) -> None:
        if not self._is_open:
            raise StoreUnavailable(log="the store is closed")

    def _make_folder(self) -> None:
        try:
            self._path.parent.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise CannotOpen(f"cannot make {self._path.parent}: {error.strerror}") from None

    def _engine(self, begin: str, pragma: str) -> SyncEngine:
        # Without an isolation level the driver begins nothing by itself.
        engine = create_engine(
            "sqlite://",
            creator=self._connect,
            poolclass=QueuePool,
            pool_size=READERS,
            # Every transaction here has an end of its own.
            pool_reset_on_return=None,
            hide_parameters=True,
        )

        @event.listens_for(engine, "connect")
        def prepare(connection: Any, _: Any) -> None:
            for one in (pragma, "foreign_keys=ON"):
                connection.execute(f"PRAGMA {one}")

        @event.listens_for(engine, "begin")
        def start(connection: Connection) -> None:
            self._check_file()
            connection.exec_driver_sql(begin)

        return engine

    def _read(self, job: Job) -> None:
        """On a reader's thread."""
        if job.claim():
            deliver([(job, self._outcome(job))])

    def _outcome(self, job: Job) -> Outcome:
        try:
            with self._read_engine.connect() as connection:
                return True, _read(connection, job)
        except DBAPIError as error:
            return False, failure(error)
        except BaseException as error:  # noqa: BLE001 - it is the caller's
            return False, error


def _read(connection: Connection, job: Job) -> Any:
    asked = driver(connection)
    asked.set_progress_handler(lambda: job.abandoned, _CHECK_EVERY)
    try:
        with connection.begin():
            value = job.function(connection)
        asked.set_progress_handler(None, 0)
    except DBAPIError:
        # It may be in a state that only a new one is not.
        connection.invalidate()
        raise
    return value
