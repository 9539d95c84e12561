"""The question of a subscription, asked as Facebook asks it."""

from urllib.parse import urlencode

import pytest

from tests.serving import Answer, Serve, Served

URL = "/callback/KEY/facebook/F1/"
CONF = """
[dialect:gamesparks]
api_key = KEY
server_secret = SEC

[credential:facebook]
secret = F1
"""
KNOWING = f"{CONF}\n[plugin:challenge]\nverify_token = our-verify-token\n"
TOKEN = "our-verify-token"
WRONG = {"error": {"script": "The verify token is wrong"}}


async def ask(served: Served, *pairs: tuple[str, str]) -> Answer:
    return await served.request("GET", f"{URL}?{urlencode(pairs)}")


def subscribing(token: str) -> list[tuple[str, str]]:
    return [
        ("hub.mode", "subscribe"),
        ("hub.challenge", "1158201444"),
        ("hub.verify_token", token),
    ]


async def test_whoever_knows_the_token_gets_the_challenge_back(serve: Serve) -> None:
    served = await serve(KNOWING, enable="challenge")
    answer = await ask(served, *subscribing(TOKEN))
    assert (answer.status, answer.body) == (200, b"1158201444")
    assert answer.header("content-type") == "text/plain;charset=UTF-8"
    assert served.fired == ["on_callback facebook (challenge)"]


@pytest.mark.parametrize("token", ["", "wrong", f"{TOKEN} ", TOKEN.upper()])
async def test_whoever_does_not_is_refused(token: str, serve: Serve) -> None:
    served = await serve(KNOWING, enable="challenge")
    answer = await ask(served, *subscribing(token))
    assert (answer.status, answer.json()) == (400, WRONG)


async def test_no_token_and_two_tokens_are_wrong_ones(serve: Serve) -> None:
    served = await serve(KNOWING, enable="challenge")
    for pairs in (subscribing(TOKEN)[:2], [*subscribing(TOKEN), ("hub.verify_token", TOKEN)]):
        answer = await ask(served, *pairs)
        assert (answer.status, answer.json()) == (400, WRONG)


@pytest.mark.parametrize("token", ["", TOKEN])
async def test_nobody_is_answered_while_no_token_is_set(token: str, serve: Serve) -> None:
    served = await serve(CONF, enable="challenge")
    assert (await ask(served, *subscribing(token))).json() == WRONG


async def test_what_happened_is_taken_as_it_is(serve: Serve) -> None:
    served = await serve(KNOWING, enable="challenge")
    kind = {"Content-Type": "application/json"}
    answer = await served.request("POST", URL, kind, b'{"entry":[{"id":"7"}]}')
    assert (answer.status, answer.body) == (200, b"OK")


async def test_other_callbacks_are_not_its_own(serve: Serve) -> None:
    served = await serve(KNOWING, enable="challenge")
    answer = await served.request("GET", "/callback/KEY/SEC/?hub.challenge=1")
    assert answer.json() == {}
    assert served.fired == []


async def test_the_token_is_not_logged(serve: Serve) -> None:
    served = await serve(KNOWING, enable="challenge")
    await ask(served, *subscribing(TOKEN))
    await ask(served, *subscribing("wrong"))
    assert TOKEN not in str([vars(record) for record in served.records])
