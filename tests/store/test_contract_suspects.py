"""Deliveries whose workers ended, on either engine: which of them may run beside others."""

from collections.abc import AsyncIterator

import pytest

from tests.store.opened import make_tables, opened
from tornado_cc.store import Store
from tornado_cc.store.lanes import NewDelivery
from tornado_cc.store.outbox import Claimed, End

LEASE = 30.0
LONG_AGO = -1.0
"""Seconds of a lease that has ended already, as that of a worker that was killed."""


@pytest.fixture
async def store(store_url: str) -> AsyncIterator[Store]:
    await make_tables(store_url)
    async with opened(store_url) as store:
        yield store


async def add(store: Store, *lanes: str) -> list[str]:
    """Add deliveries, each in its lane."""
    return await store.outbox.add(
        [
            NewDelivery(kind="hook", plugin="p", target="t", payload="{}", lane=lane)
            for lane in lanes
        ]
    )


def ids(claimed: list[Claimed]) -> list[str]:
    return [one.id for one in claimed]


def done(claimed: list[Claimed]) -> list[End]:
    return [End(claimed=one, state="done", failures=[]) for one in claimed]


async def test_what_ran_when_a_worker_ended_runs_again_all_at_once(store: Store) -> None:
    added = await add(store, "a", "b", "c")
    await store.outbox.claim("killed", 10, LONG_AGO)
    again = await store.outbox.claim("next", 10, LEASE)
    assert ids(again) == added
    assert {one.attempts for one in again} == {2}


async def test_of_those_whose_workers_ended_twice_one_is_taken_beside_the_others(
    store: Store,
) -> None:
    suspects = await add(store, "a", "b", "c")
    for worker in ("killed", "killed too"):
        await store.outbox.claim(worker, 10, LONG_AGO)
    others = await add(store, "d", "e")
    first = await store.outbox.claim("w", 10, LEASE)
    assert sorted(ids(first)) == sorted([suspects[0], *others])
    assert await store.outbox.claim("w", 10, LEASE, suspect=False) == []
    second = await store.outbox.claim("w", 10, LEASE, done(first))
    assert ids(second) == [suspects[1]]
    assert ids(await store.outbox.claim("w", 10, LEASE, done(second))) == [suspects[2]]


async def test_a_suspect_counts_among_those_that_are_asked_for(store: Store) -> None:
    (suspect,) = await add(store, "a")
    for worker in ("killed", "killed too"):
        await store.outbox.claim(worker, 10, LONG_AGO)
    await add(store, "b", "c")
    assert ids(await store.outbox.claim("w", 1, LEASE)) == [suspect]
    assert len(await store.outbox.claim("w", 1, LEASE)) == 1


async def test_one_that_failed_by_itself_is_no_suspect(store: Store) -> None:
    added = await add(store, "a", "b")
    for _ in range(4):
        claimed = await store.outbox.claim("w", 10, LEASE)
        ends = [End(claimed=one, state="ready", failures=[]) for one in claimed]
        await store.outbox.end("w", ends)
    assert ids(await store.outbox.claim("w", 10, LEASE)) == added


async def test_what_ends_makes_way_for_the_next_of_its_lane_in_the_same_transaction(
    store: Store,
) -> None:
    first, second = await add(store, "a", "a")
    claimed = await store.outbox.claim("w", 10, LEASE)
    assert ids(claimed) == [first]
    assert ids(await store.outbox.claim("w", 10, LEASE, done(claimed))) == [second]


async def test_nothing_is_taken_when_only_an_end_is_to_be_noted(store: Store) -> None:
    await add(store, "a", "b")
    claimed = await store.outbox.claim("w", 1, LEASE)
    assert await store.outbox.claim("w", 0, LEASE, done(claimed)) == []
    states = [one.state for one in await store.deliveries.find()]
    assert states == ["ready", "done"]
