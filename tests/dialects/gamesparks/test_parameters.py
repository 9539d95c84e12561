"""Query and form merged: whatever the bytes, nothing is lost, changed or made up."""

from collections.abc import Iterable, Mapping
from typing import Any
from urllib.parse import quote_from_bytes

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.dialects.gamesparks.fixture import DEFAULT, percent, request
from tests.serving import Serve
from tornado_cc.dialects.gamesparks import read

Pairs = list[tuple[bytes, bytes]]

URLENCODED = "application/x-www-form-urlencoded"
BOUNDARY = "a-boundary-nobody-would-guess"
MULTIPART = f"multipart/form-data; boundary={BOUNDARY}"
# Few different ones, so that they meet; and any bytes at all.
NAMES = st.sampled_from([b"a", b"b", b"hub.challenge", b"REQUEST_BODY"]) | st.binary(max_size=5)
VALUES = st.sampled_from([b"", b"1", b"x y", b"a=b&c", b"\xe9", "你".encode()]) | st.binary(
    max_size=9
)
PAIRS = st.lists(st.tuples(NAMES, VALUES), max_size=6)
# A quote, a backslash and a line break have no one spelling inside a part's header.
PART_NAMES = NAMES.filter(lambda name: not set(name) & set(b'"\\\r\n\0%') and name.isascii())
PARTS = st.lists(st.tuples(PART_NAMES, VALUES), max_size=6)
ECHO = """
from tornado_cc import hookimpl

@hookimpl
async def on_callback(call):
    call.script_data["data"] = call.data
"""


def encoded(pairs: Pairs) -> str:
    return "&".join(f"{percent(name)}={percent(value)}" for name, value in pairs)


def parts(pairs: Pairs) -> bytes:
    head = b'--%s\r\nContent-Disposition: form-data; name="%s"\r\n\r\n%s\r\n'
    cut = BOUNDARY.encode()
    return b"".join(head % (cut, name, value) for name, value in pairs) + b"--%s--\r\n" % cut


def merged(pairs: Iterable[tuple[bytes, bytes]]) -> dict[str, Any]:
    """What the mission says of parameters, said once more."""
    found: dict[str, list[str]] = {}
    for name, value in pairs:
        if name != b"REQUEST_BODY":
            found.setdefault(text(name), []).append(text(value))
    return {name: values if values[1:] else values[0] for name, values in found.items()}


def text(raw: bytes) -> str:
    return raw.decode("utf-8", "replace")


@given(PAIRS)
def test_a_query_is_data_and_nothing_else(query: Pairs) -> None:
    assert read.data(request(query=encoded(query), method="GET")) == merged(query)


@given(PAIRS, PAIRS)
def test_a_urlencoded_form_comes_behind_the_query_and_is_the_body_too(
    query: Pairs, form: Pairs
) -> None:
    body = encoded(form)
    data = dict(read.data(request(query=encoded(query), body=body.encode(), kind=URLENCODED)))
    assert data.pop("REQUEST_BODY", "") == body
    assert data == merged([*query, *form])


@given(PAIRS, PARTS)
def test_a_multipart_form_comes_behind_the_query_and_is_no_body(query: Pairs, form: Pairs) -> None:
    data = read.data(request(query=encoded(query), body=parts(form), kind=MULTIPART))
    assert data == merged([*query, *form])


@given(
    st.binary(max_size=200),
    st.sampled_from([URLENCODED, MULTIPART, "multipart/form-data", "application/json", "", "x;;="]),
)
def test_whatever_the_body_every_value_is_text(body: bytes, kind: str) -> None:
    data = read.data(request(body=body, kind=kind))
    assert_all_text(data)
    if not kind.startswith("multipart"):
        assert data.get("REQUEST_BODY", "") == text(body)


@given(st.text(st.characters(max_codepoint=0xFF)), st.binary(max_size=20))
def test_whatever_the_type_every_value_is_text(kind: str, body: bytes) -> None:
    assert_all_text(read.data(request(body=body, kind=kind)))


@given(st.integers(0, 300))
def test_a_form_cut_short_anywhere_is_a_form_or_a_body(at: int) -> None:
    whole = parts([(b"a", b"1"), (b"b", b"2")])
    data = read.data(request(body=whole[:at], kind=MULTIPART))
    assert data in (
        {"a": "1", "b": "2"},
        {"REQUEST_BODY": whole[:at].decode()},
        {},
    )


@pytest.mark.parametrize("query", ["a=1&a=2", "a=1"])
def test_the_data_cannot_be_changed(query: str) -> None:
    data = read.data(request(query=query))
    with pytest.raises(TypeError):
        data["a"] = "changed"  # type: ignore[index]


def test_a_field_may_be_as_large_as_the_server_lets_a_body_be() -> None:
    field = b"x" * 900_000
    data = read.data(request(body=parts([(b"a", field)]), kind=MULTIPART))
    assert data == {"a": field.decode()}


@given(st.binary(min_size=1, max_size=20).filter(lambda raw: not set(raw) & set(b"%&+=")))
def test_bytes_nobody_encoded_are_read_as_those_somebody_did(raw: bytes) -> None:
    plain = request(query=f"a={raw.decode('latin-1')}", method="GET")
    assert read.data(plain) == read.data(request(query=f"a={quote_from_bytes(raw)}", method="GET"))


async def test_unencoded_utf_8_reaches_a_script_through_a_socket(serve: Serve) -> None:
    served = await serve(CONF_OF_KEYS, {"echo": ECHO})
    raw = f"GET {DEFAULT}?a=你 HTTP/1.1\r\nHost: x\r\n\r\n".encode()
    assert (await served.send(raw, method="GET")).json() == {"data": {"a": "你"}}


CONF_OF_KEYS = "[dialect:gamesparks]\napi_key = KEY\nserver_secret = SEC\n"


def assert_all_text(data: Mapping[str, Any]) -> None:
    for name, value in data.items():
        values = value if isinstance(value, list) else [value]
        assert all(type(one) is str for one in (name, *values))
        "".join((name, *values)).encode()
