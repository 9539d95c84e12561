"""A little of everything to be moved from one database to another."""

import asyncio
import contextlib
import itertools
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.postgres import Cluster
from tests.store.opened import opened
from tornado_cc.settings import Database
from tornado_cc.store.fields import check_fields
from tornado_cc.store.move import Moved, move

POINTER = {"__type": "Pointer", "className": "Movie", "objectId": "m1"}
FIELDS = {
    "title": 'Ünï "quoted" \u2028 \U0001f600',
    "float": 1.5,
    "big": 2**53,
    "whole": 3.0,
    "list": [1, [None, True], {"b": 1, "a": {"c": []}}],
    "to": POINTER,
    "text": "12",
    "none": None,
}


async def fill(url: str) -> str:
    """A little of everything there is; returns an access token."""
    async with opened(url, command=True) as store:
        await store.users.add("alice", "a password", user_id="a1", display_name="Al\u00efce")
        token = (await store.users.issue("a1")).token
        ended = (await store.users.issue("a1")).token
        await store.users.log_out(ended)
        player = await store.players.create("p1", external_ids={"fb": {"id": 7}})
        player.private_data["coins"] = 10
        player.script_data["seen"] = ["a", {"b": None}]
        await player.persist()
        await store.config.save({"greeting": "Hi", "key": [1]}, {"key": True})
        await store.objects.insert("Movie", "m1", check_fields(FIELDS))
        for number in range(250):
            await store.objects.insert("Many", f"o{number:03}", {"n": number})
        return token


def no_notice(table: str, done: int, total: int) -> None:
    """Nobody looks on."""


async def moved(source: str, target: str, **more: Any) -> list[Moved]:
    """A move off this thread, whose loop runs a test."""
    notice = more.get("notice", no_notice)
    databases = Database.parse(source), Database.parse(target)
    return await asyncio.to_thread(move, *databases, notice)


@pytest.fixture
def new_url(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Callable[[str], str]]:
    """Makes the url of an empty database on an engine."""
    numbers = itertools.count()
    with contextlib.ExitStack() as stack:

        def make(engine: str) -> str:
            if engine == "postgresql":
                cluster: Cluster = request.getfixturevalue("cluster")
                return stack.enter_context(cluster.database())
            return f"sqlite:///{tmp_path}/{next(numbers)}.db"

        yield make
