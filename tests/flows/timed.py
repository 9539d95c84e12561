"""Schedules on a store whose clock stands still until it is set, and processes that look at it."""

from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from sqlalchemy import update

from tests.hooks.making import implementation
from tornado_cc.core import clock, json_value
from tornado_cc.core.meter import Unmetered
from tornado_cc.core.redact import Redactor
from tornado_cc.flows import Schedules
from tornado_cc.hooks import Fires, Registry
from tornado_cc.hooks.schedules import When, every
from tornado_cc.store import Store, moments
from tornado_cc.store import schedules as stored
from tornado_cc.store.deliveries import Delivery
from tornado_cc.store.tables import deliveries

NOON = datetime(2026, 3, 29, 12, tzinfo=UTC)


class NoRunner:
    """Nothing runs: the runs are only made."""

    async def run(self, *_: Any) -> Any:
        raise AssertionError("nothing is to run here")


@dataclass
class Time:
    """What time it is, for the database and for every process."""

    now: datetime = NOON

    def set(self, hour: int, minute: int = 0, second: float = 0, *, days: int = 0) -> None:
        """Another time on the first day, or so many days later."""
        self.now = NOON.replace(hour=hour, minute=minute) + timedelta(days=days, seconds=second)

    def move(self, seconds: float) -> None:
        """Later, or earlier."""
        self.now += timedelta(seconds=seconds)


@pytest.fixture
def time(monkeypatch: pytest.MonkeyPatch) -> Time:
    """It is noon, until somebody sets the clock."""
    one = Time()
    take_over(monkeypatch, one)
    return one


def take_over(monkeypatch: pytest.MonkeyPatch, time: Time) -> None:
    """Have the database and this process go by it.

    PostgreSQL has a clock that nobody here may set, so it is asked for another in its place.
    """
    monkeypatch.setattr(clock, "utc_now", lambda: time.now)
    asked = stored.moment

    def moment(connection: Any) -> int:
        found = asked(connection)
        given = moments.of(time.now)
        assert connection.dialect.name == "postgresql" or found == given
        return given

    monkeypatch.setattr(stored, "moment", moment)


def process(
    store: Store, *whens: When, name: str = "tidy", runner: Fires | None = None
) -> Schedules:
    """A process that has just started; its plugin `p` has a schedule, or one each of `tidy0`, …"""
    names = [name] if len(whens) == 1 else [f"{name}{number}" for number in range(len(whens))]
    made = [
        replace(implementation("p", "p", one, hook="on_schedule"), options={"every": every(when)})
        for one, when in zip(names, whens, strict=True)
    ]
    return Schedules(store, Registry(made), runner or NoRunner(), Redactor(), Unmetered())


async def runs(store: Store, name: str = "tidy") -> list[Delivery]:
    """The runs of a schedule that were made, in order."""
    found = await store.deliveries.find(kind="schedule", limit=1000)
    return [one for one in reversed(found) if one.target == name]


async def due(store: Store, name: str = "tidy") -> list[str]:
    """When they were due, `HH:MM:SS`, with the day where it is not the first."""
    times = [due_of(one) for one in await runs(store, name)]
    return [f"{one:%H:%M:%S}" if one.date() == NOON.date() else f"{one:%d. %H:%M}" for one in times]


def due_of(run: Delivery) -> datetime:
    """When a run was due."""
    return datetime.fromisoformat(json_value.parse(run.payload.encode())["due_at"])


async def become(store: Store, state: str, name: str = "tidy", **values: Any) -> None:
    """Have every unended run of a schedule go on to a state."""
    unended = deliveries.c.state.in_(("waiting", "ready", "running"))
    change = update(deliveries).where(deliveries.c.target == name, unended)
    change = change.values(state=state, **values)
    await store.engine.write(lambda connection: connection.execute(change) and None, 30)
