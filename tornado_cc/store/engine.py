"""Transactions on either engine: plain functions over a SQLAlchemy connection.

A function given to `write` runs in a savepoint or a transaction of its own, commits nothing itself
and may run twice, so it does nothing but talk to its connection. What it returns is handed on once
it is committed, and on the disk.
"""

import asyncio
import math
from collections.abc import Callable
from typing import Protocol, TypeVar

from sqlalchemy import Connection
from sqlalchemy.util import await_only

from tornado_cc.core import clock, json_value
from tornado_cc.store.errors import StoreUnavailable

T = TypeVar("T")
Transaction = Callable[[Connection], T]


class Engine(Protocol):
    """A database that runs transactions."""

    async def open(self) -> None:
        """Make what has to run. Does not need the database to answer.

        Raises:
            CannotOpen: it never will.
        """
        ...

    async def close(self) -> None:
        """Finish what was asked for and let go of the database."""
        ...

    async def read(self, function: Transaction[T], seconds: float) -> T:
        """What a function reads, all of it as of one moment.

        Raises:
            StoreUnavailable: the database cannot be reached, or took longer.
            StatementFailed: it refused a statement.
        """
        ...

    async def write(self, function: Transaction[T], seconds: float) -> T:
        """What a function returned, once what it wrote is durable.

        Raises:
            StoreUnavailable: the database cannot be reached, or took longer; its `maybe_done` says
                whether the change may have been made all the same.
            StatementFailed: it refused a statement; nothing was changed.
        """
        ...


class StatementFailed(Exception):
    """The database refused a statement, a mistake of this code; quotes none of its values."""

    def __init__(self, cause: str, statement: str | None) -> None:
        super().__init__(f"{cause}: {statement}" if statement else cause)


class CannotOpen(Exception):
    """The database cannot be used by this process; the message says why and what to do."""


_UNTIL = "tornado_cc_until"
"""Where a connection's `info` says how long its function may take, by the process's clock."""


def timed(function: Transaction[T], seconds: float) -> Transaction[T]:
    """A function for which `check_time` knows its deadline, so many seconds from now."""
    until = clock.monotonic() + seconds

    def run(connection: Connection) -> T:
        connection.info[_UNTIL] = until
        return function(connection)

    return run


def check_time(connection: Connection) -> None:
    """For a function that computes for long: end it when nobody waits for it any more.

    Raises:
        StoreUnavailable: its time is up.
    """
    if clock.monotonic() > connection.info.get(_UNTIL, math.inf):
        raise StoreUnavailable(log="the query took too long")


def computed(connection: Connection, compute: Callable[[], T]) -> T:
    """What a function computes, without holding up the event loop where the engine runs on it."""
    if connection.dialect.is_async:
        return await_only(asyncio.to_thread(compute))
    return compute()


def to_json(value: object) -> str:
    """JSON for a column; what is given was checked before."""
    return json_value.dump(value).decode()


def from_json(text: str) -> object:
    """The value of a JSON column."""
    return json_value.parse(text.encode())
