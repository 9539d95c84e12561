"""What the database may have of a request or of a value: everything but the secrets."""

from typing import Any

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tornado_cc.core.message import Headers, Request
from tornado_cc.core.redact import CREDENTIAL_KEYS, MASK, Redactor, masked

SECRET = "s3cret-of-the-conf"
REDACTOR = Redactor([SECRET, "4711471147114711"])
FORM = "application/x-www-form-urlencoded"
MULTIPART = "multipart/form-data; boundary=b"

TEXTS = st.text(max_size=20).filter(lambda text: SECRET not in text)
JSON = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**53), 2**53) | TEXTS,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(TEXTS, inner, max_size=3),
    max_leaves=10,
)


def request(body: bytes = b"", query: str = "", **headers: str) -> Request:
    pairs = [(name.replace("_", "-"), value) for name, value in headers.items()]
    return Request("POST", "/a", query, Headers(pairs), body)


def part(name: str) -> bytes:
    head = f'--b\r\nContent-Disposition: form-data; name="{name}"\r\n\r\n'
    return head.encode() + b"hunter-22\r\n--b--\r\n"


@given(JSON)
def test_a_value_without_secrets_is_kept_as_it_is(value: Any) -> None:
    body = orjson.dumps(value)
    if masked(value) is value:
        assert REDACTOR.kept_body(body) == body
        assert orjson.loads(REDACTOR.kept_json(value)) == value


@given(JSON, st.sampled_from(["password", "Session-Token", "auth_data"]), st.booleans())
def test_nothing_below_a_secret_name_is_left_but_its_shape(
    value: Any, name: str, deep: bool
) -> None:
    given: Any = {name: value, "kept": 1}
    left = orjson.loads(REDACTOR.kept_json([{"a": given}] if deep else given))
    found = left[0]["a"] if deep else left
    assert found["kept"] == 1
    assert _leaves(found[name]) <= {MASK, None, True, False, ""}
    assert _shape(found[name]) == _shape(value)


@given(JSON, JSON)
def test_a_secret_of_the_conf_is_taken_out_wherever_it_stands(one: Any, other: Any) -> None:
    value = {"a": [one, f"x{SECRET}y"], SECRET: other, "n": 4711471147114711}
    kept = REDACTOR.kept_json(value)
    assert SECRET.encode() not in kept
    assert orjson.loads(kept)["a"][1] == f"x{MASK}y"


def test_a_field_of_a_plugin_is_kept_where_a_hook_needs_it_and_not_in_the_journal() -> None:
    device = {"token": "of-a-device", "password": "hunter-22"}
    kept = orjson.loads(REDACTOR.kept_json(device, CREDENTIAL_KEYS))
    assert kept == {"token": "of-a-device", "password": MASK}
    assert REDACTOR.kept_body(orjson.dumps(device)) == orjson.dumps(
        {"token": MASK, "password": MASK}
    )


@pytest.mark.parametrize(
    ("sent", "query", "body"),
    [
        (request(query="a=1&b=%20&&c"), "a=1&b=%20&&c", b""),
        (request(query=f"a=1&token=x&b={SECRET}"), f"a=1&token={MASK}&b={MASK}", b""),
        (request(b"a=1&token=x", content_type=FORM), "", f"a=1&token={MASK}".encode()),
        (request(b"a=1&token=x"), "", b"a=1&token=x"),
        (request(part("password"), content_type=MULTIPART), "", MASK.encode()),
        (request(part("name"), content_type=MULTIPART), "", part("name")),
        (request(b"\xff\x00" + SECRET.encode()), "", b"\xff\x00" + MASK.encode()),
    ],
)
def test_query_and_body_are_kept_as_sent_but_for_the_secrets(
    sent: Request, query: str, body: bytes
) -> None:
    kept = REDACTOR.kept_request(sent, sent.path)
    assert (kept.query, kept.body) == (query, body)
    assert kept.changed == ((query, body) != (sent.query, sent.body))


def test_headers_are_kept_in_order_and_without_credentials() -> None:
    sent = request(accept="*/*", authorization="Bearer x", x_note=f"see {SECRET}", cookie="a=b")
    assert REDACTOR.kept_request(sent, f"/{SECRET}/").headers == [
        ["accept", "*/*"],
        ["authorization", MASK],
        ["x-note", f"see {MASK}"],
        ["cookie", MASK],
    ]
    assert REDACTOR.kept_request(sent, f"/{SECRET}/").path == f"/{MASK}/"


def test_what_is_kept_shows_nothing_when_it_is_printed() -> None:
    kept = REDACTOR.kept_request(request(b"private", "private=1"), "/private")
    assert "private" not in repr(kept)


def _leaves(value: Any) -> set[Any]:
    if isinstance(value, dict):
        return set().union(*map(_leaves, value.values()))
    if isinstance(value, list):
        return set().union(*map(_leaves, value))
    return {value}


def _shape(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _shape(item) for key, item in value.items()}
    return [_shape(item) for item in value] if isinstance(value, list) else None
