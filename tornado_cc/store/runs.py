"""Reads and writes with the store's deadline, and what is known of the database meanwhile."""

from collections.abc import Callable
from typing import TypeVar

from tornado_cc.store.engine import Engine, Transaction
from tornado_cc.store.errors import StoreUnavailable

T = TypeVar("T")


class Runs:
    """An engine, asked with a deadline.

    Attributes:
        engine: who is asked.
        on_failure: called when the database was not there.
    """

    def __init__(self, engine: Engine, seconds: float) -> None:
        self.engine = engine
        self._seconds = seconds
        self.on_failure: Callable[[], None] = lambda: None

    async def read(self, function: Transaction[T]) -> T:
        """What a function reads. Raises `StoreUnavailable`."""
        try:
            return await self.engine.read(function, self._seconds)
        except StoreUnavailable:
            self.on_failure()
            raise

    async def write(self, function: Transaction[T]) -> T:
        """What a function returned, once what it wrote is durable. Raises `StoreUnavailable`."""
        try:
            return await self.engine.write(function, self._seconds)
        except StoreUnavailable:
            self.on_failure()
            raise
