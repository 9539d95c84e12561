"""At most ten bad credentials a minute from one address, whichever dialect they are for."""

import asyncio
import time
from collections.abc import Iterator, Mapping

import pytest
from sqlalchemy import Engine, event

from tests.dialects.skygear.served import SKYGEAR, TOKENS, plugin
from tests.serving import KEY, Answer, Serve, Served

BEHIND_A_PROXY = "[server]\ntrusted_proxies = 127.0.0.1\n"
GAMESPARKS = "[dialect:gamesparks]\napi_key = key\nserver_secret = secret\n"
PARSE = "[dialect:parse]\nwebhook_key = test-key\n"
EVERYTHING = f"{BEHIND_A_PROXY}{GAMESPARKS}{PARSE}{SKYGEAR}"

RIGHT = "/callback/key/secret/"
WRONG = "/callback/key/guess/"
HELLO = "/webhooks/functions/helloWorld"
BAD_KEY = {"X-Parse-Webhook-Key": "guess"}
BAD_TOKEN = {"X-Skygear-Access-Token": "guess"}
GOOD_TOKEN = {"X-Skygear-Access-Token": "good-token"}

HOOKS = {
    "script": """
        from tornado_cc import Plugin
        plugin = Plugin("script")
        @plugin.on_callback
        async def answer(call):
            call.script_data["seen"] = call.request.remote
    """,
    **plugin("""
@plugin.handler("whoami")
def whoami(request):
    return {"user_id": current_user_id(), "remote": request.remote_addr}

@plugin.handler("user", user_required=True)
def user(request):
    return {"user_id": current_user_id()}
"""),
}


def too_many(answer: Answer) -> bool:
    """Whether this is the refusal of a blocked address, which says when to come back."""
    seconds = answer.header("Retry-After")
    assert answer.status != 429 or (seconds is not None and 50 <= int(seconds) <= 60)
    return answer.status == 429


def message(answer: Answer) -> str:
    seconds = answer.header("Retry-After")
    return f"Too many bad credentials from this address, try again in {seconds} s"


async def ask(
    served: Served, address: str, path: str, headers: Mapping[str, str] | None = None, **how: str
) -> Answer:
    """One request of a caller behind the trusted proxy."""
    method = how.get("method", "GET")
    forwarded = {"X-Forwarded-For": address, **(headers or {})}
    return await served.request(method, path, forwarded, b"{}" if method == "POST" else b"")


async def block(served: Served, address: str) -> None:
    """Use up the ten attempts of an address, with the secret of a callback."""
    for _ in range(10):
        assert (await ask(served, address, WRONG)).status == 403
    assert too_many(await ask(served, address, WRONG))


async def test_the_eleventh_wrong_secret_is_429_and_then_a_right_one_too(serve: Serve) -> None:
    served = await serve(GAMESPARKS, HOOKS)
    for _ in range(10):
        answer = await served.request("GET", WRONG)
        assert (answer.status, answer.json()) == (403, {"error": "Forbidden"})
        assert answer.header("Retry-After") is None
    for path in (WRONG, RIGHT):
        answer = await served.request("GET", path)
        assert too_many(answer)
        assert answer.json() == {"error": message(answer)}
    assert served.fired == []


async def test_nine_wrong_secrets_change_nothing_for_the_right_one(serve: Serve) -> None:
    served = await serve(GAMESPARKS, HOOKS)
    for _ in range(9):
        await served.request("GET", WRONG)
    for _ in range(20):
        answer = await served.request("GET", RIGHT)
        assert (answer.status, answer.json()) == (200, {"seen": "127.0.0.1"})
    assert served.fired == ["on_callback * (script)"] * 20


async def test_a_blocked_address_is_blocked_for_every_dialect_and_no_other_address_is(
    serve: Serve,
) -> None:
    served = await serve(EVERYTHING, HOOKS, enable="hello")
    await served.know(tokens=TOKENS)
    await block(served, "192.0.2.1")
    for path, headers, method in [
        (RIGHT, {}, "GET"),
        ("/user", GOOD_TOKEN, "GET"),
        ("/whoami", GOOD_TOKEN, "GET"),
        ("/whoami", {"X-Skygear-API-Key": "client-key"}, "GET"),
        ("/whoami?api_key=client-key", {}, "GET"),
        ("/nowhere", GOOD_TOKEN, "GET"),
    ]:
        assert too_many(await ask(served, "192.0.2.1", path, headers, method=method)), path
    assert served.fired == []
    assert (await ask(served, "192.0.2.2", RIGHT)).status == 200
    assert (await ask(served, "192.0.2.2", "/user", GOOD_TOKEN)).json() == {"user_id": "user-42"}
    assert (await ask(served, "192.0.2.2", HELLO, KEY, method="POST")).json() == {
        "success": "Hello World!"
    }
    assert served.fired == [
        "on_callback * (script)",
        "http_endpoint /user.GET (mine)",
        "cloud_function helloWorld (hello)",
    ]


async def test_what_carries_no_credentials_is_answered_all_the_same(serve: Serve) -> None:
    served = await serve(EVERYTHING, HOOKS, enable="hello")
    await served.know(tokens=TOKENS)
    await block(served, "192.0.2.1")
    for method, path, status in [
        ("GET", "/healthz", 200),
        ("GET", "/readyz", 200),
        ("POST", "/healthz", 405),
        ("GET", "/nowhere", 404),
        ("DELETE", "/user", 404),
        ("GET", "/callback/nowhere", 404),
        ("OPTIONS", "/user", 200),
        ("GET", "/webhooks", 200),
        ("GET", "/whoami", 200),
        ("GET", "/user", 401),
    ]:
        answer = await ask(served, "192.0.2.1", path, method=method)
        assert (answer.status, answer.header("Retry-After")) == (status, None), path
    assert served.fired == ["http_endpoint /whoami.GET (mine)"]


async def test_a_request_without_a_credential_is_no_guess(serve: Serve) -> None:
    served = await serve(EVERYTHING, HOOKS, enable="hello")
    await served.know(tokens=TOKENS)
    for _ in range(12):
        assert (await ask(served, "192.0.2.1", "/user")).status == 401
        answer = await ask(served, "192.0.2.1", HELLO, method="POST")
        assert answer.json() == {"error": "Request Unauthorized"}
        answer = await ask(served, "192.0.2.1", HELLO, {"X-Parse-Webhook-Key": ""}, method="POST")
        assert answer.json() == {"error": "Request Unauthorized"}
    assert (await ask(served, "192.0.2.1", RIGHT)).status == 200
    assert served.fired == ["on_callback * (script)"]


async def test_of_an_ipv6_network_of_64_bits_all_addresses_count_as_one(serve: Serve) -> None:
    served = await serve(f"{BEHIND_A_PROXY}{GAMESPARKS}", HOOKS)
    for number in range(10):
        answer = await ask(served, f"2001:db8:0:1::{number + 1:x}", WRONG)
        assert answer.status == 403
    assert too_many(await ask(served, "2001:db8:0:1:ffff::99", RIGHT))
    assert (await ask(served, "2001:db8:0:2::1", RIGHT)).json() == {"seen": "2001:db8:0:2::1"}
    assert served.fired == ["on_callback * (script)"]


async def test_a_parse_server_is_answered_200_also_then(serve: Serve) -> None:
    served = await serve(f"{BEHIND_A_PROXY}{PARSE}", enable="hello")
    for _ in range(10):
        answer = await ask(served, "192.0.2.1", HELLO, BAD_KEY, method="POST")
        assert answer.json() == {"error": "Request Unauthorized"}
    for headers in (BAD_KEY, KEY):
        answer = await ask(served, "192.0.2.1", HELLO, headers, method="POST")
        assert (answer.status, answer.header("Retry-After")) == (200, None)
        assert answer.json()["error"].startswith("Too many bad credentials from this address")
    assert served.fired == []


async def test_where_a_wrong_webhook_key_is_401_too_many_are_429(serve: Serve) -> None:
    served = await serve(f"{PARSE}unauthorized_status = 401\n", enable="hello")
    for _ in range(10):
        assert (await served.request("POST", HELLO, BAD_KEY, b"{}")).status == 401
    answer = await served.request("POST", HELLO, KEY, b"{}")
    assert too_many(answer)
    assert answer.json() == {"error": message(answer)}
    assert served.fired == []


@pytest.mark.parametrize(
    ("method", "path", "body"),
    [
        ("POST", HELLO, b"not JSON"),
        ("POST", "/webhooks/nowhere", b"{}"),
        ("GET", HELLO, b""),
        ("PUT", RIGHT, b""),
    ],
)
async def test_no_mistake_of_a_blocked_caller_tells_that_a_guess_was_right(
    serve: Serve, method: str, path: str, body: bytes
) -> None:
    served = await serve(f"{GAMESPARKS}{PARSE}unauthorized_status = 401\n", enable="hello")
    for _ in range(10):
        await served.request("GET", WRONG)
    answers = [
        await served.request(method, one, headers, body)
        for one, headers in [(path, KEY), (path.replace("secret", "guess"), BAD_KEY)]
    ]
    assert all(too_many(answer) for answer in answers)
    assert answers[0].json() == answers[1].json()


async def test_without_a_webhook_key_there_is_nothing_to_guess(serve: Serve) -> None:
    served = await serve(f"{GAMESPARKS}[dialect:parse]\n", enable="hello")
    for _ in range(11):
        await served.request("GET", WRONG)
    assert await served.webhook("/functions/helloWorld", {}) == {"success": "Hello World!"}
    assert served.fired == ["cloud_function helloWorld (hello)"]


@pytest.mark.parametrize(
    ("path", "headers"),
    [
        ("/user", BAD_TOKEN),
        ("/whoami", BAD_TOKEN),
        ("/user", {"X-Skygear-API-Key": "guess"}),
        ("/whoami", {"X-Skygear-API-Key": "guess"}),
        ("/whoami", {"X-Skygear-API-Key": "guess", **GOOD_TOKEN}),
        ("/nowhere", BAD_TOKEN),
        ("/nowhere?api_key=guess", {}),
    ],
)
async def test_a_wrong_key_or_token_of_an_endpoint_counts_also_where_it_is_passed_over(
    serve: Serve, path: str, headers: dict[str, str]
) -> None:
    served = await serve(SKYGEAR, HOOKS)
    await served.know(tokens=TOKENS)
    first = await served.request("GET", path, headers)
    for _ in range(9):
        answer = await served.request("GET", path, headers)
        assert (answer.status, answer.body) == (first.status, first.body)
    fired = list(served.fired)
    for given in (headers, GOOD_TOKEN):
        answer = await served.request("GET", path, given)
        assert too_many(answer)
        assert answer.json() == {
            "error": {"name": "NotAuthenticated", "code": 101, "message": message(answer)}
        }
    assert served.fired == fired


@pytest.fixture
def lookups() -> Iterator[list[str]]:
    """The lookups of tokens so far, in a database that takes a while for each."""
    asked: list[str] = []

    def wait(connection: object, cursor: object, statement: str, *more: object) -> None:
        if "JOIN sessions" in statement:
            asked.append(statement)
            time.sleep(0.02)

    event.listen(Engine, "before_cursor_execute", wait)
    yield asked
    event.remove(Engine, "before_cursor_execute", wait)


async def test_of_50_bad_tokens_at_once_ten_are_looked_up_and_the_rest_refused(
    serve: Serve, lookups: list[str]
) -> None:
    served = await serve(SKYGEAR, HOOKS)
    answers = await asyncio.gather(*(served.request("GET", "/user", BAD_TOKEN) for _ in range(50)))
    assert sorted(answer.status for answer in answers) == [401] * 10 + [429] * 40
    assert sum(too_many(answer) for answer in answers) == 40
    assert len(lookups) == 10
    assert served.fired == []


async def test_50_good_tokens_at_once_are_all_let_in(serve: Serve, lookups: list[str]) -> None:
    served = await serve(SKYGEAR, HOOKS)
    await served.know(tokens=TOKENS)
    for _ in range(8):
        await served.request("GET", "/user", BAD_TOKEN)
    answers = await asyncio.gather(*(served.request("GET", "/user", GOOD_TOKEN) for _ in range(50)))
    assert [answer.json() for answer in answers] == [{"user_id": "user-42"}] * 50
    assert len(lookups) == 58
    assert served.fired == ["http_endpoint /user.GET (mine)"] * 50


async def test_the_conf_says_how_many_are_too_many(serve: Serve) -> None:
    served = await serve(f"{GAMESPARKS}[server]\nbad_credentials_per_minute = 1\n", HOOKS)
    assert (await served.request("GET", WRONG)).status == 403
    assert too_many(await served.request("GET", RIGHT))
    assert served.fired == []


async def test_the_log_names_the_blocked_address_once_and_no_credential(serve: Serve) -> None:
    served = await serve(f"{BEHIND_A_PROXY}{GAMESPARKS}", HOOKS)
    await block(served, "192.0.2.1")
    for _ in range(20):
        await ask(served, "192.0.2.1", WRONG)
    (record,) = served.logged("address blocked after bad credentials")
    assert (record.levelname, vars(record)["remote"]) == ("WARNING", "192.0.2.1")
    lines = [vars(one) for one in served.logged("request")]
    assert {line["remote"] for line in lines} == {"192.0.2.1"}
    assert [line["refused"] for line in lines[-2:]] == ["too many bad credentials"] * 2
    assert not [one for one in served.records if "guess" in str(vars(one))]
