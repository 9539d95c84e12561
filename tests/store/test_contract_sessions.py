"""Sessions and log-ins, on both engines."""

import asyncio
import itertools
from datetime import timedelta
from typing import Any

import pytest

from tests.store import opened as fixtures
from tornado_cc.core import clock
from tornado_cc.core.state import User
from tornado_cc.store import BadCredentials, InvalidValue, Store, UserDisabled

migrated_file, migrated_server = fixtures.migrated_file, fixtures.migrated_server
migrated_url, store = fixtures.migrated_url, fixtures.store

PASSWORD = "correct horse"
ODD = ["", "\0", "\ud800", "\udc80", "' OR 1=1 --", "x" * 10_000]


@pytest.fixture
async def ada(store: Store) -> User:
    return await store.users.add("ada", PASSWORD)


async def test_a_token_leads_to_its_user(store: Store, ada: User) -> None:
    session = await store.users.issue(ada.id)
    assert (session.user_id, session.expires_at) == (ada.id, None)
    assert await store.users.by_token(session.token) == ada


async def test_tokens_have_32_random_bytes(store: Store, ada: User) -> None:
    tokens = {(await store.users.issue(ada.id)).token for _ in range(20)}
    assert len(tokens) == 20
    assert {len(token) for token in tokens} == {len("tcc_") + 43}


@pytest.mark.parametrize("token", ODD)
async def test_what_is_no_token_leads_to_nobody(store: Store, ada: User, token: str) -> None:
    await store.users.issue(ada.id)
    assert await store.users.by_token(token) is None
    await store.users.log_out(token)


async def test_a_token_counts_until_it_expires(store: Store, ada: User) -> None:
    over = await store.users.issue(ada.id, timedelta(0))
    lasting = await store.users.issue(ada.id, timedelta(hours=1))
    assert over.expires_at is not None
    assert lasting.expires_at is not None
    assert lasting.expires_at > over.expires_at
    assert await store.users.by_token(over.token) is None
    assert await store.users.by_token(lasting.token) == ada


async def test_a_session_ends_before_the_year_10000(store: Store, ada: User) -> None:
    with pytest.raises(InvalidValue):
        await store.users.issue(ada.id, timedelta.max)


async def test_logging_out_ends_that_session_only(store: Store, ada: User) -> None:
    one, other = await store.users.issue(ada.id), await store.users.issue(ada.id)
    await store.users.log_out(one.token)
    await store.users.log_out(one.token)
    assert await store.users.by_token(one.token) is None
    assert await store.users.by_token(other.token) == ada


async def test_revoking_ends_the_sessions_there_are_and_no_later_one(
    store: Store, ada: User
) -> None:
    bob = await store.users.add("bob")
    his = await store.users.issue(bob.id)
    for _ in range(5):
        before = [await store.users.issue(ada.id) for _ in range(3)]
        await store.users.revoke_all(ada.id)
        after = await store.users.issue(ada.id)
        assert [await store.users.by_token(one.token) for one in before] == [None] * 3
        assert await store.users.by_token(after.token) == ada
    assert await store.users.by_token(his.token) == bob


async def test_a_new_password_ends_the_sessions_from_before(store: Store, ada: User) -> None:
    before = await store.users.log_in("ada", PASSWORD)
    await store.users.set_password(ada.id, "another")
    assert await store.users.by_token(before.token) is None
    with pytest.raises(BadCredentials):
        await store.users.log_in("ada", PASSWORD)
    after = await store.users.log_in("ada", "another")
    assert await store.users.by_token(after.token) is not None


async def test_who_logs_in_while_the_password_changes_has_no_session_afterwards(
    store: Store, ada: User
) -> None:
    passwords = [PASSWORD, *(f"password {n}" for n in range(6))]
    for old, new in itertools.pairwise(passwords):
        _, *logged_in = await asyncio.gather(
            store.users.set_password(ada.id, new),
            *(store.users.log_in("ada", old) for _ in range(4)),
            return_exceptions=True,
        )
        for session in logged_in:
            if isinstance(session, BaseException):
                assert isinstance(session, BadCredentials)
            elif session is not None:
                assert await store.users.by_token(session.token) is None


async def test_who_knows_the_password_gets_a_session(store: Store, ada: User) -> None:
    session = await store.users.log_in("ada", PASSWORD, expires_in=timedelta(days=1))
    assert session.user_id == ada.id
    assert session.expires_at is not None
    assert session.expires_at > clock.now()
    assert await store.users.by_token(session.token) == ada


@pytest.mark.parametrize("password", ["x" * 1024, "ü\0\n", "\ud800", " "])
async def test_any_text_can_be_a_password(store: Store, ada: User, password: str) -> None:
    await store.users.set_password(ada.id, password)
    assert (await store.users.log_in("ada", password)).user_id == ada.id
    with pytest.raises(BadCredentials):
        await store.users.log_in("ada", password + "x")


@pytest.mark.parametrize("name", [*ODD, "bob", "Ada", " ada", None, 5])
async def test_an_unknown_name_is_refused_as_a_wrong_password_is(
    store: Store, ada: User, name: Any
) -> None:
    with pytest.raises(BadCredentials) as unknown:
        await store.users.log_in(name, PASSWORD)
    with pytest.raises(BadCredentials) as wrong:
        await store.users.log_in("ada", "wrong")
    assert unknown.value.message == wrong.value.message
    assert (unknown.value.code, unknown.value.info) == (wrong.value.code, wrong.value.info)


@pytest.mark.parametrize("password", [*ODD, "nobody's password", PASSWORD + " ", None, 5])
async def test_a_wrong_password_is_refused(store: Store, ada: User, password: Any) -> None:
    await store.users.add("passwordless")
    for name in ("ada", "passwordless", "nobody"):
        with pytest.raises(BadCredentials):
            await store.users.log_in(name, password)


async def test_a_disabled_user_is_told_so_once_the_password_is_right(
    store: Store, ada: User
) -> None:
    session = await store.users.issue(ada.id)
    await store.users.disable(ada.id, message="Spam")
    with pytest.raises(UserDisabled) as told:
        await store.users.log_in("ada", PASSWORD)
    assert (told.value.code, told.value.info) == (127, {"message": "Spam"})
    with pytest.raises(BadCredentials):
        await store.users.log_in("ada", "wrong")
    found = await store.users.by_token(session.token)
    assert found is not None
    assert found.disabled
