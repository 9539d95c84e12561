"""The outbox, on either engine: claims, leases, lanes, ends and what people do to them."""

import asyncio
from typing import Any

import pytest

from tests.store.opened import make_tables, opened
from tornado_cc.store import Store
from tornado_cc.store.deliveries import NotPossible
from tornado_cc.store.lanes import NewDelivery, lane
from tornado_cc.store.outbox import Claimed, End

LEASE = 30.0
LONG_AGO = -1.0
"""Seconds of a lease that has ended already."""


def new(**values: Any) -> NewDelivery:
    given = {"kind": "hook", "plugin": "p", "target": "t", "payload": "{}", **values}
    return NewDelivery(**given)


def ended(claimed: Claimed, state: str = "done", delay: float = 0) -> End:
    return End(claimed=claimed, state=state, failures=claimed.failures, delay=delay)


async def states(store: Store) -> list[str]:
    """The states of all deliveries, in the order they were added."""
    return [one.state for one in reversed(await store.deliveries.find())]


@pytest.fixture
async def store(store_url: str) -> Any:
    await make_tables(store_url)
    async with opened(store_url) as store:
        yield store


async def test_what_is_added_is_claimed_in_order_and_once(store: Store) -> None:
    ids = await store.outbox.add([new(payload='{"n": 1}'), new(payload='{"n": 2}')])
    claimed = await store.outbox.claim("w", 10, LEASE)
    assert [(one.id, one.payload, one.attempts) for one in claimed] == [
        (ids[0], '{"n": 1}', 1),
        (ids[1], '{"n": 2}', 1),
    ]
    assert await store.outbox.claim("other", 10, LEASE) == []
    assert await states(store) == ["running", "running"]
    await store.outbox.end("w", [ended(one) for one in claimed])
    assert await states(store) == ["done", "done"]
    assert await store.outbox.next_due() is None


async def test_no_more_is_claimed_than_asked_for(store: Store) -> None:
    await store.outbox.add([new(), new(), new()])
    assert len(await store.outbox.claim("w", 2, LEASE)) == 2
    assert len(await store.outbox.claim("w", 2, LEASE)) == 1


async def test_what_is_put_off_is_due_later(store: Store) -> None:
    await store.outbox.add([new(delay=60)])
    assert await store.outbox.claim("w", 10, LEASE) == []
    due = await store.outbox.next_due()
    assert due is not None
    assert 50 < due <= 60


async def test_of_two_with_one_word_for_once_the_first_is_kept(store: Store) -> None:
    first = await store.outbox.add([new(once="daily|1")])
    assert await store.outbox.add([new(once="daily|1")]) == []
    assert [one.id for one in await store.deliveries.find()] == first


async def test_a_lane_lets_one_run_at_a_time_and_others_beside_it(store: Store) -> None:
    await store.outbox.add([new(lane="a"), new(lane="a"), new(lane="b"), new()])
    assert await states(store) == ["ready", "waiting", "ready", "ready"]
    first, *rest = await store.outbox.claim("w", 10, LEASE)
    assert len(rest) == 2
    await store.outbox.end("w", [ended(first)])
    assert await states(store) == ["done", "ready", "running", "running"]


async def test_a_failed_one_keeps_its_place_until_it_is_dead(store: Store) -> None:
    await store.outbox.add([new(lane="a"), new(lane="a")])
    (first,) = await store.outbox.claim("w", 10, LEASE)
    await store.outbox.end("w", [ended(first, "ready", delay=3600)])
    assert await store.outbox.claim("w", 10, LEASE) == []
    assert await states(store) == ["ready", "waiting"]
    await store.deliveries.retry(first.id)
    (again,) = await store.outbox.claim("w", 10, LEASE)
    assert (again.id, again.attempts) == (first.id, 2)
    await store.outbox.end("w", [ended(again, "dead")])
    assert await states(store) == ["dead", "ready"]


async def test_an_ended_lease_is_taken_over_and_the_late_end_counts_for_nothing(
    store: Store,
) -> None:
    await store.outbox.add([new()])
    (mine,) = await store.outbox.claim("slow", 10, LONG_AGO)
    (taken,) = await store.outbox.claim("other", 10, LEASE)
    assert (taken.id, taken.attempts) == (mine.id, 2)
    await store.outbox.end("slow", [ended(mine, "dead")])
    assert await states(store) == ["running"]
    assert await store.outbox.renew("slow", [mine.number], LEASE) == set()
    assert await store.outbox.renew("other", [mine.number], LEASE) == {mine.number}
    await store.outbox.end("other", [ended(taken)])
    assert await states(store) == ["done"]


async def test_a_renewed_lease_is_not_taken_over(store: Store) -> None:
    await store.outbox.add([new()])
    (mine,) = await store.outbox.claim("w", 10, LONG_AGO)
    await store.outbox.renew("w", [mine.number], LEASE)
    assert await store.outbox.claim("other", 10, LEASE) == []


async def test_leases_that_are_ended_for_all_let_everything_run_again(store: Store) -> None:
    await store.outbox.add([new(), new(), new(delay=60)])
    await store.outbox.claim("one", 1, LEASE)
    await store.outbox.claim("two", 1, LEASE)
    assert await store.outbox.release() == 2
    assert [one.attempts for one in await store.outbox.claim("three", 10, LEASE)] == [2, 2]


async def test_many_workers_share_the_work_and_keep_each_lane_in_order(store: Store) -> None:
    await store.outbox.add([new(lane=f"l{number % 7}") for number in range(70)])
    done: dict[str, list[int]] = {}

    async def work(name: str) -> None:
        while claimed := await store.outbox.claim(name, 3, LEASE):
            for one in claimed:
                done.setdefault(str(one.lane), []).append(one.number)
            await store.outbox.end(name, [ended(one) for one in claimed])

    async def add() -> None:
        for number in range(35):
            await store.outbox.add([new(lane=f"l{number % 7}")])

    await asyncio.gather(add(), *(work(f"w{number}") for number in range(4)))
    await work("last")
    assert sum(map(len, done.values())) == 105
    assert all(numbers == sorted(set(numbers)) for numbers in done.values())


async def test_a_redriven_one_waits_for_what_runs_in_its_lane(store: Store) -> None:
    await store.outbox.add([new(lane="a"), new(lane="a"), new(lane="a")])
    (first,) = await store.outbox.claim("w", 10, LEASE)
    await store.outbox.end("w", [ended(first, "dead")])
    (second,) = await store.outbox.claim("w", 10, LEASE)
    assert await store.deliveries.redrive() == 1
    assert await states(store) == ["waiting", "running", "waiting"]
    await store.outbox.end("w", [ended(second)])
    (again,) = await store.outbox.claim("w", 10, LEASE)
    assert (again.id, again.attempts) == (first.id, 1)


async def test_only_the_dead_ones_that_fit_are_redriven(store: Store) -> None:
    await store.outbox.add([new(plugin="a"), new(plugin="b"), new(plugin="a", kind="job")])
    claimed = await store.outbox.claim("w", 10, LEASE)
    await store.outbox.end("w", [ended(one, "dead") for one in claimed])
    assert await store.deliveries.redrive(plugin="a", kind="hook") == 1
    assert await states(store) == ["ready", "dead", "dead"]
    assert await store.deliveries.redrive() == 2


async def test_a_discarded_one_never_runs_and_lets_the_next_come(store: Store) -> None:
    first, _ = await store.outbox.add([new(lane="a"), new(lane="a")])
    assert (await store.deliveries.discard(first)).state == "discarded"
    assert await states(store) == ["discarded", "ready"]
    with pytest.raises(NotPossible, match="is discarded; it cannot be discarded"):
        await store.deliveries.discard(first)


async def test_what_runs_or_is_done_is_left_alone(store: Store) -> None:
    (one,) = await store.outbox.add([new()])
    claimed = await store.outbox.claim("w", 10, LEASE)
    for change in (store.deliveries.retry, store.deliveries.discard):
        with pytest.raises(NotPossible, match="is running"):
            await change(one)
    await store.outbox.end("w", [ended(claimed[0])])
    with pytest.raises(NotPossible, match="is done; it cannot run again"):
        await store.deliveries.retry(one)
    with pytest.raises(NotPossible, match="there is no delivery X"):
        await store.deliveries.retry("X")


async def test_the_depth_counts_what_is_to_do_and_what_is_dead(store: Store) -> None:
    assert (await store.deliveries.depth()).oldest is None
    await store.outbox.add([new(lane="a"), new(lane="a"), new(), new(delay=60)])
    (*_, last) = await store.outbox.claim("w", 2, LEASE)
    await store.outbox.end("w", [ended(last, "dead")])
    await store.outbox.add([new()])
    depth = await store.deliveries.depth()
    assert depth.by_state == {"waiting": 1, "ready": 2, "running": 1, "dead": 1}
    assert depth.oldest is not None
    assert 0 <= depth.oldest < 10


async def test_what_ended_long_ago_is_forgotten_in_bites(store: Store) -> None:
    await store.outbox.add([new() for _ in range(700)])
    while claimed := await store.outbox.claim("w", 200, LEASE):
        await store.outbox.end("w", [ended(one) for one in claimed])
    await store.outbox.add([new()])
    (dead,) = await store.outbox.claim("w", 1, LEASE)
    await store.outbox.end("w", [ended(dead, "dead")])
    await store.outbox.add([new()])
    assert await store.outbox.prune(3600, 3600) == 0
    assert await store.outbox.prune(0, 3600) == 500
    assert await store.outbox.prune(0, 3600) == 200
    assert await states(store) == ["dead", "ready"]
    assert await store.outbox.prune(0, 0) == 1


def test_a_lane_is_bounded_whatever_a_caller_calls_an_object() -> None:
    assert lane("p t|Review:o1") == "p t|Review:o1"
    assert len(lane("x" * 100_000)) == len(lane("a\0b")) == 64
