"""Users, on both engines."""

import asyncio
from datetime import UTC, datetime, timedelta, timezone
from typing import Any

import pytest

from tests.store import opened as fixtures
from tests.store.opened import outcomes
from tornado_cc.core import clock
from tornado_cc.core.state import User
from tornado_cc.store import (
    DuplicateValue,
    InvalidName,
    InvalidValue,
    ObjectNotFound,
    Store,
)

migrated_file, migrated_server = fixtures.migrated_file, fixtures.migrated_server
migrated_url, store = fixtures.migrated_url, fixtures.store

ODD = ["", "\0", "a\0b", "\ud800", "\udc80", "a b", "x" * 129, "' OR 1=1 --", None, 5]
"""What nobody has for an id."""


async def test_a_user_is_found_by_id_and_by_name(store: Store) -> None:
    before = clock.now()
    added = await store.users.add("Änne O'Neill", "secret", display_name="Änne\n", verified=False)
    assert added == User(
        id=added.id,
        user_name="Änne O'Neill",
        display_name="Änne\n",
        verified=False,
        password_set_at=added.created_at,
        created_at=added.created_at,
    )
    assert before <= added.created_at <= clock.now()
    assert await store.users.get(added.id) == added
    assert await store.users.find(added.id) == added
    assert await store.users.find("Änne O'Neill") == added
    assert await store.users.get("Änne O'Neill") is None


async def test_a_name_is_found_before_an_id(store: Store) -> None:
    first = await store.users.add("one", user_id="two")
    second = await store.users.add("two", user_id="three")
    assert await store.users.find("two") == second
    assert await store.users.get("two") == first


async def test_a_user_needs_no_password(store: Store) -> None:
    added = await store.users.add("ada", user_id="facebook:1@x.y+z-_")
    assert added.id == "facebook:1@x.y+z-_"
    assert added.password_set_at is None


async def test_names_differ_by_case_and_by_any_other_character(store: Store) -> None:
    names = ["ada", "Ada", "adä", "ada\u0308"]
    added = [await store.users.add(name) for name in names]
    assert len({one.id for one in added}) == len(names)
    assert [await store.users.find(name) for name in names] == added


async def test_a_name_or_an_id_that_is_taken_is_refused(store: Store) -> None:
    ada = await store.users.add("ada", user_id="1")
    for name, user_id in (("ada", "2"), ("ada", None), ("bob", "1"), ("ada", "1")):
        with pytest.raises(DuplicateValue, match="exists already"):
            await store.users.add(name, user_id=user_id)
    assert await store.users.all() == [ada]


@pytest.mark.parametrize("name", ["", " ", " a", "a ", "a\nb", "a\0", "\ud800", "x" * 129, 5, None])
async def test_what_cannot_be_a_name_is_refused_and_not_found(store: Store, name: Any) -> None:
    with pytest.raises(InvalidName):
        await store.users.add(name)
    assert await store.users.find(name) is None
    assert await store.users.all() == []


@pytest.mark.parametrize("user_id", [one for one in ODD if one is not None])
async def test_what_cannot_be_an_id_is_refused(store: Store, user_id: Any) -> None:
    with pytest.raises(InvalidName):
        await store.users.add("ada", user_id=user_id)
    assert await store.users.all() == []


@pytest.mark.parametrize("user_id", ODD)
async def test_what_cannot_be_an_id_is_nobodys(store: Store, user_id: Any) -> None:
    await store.users.add("ada")
    users = store.users
    assert await users.get(user_id) is None
    assert await users.find(user_id) is None
    for change in (
        users.issue(user_id),
        users.revoke_all(user_id),
        users.set_password(user_id, "secret"),
        users.disable(user_id),
        users.enable(user_id),
        users.verify(user_id),
    ):
        with pytest.raises(ObjectNotFound, match="no such user"):
            await change


@pytest.mark.parametrize("text", ["\0", "a\ud800", 5, b"x"])
async def test_a_text_that_cannot_be_kept_is_refused(store: Store, text: Any) -> None:
    ada = await store.users.add("ada")
    with pytest.raises(InvalidValue):
        await store.users.add("bob", display_name=text)
    with pytest.raises(InvalidValue):
        await store.users.disable(ada.id, message=text)
    assert await store.users.all() == [ada]


@pytest.mark.parametrize("password", ["", "x" * 1025, 5, b"x"])
async def test_what_cannot_be_a_password_is_refused(store: Store, password: Any) -> None:
    with pytest.raises(InvalidValue):
        await store.users.add("ada", password)
    assert await store.users.all() == []
    ada = await store.users.add("ada")
    with pytest.raises(InvalidValue):
        await store.users.set_password(ada.id, password)
    assert await store.users.get(ada.id) == ada


async def test_users_are_listed_by_id_a_page_at_a_time(store: Store) -> None:
    ids = ["B", "a", "_", "1", "10", "2", "-", "C:1", "c"]
    for user_id in ids:
        await store.users.add(f"name of {user_id}", user_id=user_id)
    found: list[str] = []
    while page := await store.users.all(after=found[-1] if found else "", limit=2):
        assert len(page) <= 2
        found += [user.id for user in page]
    assert found == sorted(ids)


async def test_a_user_is_kept_out_for_good_until_let_in(store: Store) -> None:
    ada = await store.users.add("ada")
    await store.users.disable(ada.id, message="Spam")
    kept_out = await store.users.get(ada.id)
    assert kept_out is not None
    assert (kept_out.disabled, kept_out.disabled_message) == (True, "Spam")
    assert kept_out.disabled_until is None
    await store.users.enable(ada.id)
    assert await store.users.get(ada.id) == ada


async def test_a_user_is_kept_out_until_a_moment(store: Store) -> None:
    ada = await store.users.add("ada")
    until = datetime(2100, 1, 1, 2, tzinfo=timezone(timedelta(hours=2)))
    await store.users.disable(ada.id, until=until)
    kept_out = await store.users.get(ada.id)
    assert kept_out is not None
    assert kept_out.disabled
    assert kept_out.disabled_until == "2100-01-01T00:00:00.000Z"
    await store.users.disable(ada.id, until=datetime(2000, 1, 1, tzinfo=UTC))
    let_in = await store.users.get(ada.id)
    assert let_in is not None
    assert not let_in.disabled


async def test_a_moment_without_a_time_zone_is_refused(store: Store) -> None:
    ada = await store.users.add("ada")
    with pytest.raises(InvalidValue, match="time zone"):
        await store.users.disable(ada.id, until=datetime(2100, 1, 1))
    assert await store.users.get(ada.id) == ada


async def test_whether_a_user_is_verified_is_noted(store: Store) -> None:
    ada = await store.users.add("ada", verified=False)
    await store.users.verify(ada.id)
    assert (await store.users.get(ada.id) or ada).verified
    await store.users.verify(ada.id, verified=False)
    assert await store.users.get(ada.id) == ada


async def test_one_of_many_who_add_the_same_name_at_once_gets_it(store: Store) -> None:
    adding = (store.users.add("ada") for _ in range(20))
    assert await outcomes(*adding) == {"ok": 1, "DuplicateValue": 19}
    assert [user.user_name for user in await store.users.all()] == ["ada"]


async def test_changes_of_one_user_at_once_are_all_made(store: Store) -> None:
    ada = await store.users.add("ada", verified=False)
    await asyncio.gather(
        store.users.verify(ada.id),
        store.users.disable(ada.id, message="x"),
        store.users.set_password(ada.id, "secret"),
        *(store.users.issue(ada.id) for _ in range(10)),
    )
    after = await store.users.get(ada.id)
    assert after is not None
    assert (after.verified, after.disabled) == (True, True)
    assert after.password_set_at is not None
