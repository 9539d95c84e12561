"""Whether our webhooks are still registered: looked at in the background, and repaired if asked."""

import asyncio
import logging

from tornado_cc.flows.registration import Done, Plan, Registration
from tornado_cc.outbound import OutboundError
from tornado_cc.settings import ParseServerSettings
from tornado_cc.store import Store, StoreUnavailable

_log = logging.getLogger("tornado_cc.flows")

TURN = ":parse_hooks"
"""Under this name the workers take turns: two that register at once would lose some."""

REGISTERED = "registered"
_UNKNOWN = "unknown"


class Drift:
    """Looks every so often: `start`, then `close`.

    Attributes:
        fact: how it is, for people; nothing that a stranger may not read.
    """

    def __init__(
        self, registration: Registration, store: Store, settings: ParseServerSettings
    ) -> None:
        self.fact = _UNKNOWN
        self._registration = registration
        self._store = store
        self._keep = settings.keep_hooks
        self._every = settings.keep_hooks_every
        self._task: asyncio.Task[None] | None = None

    def facts(self) -> dict[str, str]:
        """How it is, as `/readyz` has it."""
        return {"parse_hooks": self.fact}

    def start(self) -> None:
        """Begin, on the running loop."""
        self._task = asyncio.get_running_loop().create_task(self._live())

    async def close(self) -> None:
        """End it, also in the middle of a repair: the next start goes on."""
        if self._task is not None:
            self._task.cancel()
            await asyncio.wait({self._task})

    async def look(self) -> None:
        """Compare, and repair when it is this worker's turn.

        Raises:
            OutboundError: the Parse Server cannot be asked.
            StoreUnavailable: it cannot be told whose turn it is.
        """
        plan = await self._registration.plan()
        # A little early, or a timer that is early by a millisecond would skip every other turn.
        if self._keep and await self._store.schedules.claim(TURN, self._every * 0.9):
            done = await self._registration.keep(plan)
            self._tell(done)
            if done.added or done.moved:
                plan = await self._registration.plan()
        self._note(_spelt(plan))

    async def _live(self) -> None:
        while True:
            try:
                await self.look()
            except OutboundError as error:
                self._note(f"{_UNKNOWN}: the Parse Server cannot be asked", cause=str(error))
            except StoreUnavailable as error:
                self._note(f"{_UNKNOWN}: the store is not available", cause=error.log)
            except Exception:  # noqa: BLE001 - without this task nothing is repaired any more
                _log.exception("registered webhooks could not be looked at")
                self.fact = _UNKNOWN
            await asyncio.sleep(self._every)

    def _note(self, fact: str, **facts: str) -> None:
        """Remember how it is, and log it once."""
        if fact == self.fact:
            return
        self.fact = fact
        level = logging.INFO if fact == REGISTERED else logging.WARNING
        _log.log(level, "registered webhooks", extra={"state": fact, **facts})

    def _tell(self, done: Done) -> None:
        if done.added or done.moved:
            hooks = [str(hook) for hook in (*done.added, *done.moved)]
            _log.warning("webhooks registered again", extra={"hooks": hooks})
        for hook, message in done.failed.items():
            facts = {"webhook": str(hook), "cause": message}
            _log.warning("webhook not registered", extra=facts)


def _spelt(plan: Plan) -> str:
    counts = (
        (len(plan.missing), "missing"),
        (len(plan.moved), "registered elsewhere"),
        (len(plan.orphans), "of no plugin"),
    )
    return ", ".join(f"{count} {what}" for count, what in counts if count) or REGISTERED
