"""Work for a thread of the store on its way there, and its outcome on the way back."""

import asyncio
import threading
from collections.abc import Sequence
from typing import Any

from tornado_cc.store.engine import Transaction
from tornado_cc.store.errors import StoreUnavailable

Outcome = tuple[bool, Any]
"""(True, value) or (False, exception)."""

_claims = threading.Lock()


class Job:
    """One function for a thread; made on the loop that waits for it.

    Args:
        function: what to run.
        writes: whether it changes anything.
    """

    def __init__(self, function: Transaction[Any], *, writes: bool) -> None:
        self.function = function
        self.loop = asyncio.get_running_loop()
        self.abandoned = False
        self._writes = writes
        self._claimed = False
        self._done: asyncio.Future[Outcome] = self.loop.create_future()

    async def result(self, seconds: float) -> Any:
        """What the function returned or raised.

        Raises:
            StoreUnavailable: it took longer. What was not begun by then is not done.
        """
        begun = False
        try:
            await asyncio.wait({self._done}, timeout=seconds)
        finally:
            if not self._done.done():
                begun = self._abandon()
        if not self._done.done():
            raise StoreUnavailable(
                log="the database took too long" if begun else "waited too long for the database",
                maybe_done=begun and self._writes,
            )
        ok, value = self._done.result()
        if ok:
            return value
        raise value

    def claim(self) -> bool:
        """For the thread: begin it, unless nobody waits for it any more."""
        with _claims:
            self._claimed = not self.abandoned
            return self._claimed

    def resolve(self, outcome: Outcome) -> None:
        """On the loop: hand over how it went."""
        if not self._done.done():
            self._done.set_result(outcome)

    def _abandon(self) -> bool:
        """Nobody waits any more; whether it has begun."""
        with _claims:
            self.abandoned = True
            return self._claimed


def deliver(done: Sequence[tuple[Job, Outcome]]) -> None:
    """From a thread: wake each loop once for all of its jobs."""
    by_loop: dict[asyncio.AbstractEventLoop, list[tuple[Job, Outcome]]] = {}
    for job, outcome in done:
        by_loop.setdefault(job.loop, []).append((job, outcome))
    for loop, its in by_loop.items():
        try:
            loop.call_soon_threadsafe(_resolve, its)
        except RuntimeError:
            # The loop has closed: whoever waited is gone.
            continue


def _resolve(done: Sequence[tuple[Job, Outcome]]) -> None:
    for job, outcome in done:
        job.resolve(outcome)
