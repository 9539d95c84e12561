"""Writes that are taken back, on either engine: told of, seen by their writer, and never kept."""

import asyncio
from datetime import timedelta
from functools import partial
from typing import Any

import pytest

from tests.store.opened import make_tables, opened
from tornado_cc.store import DuplicateValue, Store
from tornado_cc.store.tables import metadata
from tornado_cc.store.undone import Change

INCREMENT = {"n": {"__op": "Increment", "amount": 1}}


class Trying:
    """A store whose writes are undone, another of the same database, and what was told."""

    def __init__(self, store: Store, other: Store) -> None:
        self.store = store
        self.other = other
        self.told: list[Change] = []

    def begin(self) -> None:
        self.store.undo_writes(self.told.append)

    @property
    def lines(self) -> list[str]:
        return [" ".join((one.verb, one.table, *one.key)) for one in self.told]

    async def rows(self) -> dict[str, list[Any]]:
        def read(connection: Any) -> dict[str, list[Any]]:
            tables = metadata.sorted_tables
            return {one.name: connection.execute(one.select()).all() for one in tables}

        return await self.other.engine.read(read, 10)


@pytest.fixture
async def trying(store_url: str) -> Any:
    await make_tables(store_url)
    async with opened(store_url, command=True) as store, opened(store_url, command=True) as other:
        yield Trying(store, other)


async def test_what_is_written_is_seen_by_its_writer_and_by_nobody_else(trying: Trying) -> None:
    trying.begin()
    await trying.store.objects.insert("A", "a1", {"n": 1})
    _, after = await trying.store.objects.update("A", "a1", INCREMENT)
    assert after["n"] == 2
    assert (await trying.store.objects.get("A", "a1"))["n"] == 2
    assert await trying.store.objects.count("A") == 1
    assert await trying.other.objects.count("A") == 0
    await trying.store.objects.delete("A", "a1")
    assert await trying.store.objects.count("A") == 0
    assert trying.lines == ["insert objects A a1", "update objects A a1", "delete objects A a1"]


async def test_each_is_made_on_top_of_what_the_database_has_by_then(trying: Trying) -> None:
    await trying.other.objects.insert("A", "a1", {"n": 1})
    trying.begin()
    await trying.store.objects.update("A", "a1", INCREMENT)
    await trying.other.objects.update("A", "a1", {"n": 10})
    assert (await trying.store.objects.get("A", "a1"))["n"] == 11
    assert (await trying.other.objects.get("A", "a1"))["n"] == 10


async def test_what_is_refused_is_not_told_of_and_not_made_again(trying: Trying) -> None:
    await trying.other.objects.insert("A", "a1", {})
    trying.begin()
    with pytest.raises(DuplicateValue):
        await trying.store.objects.insert("A", "a1", {})
    assert await trying.store.objects.count("A") == 1
    assert trying.told == []


async def test_writes_at_once_follow_one_another(trying: Trying) -> None:
    await trying.other.objects.insert("A", "a1", {"n": 0})
    trying.begin()
    both = [trying.store.objects.update("A", "a1", INCREMENT) for _ in range(5)]
    found = sorted(after["n"] for _, after in await asyncio.gather(*both))
    assert found == [1, 2, 3, 4, 5]
    assert [one.values["fields"]["n"] for one in trying.told] == [1, 2, 3, 4, 5]


async def test_no_row_of_any_table_is_changed_and_no_secret_is_told(trying: Trying) -> None:
    await trying.other.users.add("ann", "a long word", user_id="u1")
    before = await trying.rows()
    trying.begin()
    store = trying.store
    token = (await store.users.issue("u1", timedelta(days=1))).token
    assert (await store.users.by_token(token)) is not None
    await store.users.set_password("u1", "another word")
    await store.users.disable("u1")
    player = await store.players.load("u1")
    assert player is not None
    player.private_data["a"] = player.script_data["b"] = 1
    await player.persist()
    del player.private_data["a"]
    await player.persist()
    await store.config.save({"p": 1})
    assert await store.config.get() == {"p": 1}
    await store.config.save({"p": {"__op": "Delete"}})
    assert await trying.rows() == before
    assert trying.lines == [
        "insert sessions u1",
        "update users u1",
        "update sessions u1",
        "update users u1",
        "insert player_data u1 private a",
        "insert player_data u1 script b",
        "delete player_data u1 private a",
        "insert config p",
        "delete config p",
    ]
    values = [one.values for one in trying.told]
    assert not any(name.endswith("_hash") for one in values for name in one)
    assert values[3] == {"disabled": True, "disabled_message": None, "disabled_until": None}


async def test_what_others_write_in_the_same_moment_is_kept(trying: Trying) -> None:
    trying.begin()
    mine = [trying.store.objects.insert("A", f"mine{number}", {}) for number in range(5)]
    # By the same engine, whose writer makes one transaction of what has gathered.
    theirs = [trying.store.engine.write(partial(_insert, number), 10) for number in range(5)]
    await asyncio.gather(*mine, *theirs)
    found = await trying.other.objects.find("A")
    assert sorted(one["objectId"] for one in found) == [f"theirs{number}" for number in range(5)]
    assert trying.lines == [f"insert objects A mine{number}" for number in range(5)]


def _insert(number: int, connection: Any) -> None:
    row = {"class_name": "A", "object_id": f"theirs{number}", "fields": {}}
    times = {"created_at": "2025", "updated_at": "2025"}
    connection.execute(metadata.tables["objects"].insert(), {**row, **times})
