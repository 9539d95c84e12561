"""The one redactor."""

import base64
import json
import urllib.parse
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import orjson
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from tornado_cc.core.call import CURRENT, FunctionCall
from tornado_cc.core.message import Headers, Request
from tornado_cc.core.redact import MASK, Redactor, is_sensitive, secrets_of, spellings

SPELLINGS: dict[str, Callable[[str], str]] = {
    "as it is": str,
    "repr": lambda secret: repr(secret)[1:-1],
    "ascii": lambda secret: ascii(secret)[1:-1],
    "repr of bytes": lambda secret: repr(secret.encode())[2:-1],
    "orjson": lambda secret: orjson.dumps(secret).decode()[1:-1],
    "json": lambda secret: json.dumps(secret)[1:-1],
    "percent": lambda secret: urllib.parse.quote(secret, safe=""),
    "percent with slashes": urllib.parse.quote,
    "percent as a browser does": lambda secret: urllib.parse.quote(secret, safe="!'()*"),
    "form": urllib.parse.quote_plus,
    "base64": lambda secret: base64.b64encode(secret.encode()).decode(),
    "base64url": lambda secret: base64.urlsafe_b64encode(secret.encode()).decode(),
    "hex": lambda secret: secret.encode().hex(),
}
# A secret made of what the mask itself is made of could not be told from it.
SECRETS = st.text(min_size=4).filter(lambda text: not set(text) <= set("[redacted]"))


def call_with(headers: dict[str, str], query: str = "", body: bytes = b"") -> FunctionCall:
    request = Request("POST", "/", query, Headers(headers.items()), body)
    return FunctionCall(
        dialect="parse", hook="cloud_function", claim=("f",), request=request, name="f"
    )


@contextmanager
def running(call: FunctionCall) -> Iterator[None]:
    token = CURRENT.set(call)
    try:
        yield
    finally:
        CURRENT.reset(token)


@pytest.mark.parametrize("spelling", SPELLINGS)
@given(secret=SECRETS)
def test_every_spelling_of_a_secret_is_masked(spelling: str, secret: str) -> None:
    spelt = SPELLINGS[spelling](secret)
    assume(not set(spelt) <= set("[redacted]"))
    cleaned = Redactor([secret]).clean(f"<{spelt}>")
    assert MASK in cleaned
    assert spelt.rstrip("=") not in cleaned.replace(MASK, "")


@pytest.mark.parametrize("spelling", SPELLINGS)
def test_every_spelling_of_a_difficult_secret_is_masked(spelling: str) -> None:
    spelt = SPELLINGS[spelling]('CANARY/ä +"\\ (1)~')
    assert Redactor(['CANARY/ä +"\\ (1)~']).clean(f"a {spelt} b").rstrip("b= ") == f"a {MASK}"


@given(st.text())
def test_a_text_without_secrets_is_left_alone(text: str) -> None:
    assert Redactor(["CANARY"]).clean(text) == text


def test_a_secret_from_a_variable_that_is_not_utf8_is_masked() -> None:
    secret = b"CANARY-\xe9".decode("utf-8", "surrogateescape")
    assert Redactor([secret]).clean(f"key {secret}!") == f"key {MASK}!"


def test_a_secret_of_three_characters_is_not_masked() -> None:
    assert Redactor(["abc"]).clean("abcdef") == "abcdef"


def test_a_secret_inside_another_leaves_nothing_of_either() -> None:
    assert Redactor(["CANARY", "CANARY-long"]).clean("x CANARY-long y") == f"x {MASK} y"


def test_a_setting_inside_a_secret_of_the_call_leaves_nothing_of_either() -> None:
    call = call_with({"X-Parse-Session-Token": "CANARY-long"})
    assert Redactor(["CANARY"]).clean("x CANARY-long y", call) == f"x {MASK} y"


def test_a_session_token_is_masked_wherever_it_stands() -> None:
    token = "r:" + "0123456789abcdef" * 2
    assert Redactor().clean(f"token={token}.") == f"token={MASK}."


@pytest.mark.parametrize(
    "key",
    ["password", "sessionToken", "session_token", "X-Parse-Master-Key", "Authorization", "COOKIE"],
)
def test_a_key_is_sensitive_in_any_spelling(key: str) -> None:
    assert is_sensitive(key)


@pytest.mark.parametrize("key", ["name", "tokens", "X-Request-Id", "keyboard"])
def test_other_keys_are_not_sensitive(key: str) -> None:
    assert not is_sensitive(key)


def test_the_secrets_of_a_request_stand_in_its_headers_query_and_body() -> None:
    body = orjson.dumps(
        {
            "user": {"sessionToken": "in-body", "name": "Ann"},
            "object": {"authData": {"facebook": {"id": "below-a-secret", "list": ["deeper"]}}},
        }
    )
    call = call_with(
        {"X-Parse-Webhook-Key": "in-header", "Accept": "all"}, "token=in-query&a=b", body
    )
    assert secrets_of(call.request) == {
        "in-header",
        "in-query",
        "in-body",
        "below-a-secret",
        "deeper",
    }


@given(st.binary())
def test_a_request_of_any_body_can_be_looked_through(body: bytes) -> None:
    assert secrets_of(call_with({"Cookie": "x"}, "&&=;%", body).request) >= {"x"}


def test_the_secrets_of_the_call_being_run_are_masked() -> None:
    redactor = Redactor()
    with running(call_with({"Authorization": "Bearer CANARY"})):
        assert redactor.clean("got Bearer CANARY") == f"got {MASK}"
    assert redactor.clean("got Bearer CANARY") == "got Bearer CANARY"


def test_the_longest_spelling_comes_first() -> None:
    lengths = [len(spelling) for spelling in spellings(["CANARY", "ä/long secret"])]
    assert lengths == sorted(lengths, reverse=True)


def test_the_repr_of_a_redactor_shows_no_secret() -> None:
    assert "CANARY" not in repr(Redactor(["CANARY"]))
