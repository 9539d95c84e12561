"""Running what has been promised: claims deliveries, performs them, notes how they ended."""

import asyncio
import logging
from collections.abc import Mapping
from contextlib import suppress

from tornado_cc.core import clock
from tornado_cc.core.meter import Meter
from tornado_cc.flows.attempt import Attempt, Performs, Policy, given_back, is_suspect
from tornado_cc.settings import DeliveriesSettings
from tornado_cc.store import Store, StoreUnavailable
from tornado_cc.store.ids import new_ulid
from tornado_cc.store.outbox import Claimed, End

_log = logging.getLogger("tornado_cc.flows")

DEAD = "delivery is dead, `deliveries` shows and redrives it"
"""What the log says of each that is given up."""

_PAUSE = 1.0
"""Seconds between two tries while the database is away."""


class Deliverer:
    """Runs deliveries in this process: `start`, then `drain`, then `close`.

    One task talks to the database, so that what ends at the same time is noted together. Nothing
    is told to it but that it may be worth a look: what is due stands in the database.
    """

    def __init__(
        self,
        store: Store,
        kinds: Mapping[str, Performs],
        settings: DeliveriesSettings,
        meter: Meter,
    ) -> None:
        self.name = new_ulid()
        self._outbox = store.outbox
        self._bell = store.bell
        self._kinds = kinds
        self._settings = settings
        self._policy = Policy(settings)
        self._meter = meter
        self._running: dict[int, tuple[Claimed, asyncio.Task[None]]] = {}
        self._ends: list[End] = []
        self._awake = asyncio.Event()
        self._draining = False
        self._away = False
        self._tasks: list[asyncio.Task[None]] = []

    def start(self) -> None:
        """Begin, on the running loop."""
        loop = asyncio.get_running_loop()
        self._tasks = [loop.create_task(self._live()), loop.create_task(self._renew())]
        self._bell.listen(self.wake)

    def wake(self) -> None:
        """Something may be due."""
        self._awake.set()

    def promised(self) -> None:
        """Something was added: this worker looks at once, the others are told."""
        self.wake()
        self._bell.ring()

    @property
    def is_busy(self) -> bool:
        """Whether anything runs whose end is not noted."""
        return bool(self._running or self._ends)

    async def drain(self, seconds: float) -> None:
        """Claim nothing more, and let what runs come to an end."""
        self._draining = True
        until = clock.monotonic() + seconds
        while self.is_busy and (left := until - clock.monotonic()) > 0:
            self.wake()
            tasks = {task for _, task in self._running.values()}
            if tasks:
                await asyncio.wait(tasks, timeout=left)
            else:
                await asyncio.sleep(min(left, 0.01))

    async def close(self) -> None:
        """Give back what still runs, for the next worker to run at once."""
        self._draining = True
        await self._bell.close()
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        lost = list(self._running.values())
        for _, task in lost:
            task.cancel()
        await asyncio.gather(*(task for _, task in lost), return_exceptions=True)
        self._ends += [given_back(claimed) for claimed, _ in lost]
        if lost:
            _log.warning("deliveries given back at the stop", extra={"deliveries": len(lost)})
        # What cannot be noted now is taken over when its lease has ended.
        with suppress(StoreUnavailable):
            await self._note_ends()

    async def _live(self) -> None:
        while True:
            try:
                pause = await self._turn()
            except StoreUnavailable as error:
                self._note_away(error)
                pause = _PAUSE
            except Exception:  # noqa: BLE001 - without this task nothing runs until the next start
                _log.exception("deliveries could not be looked after")
                pause = _PAUSE
            if pause:
                with suppress(TimeoutError):
                    async with asyncio.timeout(pause):
                        await self._awake.wait()
            self._awake.clear()

    async def _turn(self) -> float:
        """Note what has ended, claim what is due; seconds until it is worth another look."""
        ends = self._ends[:]
        # What ends from here on is counted as running: it is, to whoever finds this worker killed.
        free = 0 if self._draining else self._settings.concurrency - len(self._running)
        if not ends:
            pause = await self._pause() if free > 0 else self._settings.poll
            if pause:
                return pause
        claimed = await self._outbox.claim(
            self.name,
            free,
            self._settings.lease,
            ends,
            suspect=not any(is_suspect(one) for one, _ in self._running.values()),
        )
        del self._ends[: len(ends)]
        for one in claimed:
            self._begin(one)
        self._away = False
        return 0 if claimed or ends else self._settings.poll

    async def _pause(self) -> float:
        """Seconds until something may be due."""
        due = await self._outbox.next_due()
        self._away = False
        return self._settings.poll if due is None else min(due, self._settings.poll)

    def _begin(self, claimed: Claimed) -> None:
        if claimed.number in self._running:
            # Its lease ended while the loop stood still: it runs here already.
            return
        claimed, is_to_run = self._policy.lost(claimed)
        if not is_to_run:
            self._settle(claimed, self._policy.postponed(claimed))
            return
        task = asyncio.create_task(self._perform(claimed))
        self._running[claimed.number] = claimed, task

    async def _perform(self, claimed: Claimed) -> None:
        performs = self._kinds.get(claimed.kind)
        try:
            if performs is None:
                attempt = Attempt(error=f"this server has no deliveries of kind {claimed.kind}")
            else:
                attempt = await performs.perform(claimed)
        except Exception as error:  # noqa: BLE001 - the delivery failed, whatever it was
            _log.exception("a delivery could not be performed", extra={"delivery": claimed.id})
            attempt = Attempt(error=f"the server raised {type(error).__name__}")
        del self._running[claimed.number]
        self._settle(claimed, self._policy.end(claimed, attempt))

    def _settle(self, claimed: Claimed, end: End) -> None:
        self._ends.append(end)
        self.wake()
        how = "retried" if end.state == "ready" else end.state
        self._meter.delivery_ended(claimed.kind, claimed.plugin, how)
        facts = {
            "delivery": claimed.id,
            "kind": claimed.kind,
            "plugin": claimed.plugin,
            "target": claimed.target,
            "attempt": claimed.attempts,
        }
        if end.state == "done":
            _log.debug("delivery done", extra=facts)
            return
        facts["cause"] = end.failures[-1]["error"]
        if end.state == "ready":
            _log.warning("delivery failed", extra={**facts, "again_in": round(end.delay, 1)})
        else:
            _log.error(DEAD, extra=facts)

    async def _note_ends(self) -> None:
        ends = self._ends[:]
        if ends:
            await self._outbox.end(self.name, ends)
            del self._ends[: len(ends)]

    async def _renew(self) -> None:
        """Show that this worker lives, well before anybody may think otherwise."""
        while True:
            await asyncio.sleep(self._settings.lease / 3)
            numbers = {*self._running, *(one.claimed.number for one in self._ends)}
            if not numbers:
                continue
            try:
                kept = await self._outbox.renew(self.name, numbers, self._settings.lease)
            except StoreUnavailable as error:
                self._note_away(error)
                continue
            if lost := (numbers - kept) & self._running.keys():
                _log.error("deliveries were taken over", extra={"deliveries": len(lost)})

    def _note_away(self, error: StoreUnavailable) -> None:
        """Say once that the database is away, for as long as it is."""
        if not self._away:
            self._away = True
            _log.error("deliveries wait for the database", extra={"cause": error.log})
