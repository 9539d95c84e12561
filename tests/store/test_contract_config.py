"""The configuration, on both engines (spec parse, section 7)."""

import asyncio
from typing import Any

import pytest

from tests.store import opened as fixtures
from tests.store.opened import Statements, opened, outcomes
from tornado_cc.core import clock
from tornado_cc.store import IncorrectType, InvalidName, InvalidValue, Store
from tornado_cc.store.config import REFRESH

migrated_file, migrated_server = fixtures.migrated_file, fixtures.migrated_server
migrated_url, store = fixtures.migrated_url, fixtures.store

DELETE = {"__op": "Delete"}


async def everything(store: Store) -> dict[str, Any]:
    return await store.config.get(use_master_key=True)


async def test_a_new_store_has_no_parameters(store: Store) -> None:
    assert await everything(store) == {}
    assert await store.config.all() == {}


async def test_a_parameter_is_read_back_as_it_was_set(store: Store) -> None:
    values = {"text": "ä\n'", "number": 1.5, "none": None, "list": [1, {"a": True}]}
    await store.config.save(values)
    assert await store.config.get() == values


async def test_a_parameter_for_the_master_key_is_not_seen_without_it(store: Store) -> None:
    await store.config.save({"open": 1, "closed": 2}, {"closed": True})
    assert await store.config.get() == {"open": 1}
    assert await store.config.get(use_master_key=False) == {"open": 1}
    assert await everything(store) == {"open": 1, "closed": 2}
    assert await store.config.all() == {"closed": (2, True), "open": (1, False)}


async def test_a_flag_without_its_parameter_is_refused_and_nothing_is_set(store: Store) -> None:
    for params, flags in (({}, {"later": True}), ({"one": 1}, {"later": True, "one": True})):
        with pytest.raises(InvalidValue, match="later"):
            await store.config.save(params, flags)
    assert await store.config.all() == {}
    # Who removes one may say anything of it.
    await store.config.save({"later": DELETE}, {"later": True})
    assert await store.config.all() == {}


async def test_a_flag_stays_unless_it_is_changed(store: Store) -> None:
    await store.config.save({"closed": 1}, {"closed": True})
    await store.config.save({"closed": 2})
    await store.config.save({"other": 3}, {"other": False})
    assert await store.config.get() == {"other": 3}
    await store.config.save({}, {"closed": False})
    assert await store.config.get() == {"closed": 2, "other": 3}


async def test_a_parameter_set_again_after_it_was_removed_is_public(store: Store) -> None:
    await store.config.save({"closed": 1}, {"closed": True})
    await store.config.save({"closed": DELETE})
    assert await everything(store) == {}
    await store.config.save({"closed": 2})
    assert await store.config.get() == {"closed": 2}


async def test_operations_work_on_parameters(store: Store) -> None:
    await store.config.save({"visits": {"__op": "Increment", "amount": 2}, "tags": ["a"]})
    await store.config.save(
        {
            "visits": {"__op": "Increment"},
            "tags": {"__op": "AddUnique", "objects": ["a", "b"]},
            "absent": DELETE,
        }
    )
    assert await store.config.get() == {"visits": 3, "tags": ["a", "b"]}


@pytest.mark.parametrize(
    ("params", "flags", "error"),
    [
        ({"good": 2, "text": {"__op": "Increment"}}, {}, IncorrectType),
        ({"good": 2, "bad": {"__op": "Nothing"}}, {}, InvalidValue),
        ({"good": 2, "bad": float("nan")}, {}, InvalidValue),
        ({"good": 2, "bad": "\0"}, {}, InvalidValue),
        ({"good": 2, "bad name": 1}, {}, InvalidName),
        ({"good": 2, "bad\0": 1}, {}, InvalidName),
        ({"good": 2}, {"bad\0": True}, InvalidName),
        ({"good": 2}, {"bad\ud800": True}, InvalidName),
        ({"good": 2}, {3: True}, InvalidName),
        ({"good": 2}, {"good": 1}, InvalidValue),
        ({"good": 2}, ["good"], InvalidValue),
        (["good"], {}, InvalidValue),
    ],
)
async def test_nothing_is_set_when_a_part_cannot_be(
    store: Store, params: Any, flags: Any, error: type[Exception]
) -> None:
    await store.config.save({"good": 1, "text": "x"})
    with pytest.raises(error):
        await store.config.save(params, flags)
    assert await store.config.all() == {"good": (1, False), "text": ("x", False)}


async def test_that_a_parameter_that_is_not_there_is_public_is_passed_over(store: Store) -> None:
    await store.config.save({}, {"absent": False})
    assert await store.config.all() == {}


async def test_what_get_returns_is_a_copy(store: Store) -> None:
    given = {"list": [1]}
    await store.config.save(given)
    given["list"].append(2)
    (await store.config.get())["list"].append(3)
    (await store.config.all())["list"][0].append(4)
    assert await store.config.get() == {"list": [1]}


async def test_a_second_get_asks_the_database_nothing(store: Store) -> None:
    await store.config.save({"a": 1})
    with Statements() as first:
        await store.config.get()
    assert (first.of("versions"), first.of("config")) == (1, 1)
    begun = clock.monotonic()
    with Statements() as second:
        await asyncio.gather(*(store.config.get() for _ in range(20)))
    assert second.of("config") == 0
    # A busy machine may have taken so long that it was time to look again.
    assert second.of("versions") == 0 or clock.monotonic() - begun > REFRESH / 2


async def test_a_refresh_without_a_change_asks_for_the_version_only(store: Store) -> None:
    await store.config.save({"a": 1})
    await store.config.get()
    await asyncio.sleep(REFRESH)
    with Statements() as statements:
        assert await store.config.get() == {"a": 1}
    assert (statements.of("versions"), statements.of("config")) == (1, 0)


async def test_a_change_of_its_own_is_seen_at_once(store: Store) -> None:
    for number in range(20):
        await store.config.save({"a": number})
        assert await store.config.get() == {"a": number}


async def test_a_change_of_its_own_is_seen_although_a_refresh_was_under_way(store: Store) -> None:
    stop = asyncio.Event()

    async def refresh() -> None:
        while not stop.is_set():
            await store.config.all()

    others = [asyncio.create_task(refresh()) for _ in range(4)]
    try:
        for number in range(50):
            await store.config.save({"a": number})
            assert (await store.config.get())["a"] == number
    finally:
        stop.set()
        await asyncio.gather(*others)


async def test_another_stores_change_is_seen_before_long(store: Store, migrated_url: str) -> None:
    await store.config.save({"a": 1})
    async with opened(migrated_url, command=True) as other:
        assert await store.config.get() == {"a": 1}
        await other.config.save({"a": 2, "b": 3}, {"b": True})
        await asyncio.sleep(REFRESH + 0.05)
        assert await store.config.get() == {"a": 2}
        await other.config.save({"a": DELETE})
        await asyncio.sleep(REFRESH + 0.05)
        assert await everything(store) == {"b": 3}


async def test_changes_of_different_parameters_at_once_are_all_kept(
    store: Store, migrated_url: str
) -> None:
    async with opened(migrated_url, command=True) as other:
        both = (store, other)
        saves = (both[n % 2].config.save({f"name{n}": n}) for n in range(50))
        assert await outcomes(*saves) == {"ok": 50}
    assert await store.config.all() == {f"name{n}": (n, False) for n in range(50)}


async def test_increments_of_one_parameter_at_once_lose_nothing(store: Store) -> None:
    saves = (store.config.save({"visits": {"__op": "Increment"}}) for _ in range(50))
    assert await outcomes(*saves) == {"ok": 50}
    assert await store.config.get() == {"visits": 50}
