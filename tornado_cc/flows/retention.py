"""Forgetting what is old, in the background."""

import asyncio
import logging
from collections.abc import AsyncIterator, Awaitable, Callable

from tornado_cc.settings import JournalSettings
from tornado_cc.store import Store, StoreUnavailable

_log = logging.getLogger("tornado_cc.flows")

_DAY = 86_400.0
_EVERY = 3600.0
_PAUSE = 0.05
"""Seconds between two bites, for others to write."""


class Retention:
    """Removes old deliveries, requests and receipts: `start`, then `close`."""

    def __init__(self, store: Store, settings: JournalSettings) -> None:
        self._store = store
        self._done = settings.keep_done * _DAY
        self._dead = settings.keep_dead * _DAY
        self._task: asyncio.Task[None] | None = None

    def start(self) -> None:
        """Begin, on the running loop."""
        self._task = asyncio.get_running_loop().create_task(self._live())

    async def close(self) -> None:
        """End it; what is left is old tomorrow too."""
        if self._task is not None:
            self._task.cancel()
            await asyncio.wait({self._task})

    async def prune(self) -> int:
        """Remove all that is old; how many rows. Raises `StoreUnavailable`."""
        store = self._store
        count = 0
        # Deliveries first: a request stays for as long as one of its deliveries does.
        for prune in (
            lambda: store.outbox.prune(self._done, self._dead),
            lambda: store.requests.prune(self._done),
            store.receipts.prune,
        ):
            async for some in _bites(prune):
                count += some
        return count

    async def _live(self) -> None:
        while True:
            try:
                if count := await self.prune():
                    _log.info("old rows removed", extra={"rows": count})
            except StoreUnavailable as error:
                _log.warning("old rows could not be removed", extra={"cause": error.log})
            await asyncio.sleep(_EVERY)


async def _bites(prune: Callable[[], Awaitable[int]]) -> AsyncIterator[int]:
    while some := await prune():
        yield some
        await asyncio.sleep(_PAUSE)
