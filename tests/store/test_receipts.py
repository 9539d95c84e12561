"""Receipts, on both engines: of all who begin a key at once, one gets it."""

import asyncio
from collections import Counter

import pytest
from sqlalchemy import func, select, update

from tests.store import opened as fixtures
from tests.store.opened import opened, unopened
from tornado_cc.core.message import Response
from tornado_cc.store import Begun, Busy, Receipt, Store, StoreUnavailable
from tornado_cc.store.tables import receipts

migrated_file, migrated_server = fixtures.migrated_file, fixtures.migrated_server
migrated_url, store = fixtures.migrated_url, fixtures.store

KEY, OTHER = b"\0key\xff" * 6, b"another"
LONG = 60.0
WEEK = 7 * 86_400.0
ANSWER = Response(
    201,
    b"\0\xff\xc3\xa4",
    (("Content-Type", "text/plain;charset=utf-8"), ("X-Many", "a"), ("X-Many", "\xe4")),
)


async def pass_time(store: Store, seconds: float, key: bytes = KEY) -> None:
    """Have so many seconds gone by for a key, without waiting for them."""
    earlier = update(receipts).where(receipts.c.key == key)
    change = earlier.values(until=receipts.c.until - round(seconds * 1000))
    await store.engine.write(lambda connection: connection.execute(change) and None, LONG)


async def count(store: Store) -> int:
    asked = select(func.count()).select_from(receipts)
    return await store.engine.read(lambda connection: connection.execute(asked).scalar_one(), LONG)


async def test_a_new_key_is_begun_and_busy_for_everybody_else(store: Store) -> None:
    assert await store.receipts.begin(KEY, "one", LONG) == Begun()
    found = await store.receipts.begin(KEY, "two", LONG)
    assert isinstance(found, Busy)
    assert 0 < found.seconds <= LONG
    assert await store.receipts.begin(OTHER, "two", LONG) == Begun()


async def test_what_is_done_is_found_byte_for_byte(store: Store) -> None:
    await store.receipts.begin(KEY, "one", LONG)
    assert await store.receipts.finish(KEY, "one", ANSWER, WEEK) is True
    for owner in ("one", "two"):
        assert await store.receipts.begin(KEY, owner, LONG) == Receipt(ANSWER)
    assert await store.receipts.begin(OTHER, "two", LONG) == Begun()


@pytest.mark.parametrize("response", [Response(204, b"", ()), Response(200, b"")])
async def test_an_empty_answer_is_an_answer(store: Store, response: Response) -> None:
    await store.receipts.begin(KEY, "one", LONG)
    await store.receipts.finish(KEY, "one", response, WEEK)
    assert await store.receipts.begin(KEY, "two", LONG) == Receipt(response)


async def test_what_is_done_without_an_answer_is_done(store: Store) -> None:
    await store.receipts.begin(KEY, "one", LONG)
    assert await store.receipts.finish(KEY, "one", None, WEEK) is True
    assert await store.receipts.begin(KEY, "two", LONG) == Receipt(None)


async def test_what_is_given_back_is_anybodys(store: Store) -> None:
    await store.receipts.begin(KEY, "one", LONG)
    await store.receipts.release(KEY, "one")
    assert await store.receipts.begin(KEY, "two", LONG) == Begun()


async def test_nobody_gives_back_finishes_or_renews_what_is_not_theirs(store: Store) -> None:
    await store.receipts.begin(KEY, "one", LONG)
    await store.receipts.release(KEY, "two")
    assert await store.receipts.renew(KEY, "two", LONG) is False
    assert await store.receipts.finish(KEY, "two", ANSWER, WEEK) is False
    assert isinstance(await store.receipts.begin(KEY, "three", LONG), Busy)
    assert await store.receipts.finish(KEY, "one", ANSWER, WEEK) is True


async def test_what_is_done_is_not_given_back_nor_done_again(store: Store) -> None:
    await store.receipts.begin(KEY, "one", LONG)
    await store.receipts.finish(KEY, "one", ANSWER, WEEK)
    await store.receipts.release(KEY, "one")
    assert await store.receipts.renew(KEY, "one", LONG) is False
    assert await store.receipts.finish(KEY, "one", Response(500, b"x"), WEEK) is False
    assert await store.receipts.begin(KEY, "two", LONG) == Receipt(ANSWER)


async def test_a_key_whose_lease_has_ended_is_taken_over_and_lost_to_its_owner(
    store: Store,
) -> None:
    await store.receipts.begin(KEY, "one", 0.2)
    assert isinstance(await store.receipts.begin(KEY, "two", LONG), Busy)
    await asyncio.sleep(0.3)
    assert await store.receipts.begin(KEY, "two", LONG) == Begun()
    assert await store.receipts.renew(KEY, "one", LONG) is False
    assert await store.receipts.finish(KEY, "one", ANSWER, WEEK) is False
    await store.receipts.release(KEY, "one")
    assert isinstance(await store.receipts.begin(KEY, "three", LONG), Busy)


async def test_a_lease_that_has_ended_is_the_owners_until_somebody_takes_over(
    store: Store,
) -> None:
    await store.receipts.begin(KEY, "one", LONG)
    await pass_time(store, LONG + 1)
    assert await store.receipts.renew(KEY, "one", LONG) is True
    assert isinstance(await store.receipts.begin(KEY, "two", LONG), Busy)
    await pass_time(store, LONG + 1)
    assert await store.receipts.finish(KEY, "one", ANSWER, WEEK) is True
    assert await store.receipts.begin(KEY, "two", LONG) == Receipt(ANSWER)


async def test_a_lease_that_is_renewed_does_not_end(store: Store) -> None:
    await store.receipts.begin(KEY, "one", LONG)
    for _ in range(3):
        await pass_time(store, LONG - 10)
        assert await store.receipts.renew(KEY, "one", LONG) is True
        found = await store.receipts.begin(KEY, "two", LONG)
        assert isinstance(found, Busy)
        assert LONG - 10 < found.seconds <= LONG


async def test_a_receipt_whose_time_is_over_is_forgotten_before_it_is_removed(
    store: Store,
) -> None:
    await store.receipts.begin(KEY, "one", LONG)
    await store.receipts.finish(KEY, "one", ANSWER, WEEK)
    await pass_time(store, WEEK + 1)
    assert await store.receipts.begin(KEY, "two", LONG) == Begun()
    assert await store.receipts.finish(KEY, "two", None, WEEK) is True
    # Nothing of the old answer is left.
    assert await store.receipts.begin(KEY, "three", LONG) == Receipt(None)


async def test_of_many_who_begin_at_once_one_gets_it(store: Store, migrated_url: str) -> None:
    async with opened(migrated_url, command=True) as other:
        for number in range(5):
            key = b"%d" % number
            asked = [
                one.receipts.begin(key, f"{one is store} {n}", LONG)
                for n in range(20)
                for one in (store, other)
            ]
            found = Counter(type(one) for one in await asyncio.gather(*asked))
            assert found == {Begun: 1, Busy: 39}


async def test_of_many_who_take_over_at_once_one_gets_it(store: Store, migrated_url: str) -> None:
    async with opened(migrated_url, command=True) as other:
        for number in range(5):
            key = b"%d" % number
            await store.receipts.begin(key, "gone", LONG)
            await pass_time(store, LONG + 1, key)
            asked = [
                one.receipts.begin(key, f"{one is store} {n}", LONG)
                for n in range(20)
                for one in (store, other)
            ]
            found = Counter(type(one) for one in await asyncio.gather(*asked))
            assert found == {Begun: 1, Busy: 39}


async def test_of_many_who_begin_and_give_back_no_two_have_it_at_once(
    store: Store, migrated_url: str
) -> None:
    having: list[str] = []
    most = 0

    async def run(one: Store, owner: str) -> None:
        nonlocal most
        while not isinstance(await one.receipts.begin(KEY, owner, LONG), Begun):
            await asyncio.sleep(0.001)
        having.append(owner)
        most = max(most, len(having))
        await asyncio.sleep(0)
        having.remove(owner)
        await one.receipts.release(KEY, owner)

    async with opened(migrated_url, command=True) as other:
        await asyncio.gather(
            *(run(one, f"{one is store} {n}") for n in range(8) for one in (store, other))
        )
    assert most == 1
    assert await count(store) == 0


async def test_pruning_removes_what_has_run_out_an_hour_ago_and_nothing_else(
    store: Store,
) -> None:
    for key, done, ago in [
        (b"begun", False, 0),
        (b"crashed", False, LONG + 10),
        (b"long crashed", False, LONG + 3700),
        (b"done", True, WEEK - 60),
        (b"forgotten", True, WEEK + 10),
        (b"long forgotten", True, WEEK + 3700),
    ]:
        await store.receipts.begin(key, "one", LONG)
        if done:
            await store.receipts.finish(key, "one", ANSWER, WEEK)
        await pass_time(store, ago, key)
    assert await store.receipts.prune() == 2
    assert await count(store) == 4
    assert await store.receipts.prune() == 0
    assert await store.receipts.begin(b"done", "two", LONG) == Receipt(ANSWER)
    assert isinstance(await store.receipts.begin(b"begun", "two", LONG), Busy)
    assert await store.receipts.finish(b"crashed", "one", ANSWER, WEEK) is True


async def test_a_server_that_opens_a_sqlite_file_gives_back_what_the_one_before_had_begun(
    migrated_url: str,
) -> None:
    async with opened(migrated_url) as store:
        await store.receipts.begin(KEY, "one", LONG)
        await store.receipts.begin(OTHER, "one", LONG)
        await store.receipts.finish(OTHER, "one", ANSWER, WEEK)
    # A command is no server: it may stand beside one that has begun something.
    async with opened(migrated_url, command=True) as store:
        assert isinstance(await store.receipts.begin(KEY, "two", LONG), Busy)
    async with opened(migrated_url) as store:
        found = await store.receipts.begin(KEY, "two", LONG)
        assert isinstance(found, Begun if "sqlite" in migrated_url else Busy)
        assert await store.receipts.begin(OTHER, "two", LONG) == Receipt(ANSWER)


async def test_a_database_that_is_away_is_said_to_be(migrated_url: str) -> None:
    store = unopened(migrated_url, timeout=5)
    await store.open()
    await store.close()
    if "sqlite" not in migrated_url:
        # A closed pool of connections makes new ones.
        return
    with pytest.raises(StoreUnavailable):
        await store.receipts.begin(KEY, "one", LONG)


def test_what_is_in_an_answer_does_not_show() -> None:
    assert "secret" not in repr(Receipt(Response(200, b"secret", (("Set-Cookie", "secret"),))))
