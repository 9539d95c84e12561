"""A regular expression that takes long ends at the deadline, and holds up nobody meanwhile."""

import asyncio
from collections.abc import Awaitable
from typing import TypeVar

import pytest

from tests.store.opened import make_tables, unopened
from tornado_cc.store import ObjectNotFound, StoreUnavailable

T = TypeVar("T")

# About 0.2 s a text: linear, but slow on purpose.
SLOW = "(a?){600}c"
TEXT = "a" * 40_000
WHERE = {"text": {"$regex": SLOW}}


async def test_a_slow_expression_ends_at_the_deadline(store_url: str) -> None:
    await make_tables(store_url)
    store = unopened(store_url, timeout=1)
    await store.open()
    try:
        for number in range(60):
            await store.objects.insert("Note", f"n{number}", {"text": TEXT})
        with pytest.raises(StoreUnavailable):
            await store.objects.count("Note", WHERE)
        assert await store.objects.count("Note") == 60
    finally:
        await store.close()


async def test_the_loop_goes_on_while_expressions_are_matched(store_url: str) -> None:
    await make_tables(store_url)
    store = unopened(store_url)
    await store.open()
    try:
        for number in range(4):
            await store.objects.insert("Note", f"n{number}", {"text": TEXT})
        found, ticks = await ticks_during(store.objects.count("Note", WHERE))
        # On the loop itself all of them would be matched between two ticks.
        assert (found, ticks > 2) == (0, True)
    finally:
        await store.close()


@pytest.mark.parametrize("how", ["update", "delete", "get"])
async def test_the_loop_goes_on_while_a_condition_is_checked(store_url: str, how: str) -> None:
    await make_tables(store_url)
    store = unopened(store_url)
    await store.open()
    try:
        await store.objects.insert("Note", "n1", {"text": TEXT})
        changes = ({"text": ""},) if how == "update" else ()
        checking = getattr(store.objects, how)("Note", "n1", *changes, where=WHERE)
        refused, ticks = await ticks_during(asyncio.gather(checking, return_exceptions=True))
        assert isinstance(refused[0], ObjectNotFound)
        assert ticks > 2
    finally:
        await store.close()


async def ticks_during(running: Awaitable[T]) -> tuple[T, int]:
    """What came of it, and how often the loop went round meanwhile, at most once in 10 ms."""
    ticks = 0

    async def tick() -> None:
        nonlocal ticks
        while True:
            await asyncio.sleep(0.01)
            ticks += 1

    ticking = asyncio.create_task(tick())
    try:
        result = await running
        return result, ticks
    finally:
        ticking.cancel()
