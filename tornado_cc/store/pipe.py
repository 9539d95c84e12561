"""Rows on their way from one database to another, each on a thread of its own."""

import threading
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from queue import Empty, Full, Queue
from typing import Any

from sqlalchemy import Table

_ON_THEIR_WAY = 2
"""The most batches that nobody has fetched yet."""
_TICK = 0.1
"""Seconds between two looks whether the other side is still there."""


@dataclass(frozen=True, slots=True)
class Batch:
    """Some rows of a table, which has so many in all."""

    table: Table
    total: int
    rows: list[dict[str, Any]]


class Closed(Exception):
    """The other side has gone."""


class Pipe:
    """Batches on their way from the thread that reads to the one that writes; None ends them."""

    def __init__(self) -> None:
        self._queue: Queue[Batch | Exception | None] = Queue(_ON_THEIR_WAY)
        self._closed = threading.Event()

    def put(self, item: Batch | Exception | None) -> None:
        """Hand over a batch, the end, or why there is none."""
        while not self._closed.is_set():
            with suppress(Full):
                self._queue.put(item, timeout=_TICK)
                return
        raise Closed

    def batches(self) -> Iterator[Batch]:
        """What is handed over, until its end; raises why it did not come to one."""
        while not self._closed.is_set():
            try:
                item = self._queue.get(timeout=_TICK)
            except Empty:
                continue
            if item is None:
                return
            if isinstance(item, Exception):
                raise item
            yield item
        raise Closed

    def close(self) -> None:
        """Nobody reads any more: whoever hands over, or waits, ends."""
        self._closed.set()
