"""What takes the place of what waits, and what is not wanted any more, on either engine."""

import asyncio
from typing import Any

import pytest

from tests.store.opened import make_tables, opened
from tests.store.test_contract_outbox import LEASE, LONG_AGO, ended, new, states
from tornado_cc.store import Store
from tornado_cc.store.lanes import Withdrawal


@pytest.fixture
async def store(store_url: str) -> Any:
    await make_tables(store_url)
    async with opened(store_url) as store:
        yield store


async def test_one_that_replaces_takes_the_place_of_what_waits_for_its_time(store: Store) -> None:
    await store.outbox.add([new(lane="a", delay=60), new(lane="b", delay=60), new(delay=60)])
    (second,) = await store.outbox.add([new(lane="a", replaces=True)])
    assert await states(store) == ["discarded", "ready", "ready", "ready"]
    (claimed,) = await store.outbox.claim("w", 10, LEASE)
    assert claimed.id == second
    replaced = (await store.deliveries.find(state="discarded"))[0]
    assert replaced.ended_at is not None
    assert (replaced.leased_by, replaced.attempts) == (None, 0)


async def test_it_waits_for_what_runs_and_there_is_never_more_than_one_that_waits(
    store: Store,
) -> None:
    await store.outbox.add([new(lane="a", replaces=True)])
    (running,) = await store.outbox.claim("w", 10, LEASE)
    for _ in range(3):
        await store.outbox.add([new(lane="a", replaces=True)])
    assert await states(store) == ["running", "discarded", "discarded", "waiting"]
    await store.outbox.end("w", [ended(running)])
    assert await states(store) == ["done", "discarded", "discarded", "ready"]


async def test_what_runs_is_not_withdrawn_even_when_its_worker_is_gone(store: Store) -> None:
    await store.outbox.add([new(lane="a")])
    await store.outbox.claim("w", 10, LONG_AGO)
    await store.outbox.add([Withdrawal("a")])
    assert await states(store) == ["running"]
    (again,) = await store.outbox.claim("other", 10, LEASE)
    assert again.attempts == 2


async def test_one_that_failed_and_waits_for_another_attempt_gives_way(store: Store) -> None:
    await store.outbox.add([new(lane="a", replaces=True)])
    (failed,) = await store.outbox.claim("w", 10, LEASE)
    await store.outbox.end("w", [ended(failed, "ready", delay=3600)])
    (new_one,) = await store.outbox.add([new(lane="a", replaces=True)])
    (claimed,) = await store.outbox.claim("w", 10, LEASE)
    assert claimed.id == new_one
    assert await states(store) == ["discarded", "running"]


async def test_a_withdrawal_ends_what_waits_in_its_lane_and_nothing_else(store: Store) -> None:
    await store.outbox.add([new(lane="a", delay=60), new(lane="b", delay=60)])
    assert await store.outbox.add([Withdrawal("a"), Withdrawal("nobody's")]) == []
    assert await states(store) == ["discarded", "ready"]
    await store.outbox.add([Withdrawal("a")])
    assert await states(store) == ["discarded", "ready"]


async def test_in_one_transaction_each_is_done_in_its_turn(store: Store) -> None:
    first, last = new(lane="a", replaces=True), new(lane="a", replaces=True)
    kept = await store.outbox.add([first, Withdrawal("a"), last, Withdrawal("b")])
    assert kept == [first.id, last.id]
    assert await states(store) == ["discarded", "ready"]


async def test_many_at_once_leave_one_that_waits(store: Store) -> None:
    await asyncio.gather(
        *(store.outbox.add([new(lane="a", delay=60, replaces=True)]) for _ in range(20))
    )
    assert sorted(await states(store)) == ["discarded"] * 19 + ["ready"]


async def test_while_workers_claim_each_runs_once_or_is_discarded(store: Store) -> None:
    ran: list[str] = []

    async def work(name: str) -> None:
        for _ in range(40):
            claimed = await store.outbox.claim(name, 3, LEASE)
            ran.extend(one.id for one in claimed)
            if claimed:
                await store.outbox.end(name, [ended(one) for one in claimed])

    async def put_off() -> None:
        for _ in range(25):
            await store.outbox.add([new(lane="a", replaces=True)])

    await asyncio.gather(put_off(), put_off(), work("one"), work("two"))
    await work("last")
    found = await store.deliveries.find(limit=100)
    done = {one.id for one in found if one.state == "done"}
    assert len(found) == 50
    assert sorted(ran) == sorted(done)
    assert {one.state for one in found} <= {"done", "discarded"}
    # The last that was put off is not lost.
    assert found[0].state == "done"
