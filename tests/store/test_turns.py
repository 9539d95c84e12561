"""What one worker at a time does, on both engines: of all who ask at once, one has the turn."""

import asyncio

from sqlalchemy import update

from tests.store import opened as fixtures
from tests.store.opened import opened
from tornado_cc.store import Store
from tornado_cc.store.tables import schedules

migrated_file, migrated_server = fixtures.migrated_file, fixtures.migrated_server
migrated_url, store = fixtures.migrated_url, fixtures.store


async def pass_time(store: Store, seconds: float) -> None:
    """Have so many seconds gone by, without waiting for them."""
    change = update(schedules).values(due_at=schedules.c.due_at - round(seconds * 1000))
    await store.engine.write(lambda connection: connection.execute(change) and None, 60)


async def test_of_many_who_ask_at_once_one_has_the_turn(store: Store) -> None:
    turns = await asyncio.gather(*(store.schedules.claim("a", 60) for _ in range(20)))
    assert sorted(turns) == [False] * 19 + [True]


async def test_the_next_turn_comes_when_the_time_has_passed(store: Store) -> None:
    assert await store.schedules.claim("a", 60)
    await pass_time(store, 50)
    assert not await store.schedules.claim("a", 60)
    await pass_time(store, 11)
    assert await store.schedules.claim("a", 60)
    assert not await store.schedules.claim("a", 60)


async def test_turns_at_different_things_are_apart(store: Store) -> None:
    assert await store.schedules.claim("a", 60)
    assert await store.schedules.claim("b", 60)


async def test_workers_share_the_turns(migrated_url: str) -> None:
    async with opened(migrated_url) as one:
        assert await one.schedules.claim("a", 60)
    async with opened(migrated_url) as other:
        assert not await other.schedules.claim("a", 60)
