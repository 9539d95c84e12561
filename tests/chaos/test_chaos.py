"""kill -9 of the whole server at random moments of a write storm: nothing accepted is lost.

TORNADO_CC_CHAOS_ROUNDS says how many rounds (5; `make chaos` makes 50), TORNADO_CC_CHAOS_SEED which
moments. The moments are those of a plan: what a machine does meanwhile is its own affair.
"""

import asyncio
import os
import random
import secrets
import sys
import time
from collections import Counter, defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from tests.chaos.ledger import PLUGINS, Execution, Ledger
from tests.chaos.site import Site
from tests.chaos.storm import Storm
from tests.chaos.victim import Victim
from tests.store.opened import opened

ROUNDS = int(os.environ.get("TORNADO_CC_CHAOS_ROUNDS", "5"))
CONCURRENCY = 8
"""How many deliveries a server runs at the same time, by default."""


@dataclass
class Course:
    """How it went.

    Attributes:
        in_flight: at each kill, whose the deliveries were that were claimed and not ended.
        slowest: seconds from the slowest start to its listening.
    """

    kills: int = 0
    in_flight: list[dict[str, str]] = field(default_factory=list)
    slowest: float = 0


@pytest.fixture
def victim(site: Site, ledger: Ledger, tmp_path: Path) -> Iterator[Victim]:
    one = Victim(tmp_path / "server", site.url, PLUGINS, ledger.conf)
    try:
        yield one
    finally:
        one.end()


@pytest.fixture
def ledger(tmp_path: Path) -> Ledger:
    return Ledger(tmp_path)


async def test_what_is_acknowledged_survives_every_kill_and_runs_in_order(
    site: Site, victim: Victim, ledger: Ledger
) -> None:
    seed = int(os.environ.get("TORNADO_CC_CHAOS_SEED", secrets.randbelow(1_000_000)))
    say(f"\n{site.name}: TORNADO_CC_CHAOS_SEED={seed}")
    dice = random.Random(seed)
    storm = Storm(victim.port, dice)
    victim.start()
    await storm.begin()
    async with asyncio.TaskGroup() as group:
        group.create_task(storm.blow())
        course = await kill_again_and_again(site, victim, dice)
        storm.is_over = True
    await until_idle(site.url)
    victim.stop()
    executions = ledger.read()
    say(told(storm, course, executions))
    check_storm(storm)
    check_nothing_is_lost(storm, executions)
    check_repeats(course, executions)
    check_order(executions)
    await check_database(site, storm, executions)


def say(text: str) -> None:
    """Print a line, which pytest shows of a test that failed, and of all by `-s`."""
    sys.stdout.write(f"{text}\n")


async def kill_again_and_again(site: Site, victim: Victim, dice: random.Random) -> Course:
    """Kill while it serves, and at times while it starts as well."""
    course = Course()
    for _ in range(ROUNDS):
        await asyncio.sleep(dice.uniform(0.1, 1.2))
        await kill(site, victim, course)
        if dice.random() < 0.2:
            victim.spawn()
            await asyncio.sleep(dice.uniform(0, 0.8))
            await kill(site, victim, course)
        began = time.monotonic()
        await asyncio.to_thread(victim.start)
        course.slowest = max(course.slowest, time.monotonic() - began)
    await asyncio.sleep(dice.uniform(0.1, 1.2))
    return course


async def kill(site: Site, victim: Victim, course: Course) -> None:
    """Kill it, and see what it was about."""
    assert victim.is_running, victim.log
    victim.kill()
    course.kills += 1
    course.in_flight.append(await asyncio.to_thread(site.running))


async def until_idle(url: str) -> None:
    """Wait until nothing is left to run. Meanwhile the server looks after it, not we."""
    async with opened(url, command=True) as store, asyncio.timeout(120):
        while any((await store.deliveries.depth()).by_state.values()):
            await asyncio.sleep(0.1)


def check_storm(storm: Storm) -> None:
    """Every request was answered well or not at all, and no counter counted twice for one."""
    assert storm.refused == []
    assert set(storm.acknowledged.values()) == {1}


def check_nothing_is_lost(storm: Storm, executions: Sequence[Execution]) -> None:
    """Each plugin ran for each event that was acknowledged."""
    for plugin in PLUGINS:
        ran = {one.event for one in executions if one.plugin == plugin}
        assert storm.acknowledged.keys() - ran == set(), f"lost by {plugin}"


def check_repeats(course: Course, executions: Sequence[Execution]) -> None:
    """What ran more than once was in flight at a kill, and kept its id."""
    for in_flight in course.in_flight:
        assert max(Counter(in_flight.values()).values(), default=0) <= CONCURRENCY
    assert repeats(executions) <= set().union(*course.in_flight)
    ids = {(one.plugin, *one.event): one.delivery for one in executions}
    for one in executions:
        assert ids[one.plugin, *one.event] == one.delivery, "one event, two deliveries"
    by_server = Counter((one.delivery, one.pid) for one in executions)
    assert set(by_server.values()) == {1}, "one server ran one delivery twice"


def repeats(executions: Sequence[Execution]) -> set[str]:
    """The ids of the deliveries that ran more than once."""
    times = Counter(one.delivery for one in executions)
    return {delivery for delivery, count in times.items() if count > 1}


def check_order(executions: Sequence[Execution]) -> None:
    """No lane ever goes back: what ran twice did so before the next of its lane ran at all."""
    lanes = defaultdict(list)
    for one in executions:
        lanes[one.lane].append(one.number)
    for lane, numbers in lanes.items():
        assert numbers == sorted(numbers), lane


async def check_database(site: Site, storm: Storm, executions: Sequence[Execution]) -> None:
    """It is whole, nothing is left in it to run, and each state of an object had its event."""
    site.check()
    async with opened(site.url, command=True) as store:
        depth = await store.deliveries.depth()
        assert set(depth.by_state.values()) == {0}
        for counter in storm.counters:
            number = (await store.objects.get("Counter", counter))["number"]
            for plugin in PLUGINS:
                lane = plugin, f"Counter:{counter}"
                ran = {one.number for one in executions if one.lane == lane}
                assert ran == set(range(number + 1)), lane


def told(storm: Storm, course: Course, executions: Sequence[Execution]) -> str:
    """The figures, for docs/reliability.md."""
    acknowledged, deliveries = len(storm.acknowledged), {one.delivery for one in executions}
    return (
        f"{ROUNDS} rounds, {course.kills} kills, {acknowledged} events acknowledged,"
        f" {storm.unanswered} requests cut off, {len(deliveries)} deliveries executed,"
        f" {len(repeats(executions))} of them twice or more,"
        f" {len(set().union(*course.in_flight))} in flight at a kill;"
        f" slowest start {course.slowest:.1f} s"
    )
