"""Players and what is kept for them, on both engines (spec gamesparks, rows 81-85)."""

import asyncio
from typing import Any

import pytest

from tests.store import opened as fixtures
from tests.store.opened import Statements, outcomes
from tornado_cc.store import (
    DuplicateValue,
    InvalidName,
    InvalidValue,
    ObjectNotFound,
    Player,
    Store,
)

migrated_file, migrated_server = fixtures.migrated_file, fixtures.migrated_server
migrated_url, store = fixtures.migrated_url, fixtures.store


async def loaded(store: Store, player_id: str) -> Player:
    player = await store.players.load(player_id)
    assert player is not None
    return player


async def test_a_new_player_is_loaded_as_it_was_made(store: Store) -> None:
    made = await store.players.create(
        "p1", user_name="ada", display_name="Ada", external_ids={"FB": "1", "n\0'": [1.5, None]}
    )
    for player in (made, await loaded(store, "p1")):
        assert (player.id, player.user_name, player.display_name) == ("p1", "ada", "Ada")
        assert player.external_ids == {"FB": "1", "n\0'": [1.5, None]}
        assert (player.private_data, player.script_data) == ({}, {})


async def test_a_player_has_an_id_of_ours_unless_one_is_given(store: Store) -> None:
    one, other = await store.players.create(), await store.players.create()
    assert one.id != other.id
    assert (await loaded(store, one.id)).user_name is None


async def test_a_user_is_a_player_and_a_player_a_user(store: Store) -> None:
    ada = await store.users.add("ada", "secret")
    assert (await loaded(store, ada.id)).user_name == "ada"
    made = await store.players.create(user_name="bob")
    bob = await store.users.find("bob")
    assert bob is not None
    assert bob.id == made.id
    assert bob.password_set_at is None


async def test_a_name_or_an_id_that_is_taken_is_refused(store: Store) -> None:
    await store.players.create("p1", user_name="ada")
    for player_id, name in (("p1", None), (None, "ada"), ("p1", "bob")):
        with pytest.raises(DuplicateValue):
            await store.players.create(player_id, user_name=name)
    assert len(await store.users.all()) == 1


@pytest.mark.parametrize("player_id", ["", "\0", "\ud800", "a b", "x" * 129, 5, None])
async def test_nobody_is_loaded_by_an_id_nobody_can_have(store: Store, player_id: Any) -> None:
    await store.players.create("p1")
    assert await store.players.load(player_id) is None
    if player_id is not None:
        with pytest.raises(InvalidName):
            await store.players.create(player_id)


@pytest.mark.parametrize(
    ("given", "error"),
    [
        ({"user_name": "a\0"}, InvalidName),
        ({"display_name": "a\0"}, InvalidValue),
        ({"display_name": 5}, InvalidValue),
        ({"external_ids": {"a": float("nan")}}, InvalidValue),
        ({"external_ids": {"a": "\ud800"}}, InvalidValue),
        ({"external_ids": {"a\ud800": 1}}, InvalidValue),
        ({"external_ids": ["a"]}, InvalidValue),
        ({"external_ids": "ab"}, InvalidValue),
    ],
)
async def test_a_player_that_cannot_be_kept_is_refused(
    store: Store, given: dict[str, Any], error: type[Exception]
) -> None:
    with pytest.raises(error):
        await store.players.create(**given)
    assert await store.users.all() == []


async def test_what_is_persisted_is_loaded(store: Store) -> None:
    player = await store.players.create("p1")
    player.private_data = {"wallet": {"gold": 5, "a.b$\0": [1.0, None, True]}}
    player.script_data["shown"] = "ä\0"
    await player.persist()
    after = await loaded(store, "p1")
    assert after.private_data == {"wallet": {"gold": 5, "a.b$\0": [1.0, None, True]}}
    assert after.script_data == {"shown": "ä\0"}


async def test_only_changed_keys_are_written(store: Store) -> None:
    player = await store.players.create("p1")
    player.private_data.update({"same": 1, "changed": [1], "removed": 1})
    player.script_data["same"] = 2
    await player.persist()
    with Statements() as statements:
        await player.persist()
    assert statements.of("users") == 0
    other = await loaded(store, "p1")
    other.private_data["same"] = 10
    await other.persist()
    player.private_data["changed"].append(2)
    del player.private_data["removed"]
    await player.persist()
    after = await loaded(store, "p1")
    assert after.private_data == {"same": 10, "changed": [1, 2]}
    assert after.script_data == {"same": 2}


async def test_one_key_of_private_data_is_not_the_same_of_script_data(store: Store) -> None:
    player = await store.players.create("p1")
    player.private_data["k"], player.script_data["k"] = 1, 2
    await player.persist()
    del player.private_data["k"]
    await player.persist()
    after = await loaded(store, "p1")
    assert (after.private_data, after.script_data) == ({}, {"k": 2})


@pytest.mark.parametrize(
    ("data", "error"),
    [
        ({"": 1}, InvalidName),
        ({"a\0": 1}, InvalidName),
        ({"\ud800": 1}, InvalidName),
        ({"x" * 257: 1}, InvalidName),
        ({5: 1}, InvalidName),
        ({"a": float("inf")}, InvalidValue),
        ({"a": object()}, InvalidValue),
        ({"a": "\ud800"}, InvalidValue),
        ({"a": {"b": {1: 2}}}, InvalidValue),
        ({"a": "x" * (1 << 20)}, InvalidValue),
        (None, InvalidValue),
        (["a"], InvalidValue),
    ],
)
async def test_nothing_is_saved_when_a_part_cannot_be(
    store: Store, data: Any, error: type[Exception]
) -> None:
    player = await store.players.create("p1")
    player.script_data["good"] = 1
    player.private_data = data
    with pytest.raises(error):
        await player.persist()
    assert (await loaded(store, "p1")).script_data == {}
    player.private_data = {}
    await player.persist()
    assert (await loaded(store, "p1")).script_data == {"good": 1}


async def test_a_value_that_contains_itself_is_refused(store: Store) -> None:
    player = await store.players.create("p1")
    player.private_data["a"] = player.private_data
    with pytest.raises(InvalidValue):
        await player.persist()


async def test_a_copy_shares_nothing_until_it_is_adopted(store: Store) -> None:
    player = await store.players.create("p1", external_ids={"FB": ["1"]})
    player.private_data["list"] = [1]
    await player.persist()
    own = player.copy()
    own.private_data["list"].append(2)
    own.external_ids["FB"].append("2")
    assert player.private_data == {"list": [1]}
    assert player.external_ids == {"FB": ["1"]}
    await own.persist()
    player.adopt(own)
    with Statements() as statements:
        await player.persist()
    assert statements.of("users") == 0
    assert (await loaded(store, "p1")).private_data == {"list": [1, 2]}


async def test_saving_a_player_nobody_knows_is_refused(store: Store) -> None:
    for player_id in ("nobody", "\0"):
        with pytest.raises(ObjectNotFound):
            await store.players.save(player_id, {("private", "a"): b"1"}, set())


async def test_saves_of_different_keys_at_once_are_all_kept(store: Store) -> None:
    await store.players.create("p1")
    players = [await loaded(store, "p1") for _ in range(50)]
    for number, player in enumerate(players):
        player.private_data[f"key{number}"] = number
        player.script_data[f"key{49 - number}"] = number
    assert await outcomes(*(player.persist() for player in players)) == {"ok": 50}
    after = await loaded(store, "p1")
    assert after.private_data == {f"key{number}": number for number in range(50)}
    assert after.script_data == {f"key{49 - number}": number for number in range(50)}


async def test_saves_of_the_same_keys_at_once_do_not_wait_for_each_other_for_ever(
    store: Store,
) -> None:
    await store.players.create("p1")
    keys = [f"key{number}" for number in range(10)]
    players = [await loaded(store, "p1") for _ in range(20)]
    for number, player in enumerate(players):
        player.private_data = dict.fromkeys(keys if number % 2 else reversed(keys), number)
    async with asyncio.timeout(20):
        assert await outcomes(*(player.persist() for player in players)) == {"ok": 20}
    kept = (await loaded(store, "p1")).private_data
    assert kept.keys() == set(keys)
    assert len(set(kept.values())) == 1


async def test_what_is_kept_comes_in_the_order_of_its_keys_on_both_engines(store: Store) -> None:
    player = await store.players.create("p1")
    for key in ("b", "a", "B", "ä", "aa"):
        player.private_data[key] = 1
        await player.persist()
    assert list((await loaded(store, "p1")).private_data) == ["B", "a", "aa", "b", "ä"]


async def test_a_player_whose_id_is_assigned_to_is_saved_as_who_they_are(store: Store) -> None:
    player = await store.players.create("p1")
    await store.players.create("p2")
    player.id = "p2"
    player.private_data["mine"] = True
    await player.persist()
    copy = player.copy()
    assert copy.id == "p1"
    copy.id, copy.private_data["too"] = "p2", True
    await copy.persist()
    assert (await loaded(store, "p1")).private_data == {"mine": True, "too": True}
    assert (await loaded(store, "p2")).private_data == {}
