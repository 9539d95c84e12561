"""Any request is refused in our own words, or is one that a strict parser reads as it was meant."""

import asyncio
from collections.abc import Mapping
from typing import Any
from urllib.parse import parse_qsl

import orjson
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.outbound.wire import Received, Wire, answer
from tornado_cc.outbound import RequestError
from tornado_cc.outbound.guard import Guard
from tornado_cc.outbound.pool import Pool
from tornado_cc.outbound.request import Prepared, prepare
from tornado_cc.settings import OutboundSettings

SOME_TEXT = st.text() | st.text("aäé &=?#%+;/\r\n\0\ud800\udcff☃:", max_size=8)
SCALARS: st.SearchStrategy[Any] = st.one_of(
    SOME_TEXT, st.binary(max_size=6), st.none(), st.booleans(), st.integers(), st.floats()
)
VALUES = st.recursive(
    SCALARS,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(SOME_TEXT, inner, max_size=3),
    max_leaves=5,
)
MAPPINGS = st.dictionaries(SOME_TEXT | st.binary(max_size=4) | st.integers(), VALUES, max_size=4)
PARAMS = st.none() | MAPPINGS | SOME_TEXT | VALUES
NAMES = st.one_of(
    SOME_TEXT,
    st.from_regex(r"[A-Za-z-]{1,12}", fullmatch=True),
    st.sampled_from(["Host", "Content-Type", "content-length", "Cookie", "Expect", "Upgrade"]),
)
LINES = st.text(st.characters(max_codepoint=0x17F), max_size=12)
HEADERS = st.none() | st.dictionaries(NAMES, LINES | VALUES, max_size=4)
KINDS = st.sampled_from([None, "application/json", "text/plain", "application/JSON; a=b"])
METHODS = st.sampled_from(["GET", "post", "PUT", "DELETE", "HEAD", "FOO"]) | st.text(max_size=4)
QUERIES = st.sampled_from(["", "?", "?a=1", "?a=1&a=2&b", "?%FF=%00", "?a%20b=&é=1", "?&&=&"])
often = settings(max_examples=150)


async def exchange(prepared: Prepared) -> Received:
    """Send a request to a strict third party and return what that understood."""
    wire, pool = Wire(answer(b"")), Pool(OutboundSettings(), Guard(loopback=True))
    await wire.start()
    pool.open()
    try:
        await pool.send(
            Prepared(
                prepared.method,
                prepared.url.replace("http://example.org", f"http://{wire.host}"),
                prepared.headers,
                prepared.body,
            )
        )
        assert len(wire.received) == 1
        return wire.last
    finally:
        await pool.close()
        await wire.stop()


def prepared_or_none(query: str = "", **given: Any) -> Prepared | None:
    try:
        return prepare(f"http://example.org/{query}", **given)
    except RequestError:
        return None


def text(value: object) -> str:
    if value is None or isinstance(value, Mapping | list):
        return ""
    if isinstance(value, bytes):
        return value.decode(errors="surrogateescape")
    return str(value).lower() if isinstance(value, bool) else str(value)


def pairs(given: Any) -> list[tuple[str, str]]:
    """The parameters as they were meant; a surrogate is the byte it stands for."""
    if isinstance(given, str):
        query = given.removeprefix("?")
        return parse_qsl(query, keep_blank_values=True, errors="surrogateescape")
    listed = [
        (text(key), text(one))
        for key, value in (given or {}).items()
        for one in (value if isinstance(value, list) else [value])
    ]
    return [(same(key), same(value)) for key, value in listed]


def same(given: str) -> str:
    return given.encode(errors="surrogateescape").decode(errors="surrogateescape")


@often
@given(query=QUERIES, params=PARAMS)
def test_parameters_come_back_as_they_were_given(query: str, params: Any) -> None:
    prepared = prepared_or_none(query, params=params)
    if prepared is None:
        assert not isinstance(params, Mapping | str | None) or "\ud800" in ascii_only(params)
        return
    received = asyncio.run(exchange(prepared))
    own = parse_qsl(query.removeprefix("?"), keep_blank_values=True, errors="surrogateescape")
    names = {name for name, _ in own}
    assert received.query == own + [pair for pair in pairs(params) if pair[0] not in names]


def ascii_only(params: Any) -> str:
    """All text in the parameters; only a surrogate that is no byte may be refused."""
    found = pairs_or_text(params)
    return "".join("\ud800" if 0xD800 <= ord(one) <= 0xDFFF else one for one in found)


def pairs_or_text(params: Any) -> str:
    if isinstance(params, str):
        return params
    return "".join(
        text(key) + "".join(text(one) for one in (value if isinstance(value, list) else [value]))
        for key, value in (params or {}).items()
    )


@often
@given(headers=HEADERS, method=METHODS)
def test_headers_arrive_as_they_were_given(headers: Any, method: str) -> None:
    prepared = prepared_or_none(headers=headers, method=method)
    if prepared is None:
        return
    received = asyncio.run(exchange(prepared))
    assert received.method == method.upper()
    for name, value in (headers or {}).items():
        given = [text(one).strip(" \t") for one in (value if isinstance(value, list) else [value])]
        same_name = [other for other in headers if other.lower() == name.lower()]
        # HTTP/1.1 has no request without a Host: one that is given no value keeps its own.
        if len(same_name) == 1 and (given or name.lower() != "host"):
            assert received.every(name.lower()) == given


@often
@given(body=VALUES | MAPPINGS, kind=KINDS, method=METHODS)
def test_a_body_arrives_as_it_was_given(body: Any, kind: str | None, method: str) -> None:
    headers = {"Content-Type": kind} if kind else None
    prepared = prepared_or_none(headers=headers, method=method, body=body)
    if prepared is None:
        return
    received = asyncio.run(exchange(prepared))
    if isinstance(body, bytes):
        assert received.body == body
    elif isinstance(body, str):
        assert received.body.decode() == body
    elif kind is None:
        form = received.body.decode()
        found = parse_qsl(form, keep_blank_values=True, errors="surrogateescape")
        assert found == ([] if body is None else pairs(body))
    elif body is not None:
        assert orjson.dumps(orjson.loads(received.body)) == orjson.dumps(body)
