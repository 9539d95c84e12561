"""PostgreSQL: transactions over asyncpg, several at a time."""

import asyncio
import logging
import os
from typing import Any, TypeVar

import asyncpg
from sqlalchemy import Connection
from sqlalchemy.exc import DBAPIError, SQLAlchemyError
from sqlalchemy.exc import TimeoutError as PoolTimeout
from sqlalchemy.ext.asyncio import AsyncEngine, create_async_engine

from tornado_cc.core.secret import Secret
from tornado_cc.store.engine import (
    CannotOpen,
    StatementFailed,
    Transaction,
    from_json,
    timed,
    to_json,
)
from tornado_cc.store.errors import StoreUnavailable

_log = logging.getLogger("tornado_cc.store")

T = TypeVar("T")

_TRIES = 4
_AGAIN = ("40001", "40P01")
"""Serialisation failures and deadlocks: nothing was done, and the same may work now."""
_OUR_FAULT = ("21", "22", "23", "42")
"""Classes of errors that a statement of ours is to blame for."""


class PostgreSQL:
    """A database server, which several servers of ours may share.

    Attributes:
        errors: what a connection of its own may raise.
    """

    errors = (OSError, asyncpg.PostgresError, asyncpg.InterfaceError)

    def __init__(self, dsn: Secret, place: str, timeout: float, pool: int) -> None:
        self._dsn = dsn
        self.place = place
        self._timeout = timeout
        self._reached = False
        self._running: set[asyncio.Task[Any]] = set()
        self._engine: AsyncEngine = create_async_engine(
            "postgresql+asyncpg://",
            async_creator=self._connect,
            pool_size=pool,
            max_overflow=0,
            pool_timeout=timeout,
            hide_parameters=True,
            json_serializer=to_json,
            json_deserializer=from_json,
        )
        self._snapshots = self._engine.execution_options(
            isolation_level="REPEATABLE READ", postgresql_readonly=True
        )

    async def connect(self) -> Any:
        """A connection of its own, outside the pool; asyncpg's.

        Raises:
            CannotOpen, or one of `errors`.
        """
        return await self._connect()

    async def open(self) -> None:
        """Nothing: connections are made when they are needed."""

    async def close(self) -> None:
        """Finish what was asked for, as long as it may take, and close the connections."""
        if self._running:
            await asyncio.wait(self._running, timeout=self._timeout)
        lost = list(self._running)
        for task in lost:
            task.cancel()
        await asyncio.gather(*lost, return_exceptions=True)
        try:
            async with asyncio.timeout(self._timeout):
                await self._engine.dispose()
        except (TimeoutError, OSError, SQLAlchemyError):
            _log.warning("a connection to the database could not be closed")

    async def read(self, function: Transaction[T], seconds: float) -> T:
        """What a function reads."""
        value: T = await self._within(
            seconds, _Attempt(self._snapshots, timed(function, seconds), writes=False)
        )
        return value

    async def write(self, function: Transaction[T], seconds: float) -> T:
        """What a function returned, once PostgreSQL has committed it."""
        value: T = await self._within(seconds, _Attempt(self._engine, function, writes=True))
        return value

    async def _within(self, seconds: float, attempt: "_Attempt") -> Any:
        """Nobody waits past the deadline for a connection to be given up: that takes seconds."""
        task = asyncio.create_task(self._tried(attempt))
        self._running.add(task)
        task.add_done_callback(self._over)
        try:
            await asyncio.wait({task}, timeout=seconds)
        finally:
            task.cancel()
        if not task.done():
            raise attempt.unavailable("the database took too long")
        return task.result()

    def _over(self, task: asyncio.Task[Any]) -> None:
        self._running.discard(task)
        if not task.cancelled():
            # Whoever waited may be gone.
            task.exception()

    async def _connect(self) -> Any:
        try:
            connection = await asyncpg.connect(
                self._dsn.reveal(),
                timeout=self._timeout,
                server_settings={"application_name": "tornado_cc"},
            )
        except (asyncpg.ClientConfigurationError, ValueError) as error:
            raise CannotOpen(f"the database URL cannot be used: {type(error).__name__}") from None
        except asyncpg.InvalidAuthorizationSpecificationError as error:
            raise CannotOpen(
                f"{self.place} does not know this user name and password ({error.sqlstate})"
            ) from None
        except asyncpg.InvalidCatalogNameError:
            raise CannotOpen(f"{self.place} does not exist; create the database first") from None
        self._reached = True
        return connection

    async def _tried(self, attempt: "_Attempt") -> Any:
        for tries_left in reversed(range(_TRIES)):
            try:
                return await attempt.run()
            except DBAPIError as error:
                state = _state(error)
                if error.connection_invalidated and not attempt.commits and tries_left:
                    # It died since its last use, so nothing was done. The next one is new.
                    continue
                if state.startswith(_OUR_FAULT):
                    raise StatementFailed(_cause(error), error.statement) from None
                if state not in _AGAIN or not tries_left:
                    raise attempt.unavailable(_cause(error)) from None
            except PoolTimeout:
                raise attempt.unavailable("every connection to the database is taken") from None
            except (OSError, asyncpg.PostgresError, asyncpg.InterfaceError) as error:
                # Raised while connecting, where SQLAlchemy wraps nothing.
                raise attempt.unavailable(_cause(error)) from None
            except CannotOpen as error:
                if not self._reached:
                    raise
                # What the URL names is gone, and may be back.
                raise attempt.unavailable(str(error)) from None
        raise AssertionError("unreachable")


class _Attempt:
    """A function on its way to the database, and whether what it did may be there.

    Attributes:
        commits: whether the function has returned, so that only the commit is left.
    """

    def __init__(self, engine: AsyncEngine, function: Transaction[Any], *, writes: bool) -> None:
        self._engine = engine
        self._function = function
        self._writes = writes
        self.commits = False

    async def run(self) -> Any:
        """Run it in a transaction of its own."""
        async with self._engine.begin() as connection:
            return await connection.run_sync(self._run)

    def unavailable(self, cause: str) -> StoreUnavailable:
        """Why there is no answer."""
        return StoreUnavailable(log=cause, maybe_done=self._writes and self.commits)

    def _run(self, connection: Connection) -> Any:
        self.commits = False
        value = self._function(connection)
        self.commits = True
        return value


def _state(error: DBAPIError) -> str:
    return str(getattr(error.orig, "sqlstate", None) or "")


def _cause(error: BaseException) -> str:
    """What happened, in words that quote neither a value nor a credential."""
    inner = error.orig if isinstance(error, DBAPIError) else error
    if isinstance(inner, TimeoutError):
        return "the database took too long"
    if isinstance(inner, ConnectionError) and inner.errno:
        return os.strerror(inner.errno)
    if isinstance(inner, OSError):
        return inner.strerror or type(inner).__name__
    sqlstate = getattr(inner, "sqlstate", None)
    name = type(getattr(inner, "__cause__", None) or inner).__name__
    return f"{name} ({sqlstate})" if sqlstate else name
