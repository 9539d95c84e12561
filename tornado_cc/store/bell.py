"""Tells the workers of other processes that something may be due, so that they need not poll.

Nothing depends on it: what is due stands in the database, and each worker looks by itself. A
notification would make the commits of all writers wait for one another, so it is sent after them,
and one stands for as many as come within a moment.
"""

import asyncio
from collections.abc import Callable
from contextlib import suppress
from typing import TYPE_CHECKING

from sqlalchemy import Connection, text

from tornado_cc.store.engine import CannotOpen, StatementFailed
from tornado_cc.store.errors import StoreUnavailable

if TYPE_CHECKING:
    from tornado_cc.store.postgresql import PostgreSQL
    from tornado_cc.store.runs import Runs

_CHANNEL = "tornado_cc_deliveries"
_NOTIFY = text("SELECT pg_notify(:channel, '')")
_MOMENT = 0.1
_RECONNECT = 2.0


class Silent:
    """For a database that only one process uses."""

    def ring(self) -> None:
        """Nobody to tell."""

    def listen(self, wake: Callable[[], None]) -> None:
        """Nobody rings."""

    async def close(self) -> None:
        """Nothing to end."""


class Bell:
    """PostgreSQL's `LISTEN` and `NOTIFY`, over a connection of its own."""

    def __init__(self, engine: "PostgreSQL", runs: "Runs") -> None:
        self._engine = engine
        self._runs = runs
        self._rung = asyncio.Event()
        self._tasks: list[asyncio.Task[None]] = []

    def ring(self) -> None:
        """Tell the others, in a moment."""
        self._rung.set()

    def listen(self, wake: Callable[[], None]) -> None:
        """Have something called whenever anybody rings, and begin to ring, on the running loop."""
        loop = asyncio.get_running_loop()
        self._tasks = [loop.create_task(self._listen(wake)), loop.create_task(self._send())]

    async def close(self) -> None:
        """End both."""
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    async def _send(self) -> None:
        while True:
            await self._rung.wait()
            self._rung.clear()
            with suppress(StoreUnavailable, StatementFailed):
                await self._runs.write(_notify)
            await asyncio.sleep(_MOMENT)

    async def _listen(self, wake: Callable[[], None]) -> None:
        while True:
            with suppress(CannotOpen, *self._engine.errors):
                await self._hear(wake)
            # Until it is back, the worker's own looks have to do.
            await asyncio.sleep(_RECONNECT)

    async def _hear(self, wake: Callable[[], None]) -> None:
        """Listen until the connection ends."""
        connection = await self._engine.connect()
        ended = asyncio.Event()
        try:
            connection.add_termination_listener(lambda _: ended.set())
            await connection.add_listener(_CHANNEL, lambda *_: wake())
            # What was rung while nobody listened.
            wake()
            await ended.wait()
        finally:
            connection.terminate()


def _notify(connection: Connection) -> None:
    connection.execute(_NOTIFY, {"channel": _CHANNEL})
