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
from tornado_cc.core.record import Record
from tornado_cc.settings import Database
from tornado_cc.store.fields import check_fields
from tornado_cc.store.lanes import NewDelivery
from tornado_cc.store.move import Moved, move
from tornado_cc.store.tables import schedules

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


RECORD = Record(
    id="01M8AN1CWN33ET0V6T9NE81Y10",
    received_at="2026-01-31T12:00:00.000Z",
    dialect="parse",
    method="POST",
    route="/webhooks",
    path="/webhooks",
    query="",
    headers=[["accept", "*/*"]],
    body=b"\x00\xff",
    size=2,
    remote="127.0.0.1",
)
DUE = schedules.insert().values(name="p daily", due_at=1_800_000_000_000)


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
        await store.outbox.add(
            [
                NewDelivery(kind="hook", plugin="p", target="t", payload="{}", lane="l")
                for _ in range(2)
            ],
            RECORD,
        )
        await store.receipts.begin(b"key", "somebody", 30)
        await store.engine.write(lambda connection: connection.execute(DUE), 10)
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
