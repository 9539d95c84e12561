"""Rows 66 to 79 against sessions of the store: which tokens count, and who is kept out."""

from collections.abc import Awaitable, Callable
from datetime import timedelta
from typing import Any

import pytest

from tests.dialects.skygear.served import SKYGEAR, plugin
from tests.dialects.skygear.test_users import NO_TOKEN, PLUGIN, error, user
from tests.serving import Serve, Served
from tornado_cc.core import clock
from tornado_cc.store import Store, tables

VERIFIED = f"{SKYGEAR}verification_required = on\n"
POLICY = f"{SKYGEAR}password_days = 30\n"
UNVERIFIED = error("VerificationRequired", 128, "User is not yet verified", 403)
EXPIRED = error("PasswordPolicyViolated", 126, "password expired")
GOD = user("_god")
USER, KEY, ANY = "/user", "/key", "/whoami"
FIRED = {path: f"http_endpoint {path}.GET (mine)" for path in (USER, KEY, ANY)}


def disabled(**info: str) -> tuple[int, dict[str, Any]]:
    status, envelope = error("UserDisabled", 127, "user is disabled", 403)
    return status, {"error": {**envelope["error"], **({"info": info} if info else {})}}


async def ask(served: Served, path: str, token: str, key: str = "") -> tuple[int, Any]:
    headers = {"X-Skygear-Access-Token": token}
    if key:
        headers["X-Skygear-API-Key"] = key
    answer = await served.request("GET", path, headers)
    return answer.status, answer.json()


async def known(serve: Serve, conf: str = SKYGEAR, **how: Any) -> tuple[Served, str]:
    """A server with one user, and a token of theirs."""
    served = await serve(conf, PLUGIN)
    await served.store.users.add("zoe", user_id="user-42", **how)
    return served, (await served.store.users.issue("user-42")).token


async def check_soft(served: Served, token: str) -> None:
    """Where no user is required, whoever is kept out is nobody: the call goes on without them."""
    before = len(served.fired)
    assert await ask(served, KEY, token) == user(None)
    assert await ask(served, KEY, token, "client-key") == user(None)
    assert await ask(served, ANY, token) == user(None)
    assert served.fired[before:] == [FIRED[KEY], FIRED[KEY], FIRED[ANY]]


async def check_no_token(served: Served, token: str) -> None:
    """A token that does not count: refused where one is looked for, passed over elsewhere."""
    before = len(served.fired)
    for path in (USER, KEY):
        for key in ("", "client-key", "master-key"):
            assert await ask(served, path, token, key) == NO_TOKEN
    assert await ask(served, ANY, token) == user(None)
    assert served.fired[before:] == [FIRED[ANY]]


async def test_a_token_says_who_calls_alone_and_with_either_key(serve: Serve) -> None:
    served, token = await known(serve)
    for path in (USER, KEY, ANY):
        for key in ("", "client-key", "master-key"):
            assert await ask(served, path, token, key) == user("user-42")
    assert served.fired == [FIRED[path] for path in (USER, KEY, ANY) for _ in range(3)]


async def test_a_user_may_have_several_tokens_and_each_counts_until_it_ends(serve: Serve) -> None:
    served, first = await known(serve)
    users = served.store.users
    second = (await users.issue("user-42", timedelta(hours=1))).token
    await users.log_out(first)
    assert await ask(served, USER, second) == user("user-42")
    await check_no_token(served, first)


async def test_a_token_that_has_expired_does_not_count(serve: Serve) -> None:
    served, _ = await known(serve)
    session = await served.store.users.issue("user-42", timedelta(seconds=-1))
    await check_no_token(served, session.token)


@pytest.mark.parametrize("token", ["bad", "b\xe4d", "x" * 4000, "r:" + "0" * 43])
async def test_a_token_nobody_was_given_does_not_count(serve: Serve, token: str) -> None:
    served, _ = await known(serve)
    await check_no_token(served, token)


async def test_a_token_is_compared_to_the_letter(serve: Serve) -> None:
    served, token = await known(serve)
    await check_no_token(served, token.swapcase())


ENDS: dict[str, Callable[[Store], Awaitable[None]]] = {
    "password": lambda store: store.users.set_password("user-42", "another password"),
    "revoked": lambda store: store.users.revoke_all("user-42"),
}


@pytest.mark.parametrize("ends", ENDS.values(), ids=ENDS)
async def test_tokens_from_before_a_new_password_or_a_general_revocation_do_not_count(
    serve: Serve, ends: Callable[[Store], Awaitable[None]]
) -> None:
    served, token = await known(serve)
    await served.store.users.add("else", user_id="user-7")
    other = (await served.store.users.issue("user-7")).token
    await ends(served.store)
    await check_no_token(served, token)
    assert await ask(served, USER, other) == user("user-7")
    later = (await served.store.users.issue("user-42")).token
    assert await ask(served, USER, later) == user("user-42")


async def test_a_session_dated_before_that_does_not_count_whenever_it_was_written(
    serve: Serve,
) -> None:
    served, _ = await known(serve)
    await served.store.users.revoke_all("user-42")
    token = (await served.store.users.issue("user-42")).token
    earlier = clock.iso(clock.utc_now() - timedelta(hours=1))
    change = tables.sessions.update().values(created_at=earlier)
    await served.store.engine.write(lambda connection: connection.execute(change), 10)
    await check_no_token(served, token)


async def test_a_disabled_user_is_told_until_when_and_why(serve: Serve) -> None:
    served, token = await known(serve)
    until = clock.utc_now() + timedelta(days=1)
    await served.store.users.disable("user-42", message="spam", until=until)
    refusal = disabled(expiry=clock.iso(until), message="spam")
    for key in ("", "client-key", "master-key"):
        assert await ask(served, USER, token, key) == refusal
    assert served.fired == []
    await check_soft(served, token)
    await served.store.users.enable("user-42")
    assert await ask(served, USER, token) == user("user-42")


async def test_a_user_disabled_for_good_and_without_a_word_has_no_info(serve: Serve) -> None:
    served, token = await known(serve)
    await served.store.users.disable("user-42")
    assert await ask(served, USER, token) == disabled()
    await check_soft(served, token)


async def test_who_was_disabled_until_a_moment_that_is_past_is_let_in(serve: Serve) -> None:
    served, token = await known(serve)
    until = clock.utc_now() - timedelta(seconds=1)
    await served.store.users.disable("user-42", message="spam", until=until)
    for path in (USER, KEY, ANY):
        assert await ask(served, path, token) == user("user-42")


async def test_a_token_that_does_not_count_comes_before_a_user_who_is_kept_out(
    serve: Serve,
) -> None:
    served, token = await known(serve)
    await served.store.users.disable("user-42", message="spam")
    await served.store.users.log_out(token)
    await check_no_token(served, token)


async def test_who_is_not_verified_is_kept_out_where_that_is_required(serve: Serve) -> None:
    served, token = await known(serve, VERIFIED, verified=False)
    assert await ask(served, USER, token) == UNVERIFIED
    assert served.fired == []
    await check_soft(served, token)
    await served.store.users.verify("user-42")
    assert await ask(served, USER, token) == user("user-42")


async def test_elsewhere_who_is_not_verified_is_let_in(serve: Serve) -> None:
    served, token = await known(serve, verified=False)
    assert await ask(served, USER, token) == user("user-42")


async def test_who_is_disabled_and_not_verified_is_told_of_the_former(serve: Serve) -> None:
    served, token = await known(serve, VERIFIED, verified=False)
    await served.store.users.disable("user-42")
    assert await ask(served, USER, token) == disabled()


async def with_password_of(serve: Serve, days: int, conf: str = POLICY) -> tuple[Served, str]:
    """A server with one user whose password is so old, and a token of theirs."""
    served, token = await known(serve, conf, password="a long password")
    old = clock.iso(clock.utc_now() - timedelta(days=days))
    change = tables.users.update().values(password_set_at=old)
    await served.store.engine.write(lambda connection: connection.execute(change), 10)
    return served, token


async def test_a_password_that_is_too_old_keeps_out_until_there_is_a_new_one(
    serve: Serve,
) -> None:
    served, token = await with_password_of(serve, 31)
    assert await ask(served, USER, token) == EXPIRED
    assert served.fired == []
    await check_soft(served, token)
    await served.store.users.set_password("user-42", "another password")
    session = await served.store.users.log_in("zoe", "another password")
    assert await ask(served, USER, session.token) == user("user-42")


async def test_a_younger_password_and_none_at_all_are_not_too_old(serve: Serve) -> None:
    served, token = await with_password_of(serve, 29)
    assert await ask(served, USER, token) == user("user-42")
    await served.store.users.add("else", user_id="user-7")
    other = (await served.store.users.issue("user-7")).token
    assert await ask(served, USER, other) == user("user-7")


async def test_without_a_policy_no_password_is_too_old(serve: Serve) -> None:
    served, token = await with_password_of(serve, 5000, SKYGEAR)
    assert await ask(served, USER, token) == user("user-42")


async def test_the_master_key_without_a_token_is_god_whatever_users_are_kept_out(
    serve: Serve,
) -> None:
    served, _ = await known(serve, VERIFIED, verified=False)
    await served.store.users.disable("user-42")
    answer = await served.request("GET", USER, {"X-Skygear-API-Key": "master-key"})
    assert (answer.status, answer.json()) == GOD
    assert served.fired == [FIRED[USER]]


async def test_no_user_can_have_the_masters_name_for_an_id(serve: Serve) -> None:
    creating = plugin(
        """
from tornado_cc import InvalidName

@plugin.handler("create")
async def create(request):
    try:
        await request.call.store.players.create("_god")
    except InvalidName as error:
        return error.message
""",
        "creating",
    )
    served = await serve(SKYGEAR, creating)
    assert "and is not _god" in (await served.request("GET", "/create")).body.decode()
