"""The one thread that writes to a SQLite file, many changes to a commit.

A commit waits for the disk, and takes as long for one change as for fifty. So the writer takes
whatever has gathered meanwhile into one transaction, each function in a savepoint of its own, and
answers all of them when it is on the disk.
"""

import contextlib
import logging
import sqlite3
import threading
from collections.abc import Sequence
from queue import SimpleQueue

from sqlalchemy import Connection
from sqlalchemy.engine import Engine, RootTransaction
from sqlalchemy.exc import DBAPIError

from tornado_cc.store.engine import StatementFailed
from tornado_cc.store.errors import StoreUnavailable
from tornado_cc.store.job import Job, Outcome, deliver

_log = logging.getLogger("tornado_cc.store")

_BATCH = 128
"""The most changes to a commit: the first of them waits for the last."""

Done = list[tuple[Job, Outcome]]


class Writer:
    """A thread and its connection. `start`, then `submit` as often as needed, then `finish`."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        self._connection: Connection | None = None
        self._jobs: SimpleQueue[Job | None] = SimpleQueue()
        # A daemon: a process that ends without closing its store is not held up by it.
        self._thread = threading.Thread(
            target=self._live, name="tornado_cc-store-writer", daemon=True
        )

    def start(self) -> None:
        """Start the thread."""
        self._thread.start()

    def submit(self, job: Job) -> None:
        """Have a function run, and its caller told when it is on the disk."""
        self._jobs.put(job)

    def finish(self) -> None:
        """Wait until everything submitted is written, and end the thread; again does no harm."""
        if self._thread.is_alive():
            self._jobs.put(None)
            self._thread.join()

    def _live(self) -> None:
        ended = False
        while not ended:
            batch, ended = self._gathered()
            try:
                done = self._made(batch)
            except BaseException as error:  # noqa: BLE001 - without the thread nothing is written
                _log.exception("a batch of changes failed")
                self._drop()
                why = type(error).__name__
                done = [(job, (False, StoreUnavailable(log=why, maybe_done=True))) for job in batch]
            deliver(done)
            # What was written is not kept while nothing else is to do.
            del batch, done
        self._drop()

    def _gathered(self) -> tuple[list[Job], bool]:
        """Everything that waits to be written, and whether nothing will come after it."""
        batch: list[Job] = []
        job = self._jobs.get()
        while job is not None:
            batch.append(job)
            if len(batch) == _BATCH or self._jobs.empty():
                return batch, False
            job = self._jobs.get()
        return batch, True

    def _made(self, batch: Sequence[Job]) -> Done:
        """Run a batch in one transaction; if that fails as a whole, each of it in one of its own.

        Whoever left while another process held the file is found out once it is ours.
        """
        if all(job.abandoned for job in batch):
            return []
        try:
            transaction = self._begin()
        except DBAPIError as error:
            self._drop()
            return [(job, (False, failure(error))) for job in batch]
        jobs = [job for job in batch if job.claim()]
        if len(jobs) == 1:
            return [(jobs[0], self._alone(transaction, jobs[0]))]
        try:
            with transaction:
                done = [(job, _in_savepoint(transaction.connection, job)) for job in jobs]
                _check(transaction.connection)
            return done
        except Exception as error:  # noqa: BLE001 - whatever it was, it was one of them
            _log.warning("a batch of changes is made one by one", extra={"cause": _cause(error)})
        self._drop()
        return self._one_by_one(jobs)

    def _one_by_one(self, jobs: Sequence[Job]) -> Done:
        done: Done = []
        for job in jobs:
            try:
                transaction = self._begin()
            except DBAPIError as error:
                # Another process holds the file: each of the others would wait as long again.
                self._drop()
                rest = jobs[len(done) :]
                return [*done, *((one, (False, failure(error))) for one in rest)]
            done.append((job, self._alone(transaction, job)))
        return done

    def _alone(self, transaction: RootTransaction, job: Job) -> Outcome:
        commits = False
        try:
            with transaction:
                value = job.function(transaction.connection)
                _check(transaction.connection)
                commits = True
        except (DBAPIError, _GivenUp) as error:
            self._drop()
            # A commit that failed may be found on the disk after a crash all the same.
            return False, failure(error, maybe_done=commits)
        except BaseException as error:  # noqa: BLE001 - the writer outlives what a function does
            return False, error
        return True, value

    def _begin(self) -> RootTransaction:
        if self._connection is None or self._connection.closed:
            self._connection = self._engine.connect()
        return self._connection.begin()

    def _drop(self) -> None:
        """Have a new connection next time: this one may be in a state that only a new one is not.

        SQLite takes back what it has not committed.
        """
        connection, self._connection = self._connection, None
        if connection is not None:
            with contextlib.suppress(Exception):
                connection.invalidate()
            with contextlib.suppress(Exception):
                connection.close()


class _GivenUp(Exception):
    """SQLite gave up the transaction, with everything in it."""


def driver(connection: Connection) -> sqlite3.Connection:
    """The connection that is asked in the end."""
    found = connection.connection.driver_connection
    assert isinstance(found, sqlite3.Connection)
    return found


def failure(error: Exception, *, maybe_done: bool = False) -> Exception:
    """What a failure of the database is for a caller: mistakes of ours are no bad luck."""
    cause = _cause(error)
    inner = error.orig if isinstance(error, DBAPIError) else None
    if isinstance(inner, sqlite3.IntegrityError | sqlite3.ProgrammingError) or "no such" in cause:
        statement = error.statement if isinstance(error, DBAPIError) else None
        return StatementFailed(cause, statement)
    return StoreUnavailable(log=cause, maybe_done=maybe_done)


def _in_savepoint(connection: Connection, job: Job) -> Outcome:
    try:
        with connection.begin_nested():
            return True, job.function(connection)
    except BaseException as error:
        _check(connection)
        inner = error.orig if isinstance(error, DBAPIError) else None
        if isinstance(inner, sqlite3.IntegrityError):
            return False, failure(error)  # type: ignore[arg-type]
        if isinstance(error, DBAPIError):
            raise
        return False, error


def _check(connection: Connection) -> None:
    """Raise if what was written is gone, as after an error that a function kept to itself."""
    if not driver(connection).in_transaction:
        raise _GivenUp("the transaction was given up")


def _cause(error: Exception) -> str:
    """The database's own words, which quote no value; of anything else only what it is."""
    if isinstance(error, DBAPIError):
        return str(error.orig)
    return str(error) if isinstance(error, _GivenUp) else type(error).__name__
