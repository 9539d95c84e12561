"""After-hooks: the caller is answered first, then each implementation runs on its own.

They live in this process's memory: what a crash interrupts is lost. The log says what failed.
"""

import asyncio
import logging
from collections.abc import Sequence

from tornado_cc.core import clock
from tornado_cc.core.call import TriggerCall
from tornado_cc.core.outcome import SILENCE, Outcome, Reply
from tornado_cc.flows.copies import copy_for
from tornado_cc.flows.players import load
from tornado_cc.hooks import Fires, Implementation, Registry
from tornado_cc.store import Players

_log = logging.getLogger("tornado_cc.flows")


class Afterwards:
    """Runs after-hooks in the background, and can be waited for."""

    def __init__(self, registry: Registry, runner: Fires, players: Players) -> None:
        self._registry = registry
        self._players = players
        self._runner = runner
        self._running: set[asyncio.Task[None]] = set()

    def add(self, call: TriggerCall) -> Outcome:
        """Take a call whose caller gets its answer now. Silence when no plugin wants it."""
        asked = self._registry.who(call.hook, call.claim)
        if not asked:
            return SILENCE
        task = asyncio.create_task(self._run_all(call, asked))
        self._running.add(task)
        task.add_done_callback(self._running.discard)
        return Reply()

    @property
    def running(self) -> frozenset[asyncio.Task[None]]:
        """The calls whose hooks have not all run."""
        return frozenset(self._running)

    async def finish(self, seconds: float) -> None:
        """Wait for what runs and for what it leads to; give up what has not ended by then."""
        until = clock.monotonic() + seconds
        while self._running and (left := until - clock.monotonic()) > 0:
            await asyncio.wait(self.running, timeout=left)
        lost = self.running
        for task in lost:
            task.cancel()
        await asyncio.gather(*lost, return_exceptions=True)
        if lost:
            _log.error("after-hooks lost at the stop", extra={"calls": len(lost)})

    async def _run_all(self, call: TriggerCall, asked: Sequence[Implementation]) -> None:
        await load(call, self._players)
        for one in asked:
            fired = await self._runner.run(one, copy_for(one, call))
            if fired.refusal is not None:
                _log.error(
                    "after-hook did not run to its end and is not retried",
                    extra={
                        "hook": one.hook,
                        "plugin": one.plugin,
                        "refusal": fired.refusal.message,
                    },
                )
