"""Rows 66 to 79: who calls, by key and by token."""

from typing import Any

import pytest

from tests.dialects.skygear.served import SKYGEAR, TOKENS, plugin
from tests.serving import Serve

PLUGIN = plugin("""
def who(request):
    return {"user_id": current_user_id()}

plugin.handler("user", user_required=True)(who)
plugin.handler("key", key_required=True)(who)
plugin.handler("whoami")(who)
""")

KEY = {"X-Skygear-API-Key": "client-key"}
BAD_KEY = {"X-Skygear-API-Key": "bad"}
MASTER = {"X-Skygear-API-Key": "master-key"}
TOKEN = {"X-Skygear-Access-Token": "good-token"}
BAD_TOKEN = {"X-Skygear-Access-Token": "bad"}


def user(user_id: str | None) -> tuple[int, dict[str, Any]]:
    return 200, {"user_id": user_id}


def error(name: str, code: int, message: str, status: int = 401) -> tuple[int, dict[str, Any]]:
    return status, {"error": {"name": name, "code": code, "message": message}}


NOBODY = error("NotAuthenticated", 101, "Both api key and access token are empty")
NO_USER = error(
    "NotAuthenticated", 101, "Authentication is required for this action, please login."
)
NO_TOKEN = error("AccessTokenNotAccepted", 104, "token does not exist or it has expired")
NO_KEY = error("AccessKeyNotAccepted", 103, "Cannot verify api key: `bad`")
UNMATCHED = error("UndefinedOperation", 117, "route unmatched", 404)

ROWS = [
    ("66: nobody", "GET", "/user", {}, NOBODY),
    ("67: a key alone", "GET", "/user", KEY, NO_USER),
    ("68: key and token", "GET", "/user", KEY | TOKEN, user("user-42")),
    ("69: a token alone", "GET", "/user", TOKEN, user("user-42")),
    ("70: a key and a bad token", "GET", "/user", KEY | BAD_TOKEN, NO_TOKEN),
    ("70: a bad token", "GET", "/user", BAD_TOKEN, NO_TOKEN),
    ("70: the master key and a bad token", "GET", "/user", MASTER | BAD_TOKEN, NO_TOKEN),
    ("71: a bad key", "GET", "/user", BAD_KEY, NO_KEY),
    ("71: a bad key and a token", "GET", "/user", BAD_KEY | TOKEN, NO_KEY),
    (
        "72: both in the query",
        "GET",
        "/user?api_key=client-key&access_token=good-token",
        {},
        user("user-42"),
    ),
    ("72: a header beats the query", "GET", "/user?api_key=client-key", BAD_KEY, NO_KEY),
    (
        "72: an empty header does not",
        "GET",
        "/user?access_token=good-token",
        {"X-Skygear-Access-Token": ""},
        user("user-42"),
    ),
    ("73: the master key", "GET", "/user", MASTER, user("_god")),
    ("73: the master key for a user", "GET", "/user", MASTER | TOKEN, user("user-42")),
    ("74: the method comes first", "DELETE", "/user", {}, UNMATCHED),
    ("75: a key is required", "GET", "/key", {}, NOBODY),
    ("75: and given", "GET", "/key", KEY, user(None)),
    ("75: the master key is no user", "GET", "/key", MASTER, user(None)),
    ("75: a token will do", "GET", "/key", TOKEN, user("user-42")),
    ("75: a bad one will not", "GET", "/key", BAD_TOKEN, NO_TOKEN),
    ("75: nor a bad key", "GET", "/key", BAD_KEY | TOKEN, NO_KEY),
    ("76: nothing required or given", "GET", "/whoami", {}, user(None)),
    ("76: a bad key", "GET", "/whoami", BAD_KEY, user(None)),
    ("76: a bad token", "GET", "/whoami", BAD_TOKEN, user(None)),
    ("77: a token", "GET", "/whoami", TOKEN, user("user-42")),
    ("78: a bad key spoils the token", "GET", "/whoami", BAD_KEY | TOKEN, user(None)),
]


@pytest.mark.parametrize(
    ("method", "path", "headers", "expected"),
    [row[1:] for row in ROWS],
    ids=[row[0] for row in ROWS],
)
async def test_a_caller_is_who_the_key_and_the_token_say(
    serve: Serve,
    method: str,
    path: str,
    headers: dict[str, str],
    expected: tuple[int, dict[str, Any]],
) -> None:
    served = await serve(SKYGEAR, PLUGIN)
    await served.know(tokens=TOKENS)
    answer = await served.request(method, path, headers)
    assert (answer.status, answer.json()) == expected


async def test_of_a_repeated_key_the_last_one_counts_as_for_the_endpoint(serve: Serve) -> None:
    served = await serve(SKYGEAR, PLUGIN)
    await served.know(tokens=TOKENS)
    twice = b"X-Skygear-API-Key: %s\r\nX-Skygear-API-Key: %s\r\n"
    raw = b"GET /key HTTP/1.1\r\nHost: localhost\r\n" + twice + b"\r\n"
    assert (await served.send(raw % (b"bad", b"client-key"), method="GET")).status == 200
    refused = await served.send(raw % (b"client-key", b"bad"), method="GET")
    assert (refused.status, refused.json()) == NO_KEY


async def test_an_empty_key_in_the_conf_fits_no_key(serve: Serve) -> None:
    served = await serve("[dialect:skygear]", PLUGIN)
    await served.know(tokens=TOKENS)
    assert (await served.request("GET", "/key?api_key=")).json() == NOBODY[1]
    assert (await served.request("GET", "/key", BAD_KEY)).json() == NO_KEY[1]


async def test_without_a_store_no_token_belongs_to_anybody(serve: Serve) -> None:
    served = await serve(SKYGEAR, PLUGIN)
    answer = await served.request("GET", "/user", TOKEN)
    assert (answer.status, answer.json()) == NO_TOKEN


async def test_a_key_that_is_no_ascii_is_echoed_and_refused(serve: Serve) -> None:
    served = await serve(SKYGEAR, PLUGIN)
    answer = await served.request("GET", "/key", {"X-Skygear-API-Key": "b\xe4d"})
    assert answer.json()["error"]["message"] == "Cannot verify api key: `b\xe4d`"
