"""How much the queue holds: asked of the database seldom, however many scrape."""

import asyncio
import logging
from typing import Protocol

from tornado_cc.core import clock
from tornado_cc.store import StoreUnavailable
from tornado_cc.store.deliveries import Depth

_log = logging.getLogger("tornado_cc.server")

ASK_EVERY = 5.0
"""Seconds for which one look at the queue has to do."""

_PATIENCE = 2.0
"""Seconds a scrape waits for the database: Prometheus itself gives up after ten."""


class Queue(Protocol):
    """What can say how much it holds."""

    async def depth(self) -> Depth:
        """How much there is to do now.

        Raises:
            StoreUnavailable: the database does not answer.
        """
        ...


class QueueGauge:
    """Looks at a queue for whoever scrapes: one look at a time."""

    def __init__(self, queue: Queue) -> None:
        self._queue = queue
        self._looked = 0.0
        self._look: asyncio.Task[Depth | None] | None = None

    async def read(self) -> Depth | None:
        """What it holds, at most `ASK_EVERY` old; None when the database does not say so in time.

        A look that is too late for one scrape is there for the next.
        """
        look = self._current()
        await asyncio.wait({look}, timeout=_PATIENCE)
        return look.result() if look.done() and not look.cancelled() else None

    async def stop(self) -> None:
        """Give up a look that has not ended."""
        if self._look is not None:
            self._look.cancel()
            await asyncio.wait({self._look})

    def _current(self) -> asyncio.Task[Depth | None]:
        now = clock.monotonic()
        look = self._look
        if look is None or (look.done() and now - self._looked >= ASK_EVERY):
            self._looked = now
            look = self._look = asyncio.create_task(self._ask())
        return look

    async def _ask(self) -> Depth | None:
        try:
            return await self._queue.depth()
        except StoreUnavailable:
            return None
        except Exception:  # noqa: BLE001 - the other figures are worth having without these
            _log.exception("the queue could not be measured")
            return None
