"""Schedules: each process looks when they are due, and one of them all makes the run.

There is no leader. Every process works out the same due times, by the clock of the database, and
the row of a schedule in the store lets one of them in. What was missed while nothing ran is made up
for by one run, the latest.
"""

import asyncio
import logging
from collections.abc import Callable, Mapping
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

from tornado_cc.core import clock, json_value
from tornado_cc.core.call import ScheduleCall
from tornado_cc.core.message import Headers, Request
from tornado_cc.core.meter import Meter
from tornado_cc.core.redact import Redactor
from tornado_cc.flows.attempt import Attempt, run_once
from tornado_cc.flows.deliveries import DEAD
from tornado_cc.flows.due import DueTimes, Never
from tornado_cc.hooks import Fires, Implementation, Registry
from tornado_cc.hooks.schedules import Every
from tornado_cc.store import Store, StoreUnavailable, moments
from tornado_cc.store.lanes import NewDelivery, lane
from tornado_cc.store.outbox import Claimed
from tornado_cc.store.schedules import OVERTAKEN, DueRun, Made

_log = logging.getLogger("tornado_cc.flows")

SCHEDULE = "schedule"
"""The kind of delivery that is a run of a schedule."""

_LONGEST_SLEEP = 1.0
"""Seconds: a clock may be set, and a machine sleeps without noticing."""
_PAUSE = 1.0
"""Seconds between two tries while the database is away."""
_AHEAD = 60_000
"""Milliseconds by which a clock may be behind what was due last before somebody is told."""


class BadSchedules(Exception):
    """Schedules that are never due; the message names each and says why."""


class Schedule:
    """A schedule as a plugin declared it.

    Attributes:
        name: its name within its plugin.
        key: the name that no other schedule has.
        one: the function that runs.
        every: how often.
        times: when it is due.
    """

    def __init__(self, one: Implementation) -> None:
        """Raises `Never`: it is never due."""
        assert one.claim is not None
        self.one = one
        self.name = one.claim[1]
        self.key = " ".join(one.claim)
        self.every: Every = one.options["every"]
        self.times = DueTimes(self.every, moments.of(clock.utc_now()))

    def next_due(self) -> str:
        """When it is due next by the clock of this process, ISO 8601."""
        return moments.spelt(self.times.following(moments.of(clock.utc_now())))

    def run(self, due_at: int) -> DueRun:
        """What is to be stored when it is due."""
        payload = {"due_at": moments.spelt(due_at)}
        delivery = NewDelivery(
            kind=SCHEDULE,
            plugin=self.one.plugin,
            target=self.name,
            payload=json_value.dump(payload).decode(),
            lane=lane(f"{SCHEDULE} {self.key}"),
            once=f"{self.key}|{due_at}",
        )
        return DueRun(self.key, due_at, delivery)


def schedules_of(registry: Registry) -> list[Schedule]:
    """Every schedule that plugins declared.

    Raises:
        BadSchedules: it names all that are never due.
    """
    found, bad = [], []
    for one in registry.all("on_schedule"):
        try:
            found.append(Schedule(one))
        except Never as problem:
            every: Every = one.options["every"]
            bad.append(
                f'plugin {one.plugin}: {one.place} is to run every "{every.text}": {problem}'
            )
    if bad:
        raise BadSchedules("\n".join(bad))
    return found


class Schedules:
    """Makes the runs of schedules, and runs them when a worker has claimed them.

    `start`, then `close`.
    """

    def __init__(
        self, store: Store, registry: Registry, runner: Fires, redactor: Redactor, meter: Meter
    ) -> None:
        self._store = store
        self._registry = registry
        self._runner = runner
        self._redactor = redactor
        self._meter = meter
        self._schedules = {one.key: one for one in schedules_of(registry)}
        self.wake: Callable[[], None] = lambda: None
        # Milliseconds by which the database's clock is ahead of this process's.
        self._ahead = 0
        self._told: set[tuple[str, str]] = set()
        self._away = False
        self._task: asyncio.Task[None] | None = None

    def start(self) -> None:
        """Begin, on the running loop, if there is any schedule."""
        if self._schedules:
            self._task = asyncio.get_running_loop().create_task(self._live())

    async def close(self) -> None:
        """Make no more runs; those that are made stay."""
        if self._task is not None:
            self._task.cancel()
            await asyncio.wait({self._task})

    async def look(self) -> float:
        """Make the runs that are due; seconds until it is worth another look.

        Raises:
            StoreUnavailable: nobody knows.
        """
        now, last = await self._store.schedules.look()
        self._ahead = now - moments.of(clock.utc_now())
        if new := {
            key: one.times.latest(now) for key, one in self._schedules.items() if key not in last
        }:
            await self._store.schedules.begin(new)
        self._tell_behind(now, last)
        due = [
            one.run(one.times.latest(now))
            for key, one in self._schedules.items()
            if key in last and last[key] < one.times.latest(now)
        ]
        if due:
            self._tell(await self._store.schedules.make(due))
            self.wake()
        following = min(one.times.following(now) for one in self._schedules.values())
        return min((following - now) / 1000, _LONGEST_SLEEP)

    async def perform(self, claimed: Claimed) -> Attempt:
        """Run a schedule once."""
        schedule = self._schedules.get(f"{claimed.plugin} {claimed.target}")
        if schedule is None:
            return Attempt(error=f"plugin {claimed.plugin} has no schedule {claimed.target} now")
        attempt = await run_once(
            schedule.one,
            _call(claimed),
            self._store.players,
            self._runner,
            self._redactor,
            "a schedule refused, and is not tried again before it is due",
        )
        now = moments.of(clock.utc_now()) + self._ahead
        left = (schedule.times.following(now) - now) / 1000
        return replace(attempt, retry_within=left)

    async def _live(self) -> None:
        while True:
            try:
                pause = await self.look()
                self._away = False
            except StoreUnavailable as error:
                self._note_away(error)
                pause = _PAUSE
            except Exception:  # noqa: BLE001 - without this task nothing is due until the next start
                _log.exception("schedules could not be looked after")
                pause = _PAUSE
            await asyncio.sleep(pause)

    def _tell(self, made: Made) -> None:
        """Log what is out of the ordinary; that a run takes long, once until the next is made."""
        for key in made.added:
            self._told.discard(("left out", key))
        for key in made.left_out:
            self._say_once("left out", key, "schedule still runs, so its next run is left out")
        for delivery, key in made.overtaken:
            one = self._schedules[key].one
            self._meter.delivery_ended(SCHEDULE, one.plugin, "dead")
            facts = {"kind": SCHEDULE, "plugin": one.plugin, "cause": OVERTAKEN}
            _log.error(
                DEAD, extra={"delivery": delivery, "target": self._schedules[key].name, **facts}
            )

    def _tell_behind(self, now: int, last: Mapping[str, int]) -> None:
        """A clock that was ahead for a while keeps a schedule waiting until it is there again."""
        for key in self._schedules.keys() & last.keys():
            if last[key] > now + _AHEAD:
                until = moments.spelt(last[key])
                text = "schedule waits, since it has run for times that are still to come"
                self._say_once("behind", key, text, until=until)

    def _say_once(self, what: str, key: str, text: str, **facts: Any) -> None:
        if (what, key) not in self._told:
            self._told.add((what, key))
            plugin = self._schedules[key].one.plugin
            _log.warning(text, extra={"plugin": plugin, "schedule": key, **facts})

    def _note_away(self, error: StoreUnavailable) -> None:
        """Say once that the database is away, for as long as it is."""
        if not self._away:
            self._away = True
            _log.error("schedules wait for the database", extra={"cause": error.log})


def _call(claimed: Claimed) -> ScheduleCall:
    due_at = json_value.parse(claimed.payload.encode())["due_at"]
    return ScheduleCall(
        dialect="schedule",
        hook="on_schedule",
        claim=(claimed.plugin, claimed.target),
        request=Request("", "", "", Headers(), b""),
        master=True,
        name=claimed.target,
        due_at=datetime.fromisoformat(due_at).astimezone(UTC),
        delivery_id=claimed.id,
        attempt=claimed.attempts,
    )
