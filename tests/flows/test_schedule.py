"""Runs of schedules are made once each, whoever looks and whatever the clock does."""

import asyncio
import logging
from collections.abc import Iterator
from datetime import timedelta

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.flows import timed
from tests.flows.timed import Time, become, due, due_of, process, runs
from tests.store import opened as fixtures
from tests.store.opened import Beside
from tornado_cc.flows.due import DueTimes
from tornado_cc.hooks.schedules import every
from tornado_cc.store import Store, moments

migrated_file, migrated_server = fixtures.migrated_file, fixtures.migrated_server
migrated_url, store, beside = fixtures.migrated_url, fixtures.store, fixtures.beside
time = timed.time

LATER = 9_000_000_000_000
"""A moment long after any of these."""


async def test_a_new_schedule_starts_with_its_next_time(store: Store, time: Time) -> None:
    one = process(store, "hour")
    await one.look()
    assert await due(store) == []
    time.set(12, 59, 59.999)
    await one.look()
    assert await due(store) == []
    time.set(13)
    await one.look()
    assert await due(store) == ["13:00:00"]


async def test_a_run_says_what_it_is_and_when_it_was_due(store: Store, time: Time) -> None:
    one = process(store, "hour")
    await one.look()
    time.set(13, 0, 0.25)
    await one.look()
    (run,) = await runs(store)
    assert (run.kind, run.plugin, run.target, run.state) == ("schedule", "p", "tidy", "ready")
    assert due_of(run).isoformat() == "2026-03-29T13:00:00+00:00"
    assert run.once == f"p tidy|{moments.of(due_of(run))}"


async def test_looking_again_makes_nothing_again(store: Store, time: Time) -> None:
    one, other = process(store, 30), process(store, 30)
    await one.look()
    time.move(30)
    for each in (one, other, one, process(store, 30)):
        await each.look()
    assert await due(store) == ["12:00:30"]


async def test_of_many_that_look_at_the_same_time_one_makes_the_run(
    store: Store, time: Time
) -> None:
    many = [process(store, *[10] * 5) for _ in range(8)]
    await asyncio.gather(*(one.look() for one in many))
    for _ in range(5):
        time.move(10)
        await asyncio.gather(*(one.look() for one in many))
        for number in range(5):
            await become(store, "done", f"tidy{number}")
    times = [f"12:00:{second}" for second in (10, 20, 30, 40, 50)]
    assert [await due(store, f"tidy{number}") for number in range(5)] == [times] * 5


async def test_each_time_that_is_seen_gets_its_run(store: Store, time: Time) -> None:
    one = process(store, "*/20 * * * * *")
    for _ in range(7):
        await one.look()
        await become(store, "done")
        time.move(10)
    assert await due(store) == ["12:00:20", "12:00:40", "12:01:00"]


async def test_a_pause_of_three_days_is_made_up_for_by_one_run(store: Store, time: Time) -> None:
    one = process(store, "minute", "0 9 * * *")
    await one.look()
    time.set(12, 30, 12, days=3)
    await one.look()
    assert await due(store, "tidy0") == ["01. 12:30"]
    assert await due(store, "tidy1") == ["01. 09:00"]
    await become(store, "done", "tidy0")
    time.move(60)
    await one.look()
    assert await due(store, "tidy0") == ["01. 12:30", "01. 12:31"]


async def test_so_is_a_stop(store: Store, time: Time) -> None:
    await process(store, "minute").look()
    time.set(15, 0, 5)
    await process(store, "minute").look()
    assert await due(store) == ["15:00:00"]


async def test_a_stop_in_which_nothing_was_missed_makes_nothing(store: Store, time: Time) -> None:
    await process(store, "hour").look()
    time.set(12, 59)
    await process(store, "hour").look()
    assert await due(store) == []


async def test_a_clock_that_is_set_back_runs_nothing_twice(store: Store, time: Time) -> None:
    one = process(store, "minute")
    await one.look()
    time.set(12, 1)
    await one.look()
    await become(store, "done")
    for minute in (0, 1):
        time.set(12, minute, 30)
        await one.look()
        await process(store, "minute").look()
    assert await due(store) == ["12:01:00"]
    time.set(12, 2)
    await one.look()
    assert await due(store) == ["12:01:00", "12:02:00"]


async def test_that_a_clock_was_far_ahead_is_told_once(
    store: Store, time: Time, caplog: pytest.LogCaptureFixture
) -> None:
    one = process(store, "minute")
    await one.look()
    time.set(12, 0, days=400)
    await one.look()
    await become(store, "done")
    time.set(12, 5)
    await one.look()
    await one.look()
    assert len(await runs(store)) == 1
    (line,) = [one for one in caplog.records if one.levelno == logging.WARNING]
    assert line.getMessage() == "schedule waits, since it has run for times that are still to come"
    assert vars(line)["until"] == "2027-05-03T12:00:00.000Z"


async def test_while_a_run_runs_the_next_is_left_out(
    store: Store, time: Time, caplog: pytest.LogCaptureFixture
) -> None:
    one = process(store, "minute")
    await one.look()
    time.set(12, 1)
    await one.look()
    await become(store, "running", attempts=1, due_at=LATER)
    for minute in (2, 3):
        time.set(12, minute)
        await one.look()
    assert await due(store) == ["12:01:00"]
    lines = [one for one in caplog.records if one.levelno == logging.WARNING]
    assert [one.getMessage() for one in lines] == [
        "schedule still runs, so its next run is left out"
    ]
    await become(store, "done")
    time.set(12, 3, 30)
    await one.look()
    assert await due(store) == ["12:01:00"]
    time.set(12, 4)
    await one.look()
    assert await due(store) == ["12:01:00", "12:04:00"]


async def test_a_run_that_no_worker_has_come_to_yet_is_waited_for(store: Store, time: Time) -> None:
    one = process(store, "minute")
    await one.look()
    for minute in (1, 2, 3):
        time.set(12, minute)
        await one.look()
    assert await due(store) == ["12:01:00"]
    (run,) = await runs(store)
    assert run.state == "ready"


async def test_a_run_that_waits_for_another_attempt_gives_way_to_the_next(
    store: Store, time: Time, caplog: pytest.LogCaptureFixture
) -> None:
    one = process(store, "minute")
    await one.look()
    time.set(12, 1)
    await one.look()
    first = {"attempt": 1, "at": "", "error": "broken"}
    await become(store, "ready", attempts=1, due_at=LATER, failures=[first])
    time.set(12, 2)
    await one.look()
    old, new = await runs(store)
    assert (old.state, new.state) == ("dead", "ready")
    assert [failure["error"] for failure in old.failures] == [
        "broken",
        "not tried again, because the next run is due",
    ]
    assert old.ended_at is not None
    (line,) = [one for one in caplog.records if one.levelno == logging.ERROR]
    assert line.getMessage() == "delivery is dead, `deliveries` shows and redrives it"
    assert vars(line)["delivery"] == old.id


async def test_so_does_one_whose_worker_gives_no_sign_of_life(store: Store, time: Time) -> None:
    one = process(store, "minute")
    await one.look()
    time.set(12, 1)
    await one.look()
    ended = moments.of(time.now + timedelta(seconds=30))
    await become(store, "running", attempts=1, due_at=ended, leased_by="gone")
    time.set(12, 2)
    await one.look()
    old, new = await runs(store)
    assert (old.state, old.leased_by, new.state) == ("dead", None, "ready")


async def test_a_schedule_that_was_gone_for_a_while_runs_once(store: Store, time: Time) -> None:
    await process(store, "day").look()
    time.set(12, days=9)
    await process(store, "day", name="another").look()
    assert await due(store) == []
    time.set(12, days=10)
    await process(store, "day").look()
    assert await due(store) == ["08. 00:00"]


async def test_it_is_worth_another_look_when_the_next_is_due_or_in_a_second(
    store: Store, time: Time
) -> None:
    one = process(store, "minute", "*/10 * * * * *")
    assert await one.look() == 1
    time.set(12, 0, 9.75)
    assert await one.look() == pytest.approx(0.25)


async def test_nothing_is_written_while_nothing_is_due(
    store: Store, time: Time, monkeypatch: pytest.MonkeyPatch
) -> None:
    one = process(store, "hour")
    await one.look()
    monkeypatch.setattr(store.engine, "write", None)
    time.set(12, 59, 59)
    await one.look()


STEPS = st.lists(
    st.tuples(st.just("move"), st.sampled_from((-7200.0, -61.0, -1.0, 0.5, 9, 10, 31, 65, 90_000)))
    | st.tuples(st.sampled_from(("look", "restart", "end", "fail", "claim")), st.integers(0, 2)),
    max_size=25,
)


@pytest.fixture(scope="module")
def numbers() -> Iterator[int]:
    """Names for the schedules of each example, which share their databases."""
    return iter(range(10**6))


# The databases outlive the examples, and each has a schedule of its own.
@settings(max_examples=40, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(when=st.sampled_from((10, "minute", "*/10 * * * * *", "0 3 * * *")), steps=STEPS)
def test_whoever_looks_whenever_each_due_time_has_one_run_at_most_and_they_only_grow(
    beside: Beside,
    numbers: Iterator[int],
    monkeypatch: pytest.MonkeyPatch,
    when: int | str,
    steps: list[tuple[str, float]],
) -> None:
    time, name = Time(), f"s{next(numbers)}"
    with monkeypatch.context() as patch:
        timed.take_over(patch, time)
        made = [beside.run(played(store, time, name, when, steps)) for store in beside.stores]
        assert made[0] == made[1], "the engines differ"


async def played(
    store: Store, time: Time, name: str, when: int | str, steps: list[tuple[str, float]]
) -> list[str]:
    """Play the steps, and see after each that all is well; the due times of all runs."""
    time.now = timed.NOON
    processes = [process(store, when, name=name) for _ in range(3)]
    # A schedule begins when it is first looked at; what was due before is not made up for.
    begun: int | None = None
    latest = moments.of(time.now)
    for step, number in steps:
        if step == "move":
            time.move(number)
        elif step == "look":
            await processes[int(number)].look()
            begun = moments.of(time.now) if begun is None else begun
            latest = max(latest, moments.of(time.now))
        elif step == "restart":
            processes[int(number)] = process(store, when, name=name)
        elif step == "end":
            await become(store, "done", name)
        elif step == "fail":
            await become(store, "ready", name, attempts=1)
        else:
            await become(store, "running", name, attempts=1, due_at=LATER)
        await all_is_well(store, name, when, begun or latest, latest)
    return await due(store, name)


async def all_is_well(store: Store, name: str, when: int | str, begun: int, latest: int) -> None:
    found = await runs(store, name)
    times = [moments.of(due_of(one)) for one in found]
    assert times == sorted(set(times))
    assert all(begun < one <= latest for one in times)
    assert all(DueTimes(every(when), one).latest(one) == one for one in times)
    assert len([one for one in found if one.state in ("waiting", "ready", "running")]) <= 1
