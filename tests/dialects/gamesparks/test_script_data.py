"""Script data: whatever a hook sets or returns, h11 reads one answer and nothing injected."""

import asyncio
import json
import re
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

import orjson
import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from tests.dialects.gamesparks import offered
from tests.dialects.gamesparks.fixture import CONF, DEFAULT
from tests.serving import Answer, Serve, Served, read_answer

PLUGIN = """
from tests.dialects.gamesparks import offered
from tornado_cc import Plugin, Refusal

plugin = Plugin("offering")

@plugin.on_callback
async def offer(call):
    place = call.player_id
    if place == "returned":
        return offered.value
    elif place == "replacing":
        call.script_data = offered.value
    elif place == "refused":
        raise Refusal(offered.value)
    else:
        call.script_data[place] = offered.value
"""
RAW, HEADERS, STATUS = "RESPONSE_RAW", "RESPONSE_HEADERS", "RESPONSE_STATUS"
PLACES = ["returned", "replacing", "refused", "key", RAW, HEADERS, STATUS]
OWN = {"content-length", "content-type", "date", "server"}
FRAMING = {
    "connection",
    "content-length",
    "keep-alive",
    "proxy-connection",
    "te",
    "trailer",
    "transfer-encoding",
    "upgrade",
}
TEXTS = st.text(st.characters(exclude_categories=["Cs"]), max_size=8)
INTEGERS = st.integers(-(2**63), 2**64 - 1)
FLOATS = st.floats(allow_nan=False, allow_infinity=False)
SCALARS = st.none() | st.booleans() | INTEGERS | FLOATS
JSON: st.SearchStrategy[Any] = st.recursive(
    SCALARS | TEXTS,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(TEXTS, inner, max_size=3),
    max_leaves=6,
)
STRANGE: st.SearchStrategy[Any] = st.recursive(
    JSON
    | st.floats()
    | st.integers()
    | st.text()
    | st.binary(max_size=4)
    | st.sampled_from([..., {1}, object, datetime(2020, 1, 1, tzinfo=UTC), 1j, range(2)]),
    lambda inner: st.one_of(
        st.lists(inner, max_size=3),
        st.tuples(inner, inner),
        st.dictionaries(st.text(max_size=3) | st.integers() | st.none(), inner, max_size=3),
        st.fixed_dictionaries({}, optional={RAW: inner, HEADERS: inner, STATUS: inner}),
    ),
    max_leaves=5,
)
NAMES = TEXTS | st.sampled_from(
    [
        "X-A",
        "x-a",
        "Content-Type",
        "content-type",
        "Set-Cookie",
        "Date",
        "Server",
        "Content-Length",
        "Transfer-Encoding",
        "connection",
        "Keep-Alive",
        "X-A: b\r\nX-B",
        "X A",
        "",
    ]
)
LINES = st.sampled_from(
    [
        "a\r\nX-Injected: 1",
        "a\nX-Injected: 1",
        "a\rX-Injected: 1",
        "\r\n\r\nHTTP/1.1 200 OK\r\n",
        "a\0",
        "chunked",
        " padded\t",
        "é",
        "\x85\xa0",
        "你",
        "a\x0bb",
        "text/html; charset=utf-16",
        "x; charset=idna",
        ";;charset*=''",
    ]
)
VALUES = JSON | LINES | st.lists(LINES | SCALARS | TEXTS, max_size=3)
SOCKET = settings(suppress_health_check=[HealthCheck.function_scoped_fixture])


@pytest.fixture
async def served(serve: Serve) -> Served:
    served = await serve(CONF, {"offering": PLUGIN})
    await served.know(*PLACES)
    return served


async def answer_to(served: Served, place: str, value: object) -> Answer:
    """The answer to a hook's value, and the proof that it ended where it said it would."""
    offered.value = value
    reader, writer = await asyncio.open_connection("127.0.0.1", served.port)
    try:
        writer.write(f"GET {DEFAULT}{place} HTTP/1.1\r\nHost: x\r\n\r\n".encode())
        answer = await read_answer(reader, "GET")
        writer.write(b"GET /healthz HTTP/1.1\r\nHost: x\r\n\r\n")
        assert (await read_answer(reader, "GET")).status == 200
    finally:
        writer.close()
    check_framing(answer)
    return answer


def check_framing(answer: Answer) -> None:
    names = [name for name, _ in answer.headers]
    assert names.count("content-length") == (answer.status not in (204, 304))
    assert names.count("date") == 1
    assert "server" in names
    assert not {"transfer-encoding", "connection", "x-injected", "x-b"} & set(names)
    assert "HTTP/1.1" not in str(answer.headers)
    # A script may set 500 itself, and then its data is the body.
    if answer.status == 500 and answer.body != b"{}":
        assert answer.json().keys() == {"error"}
        assert set(names) == OWN


@SOCKET
@given(STRANGE)
@example({"RESPONSE_HEADERS": {"X": {}}})
@example([[]] * 3)
async def test_any_value_in_any_place_gives_an_answer(served: Served, value: object) -> None:
    for place in PLACES:
        answer = await answer_to(served, place, value)
        assert answer.status != 200 or answer.header("content-type")


@SOCKET
@given(st.dictionaries(TEXTS, JSON, max_size=3))
async def test_script_data_is_the_json_body(served: Served, value: dict[str, Any]) -> None:
    for place in ("returned", "replacing"):
        answer = await answer_to(served, place, value)
        assert (answer.status, answer.header("content-type")) == (200, "application/json")
        assert spelt(answer.json()) == spelt(value)


@SOCKET
@given(JSON)
async def test_a_raw_answer_is_its_text_or_its_json(served: Served, value: Any) -> None:
    answer = await answer_to(served, RAW, value)
    assert answer.status == 200
    if value is None:
        assert answer.json() == {}
        return
    assert answer.header("content-type") == "text/plain;charset=UTF-8"
    if isinstance(value, str):
        assert answer.body == value.encode()
    else:
        assert spelt(json.loads(answer.body)) == spelt(value)


@SOCKET
@given(st.dictionaries(NAMES, VALUES, max_size=4))
@example({"X-A": "a\r\nX-Injected: 1"})
@example({"X-A": "\x85"})
@example({"content-type": ["text/xml", "text/html"], "Content-Type": "text/css"})
async def test_headers_arrive_as_given_or_not_at_all(
    served: Served, headers: dict[str, Any]
) -> None:
    answer = await answer_to(served, HEADERS, headers)
    wanted = list(lines(headers))
    if any(value is None for _, value in wanted) or not all(fits(*line) for line in wanted):
        assert answer.status == 500
        return
    assert (answer.status, answer.body.decode(charset_of(answer))) == (200, "{}")
    kinds = [value for name, value in wanted if name == "content-type"] or ["application/json"]
    rest = [line for line in wanted if line[0] not in ("content-type", "date")]
    expected = [("content-type", kinds[0].strip(" \t")), *rest]
    found = [line for line in answer.headers if line[0] not in ("content-length", "date")]
    if not any(name == "server" for name, _ in rest):
        found.remove(("server", "tornado_cc"))
    assert sorted(found) == sorted((name, value.strip(" \t")) for name, value in expected)


@SOCKET
@given(
    st.integers(-5, 700)
    | st.sampled_from([204, 304, 205, 200, 100, 101, 599])
    | st.sampled_from([True, False, 200.0, "200", [], [200], {}, 10**18])
)
async def test_a_status_is_one_of_a_final_answer_or_a_failure(served: Served, status: Any) -> None:
    answer = await answer_to(served, STATUS, status)
    if type(status) is int and 200 <= status <= 599:
        assert answer.status == status
        assert answer.body == (b"" if status in (204, 304) else answer.body)
    else:
        assert answer.status == 500


async def test_no_status_is_200(served: Served) -> None:
    assert (await answer_to(served, STATUS, None)).status == 200


@pytest.mark.parametrize("status", [204, 304])
async def test_a_status_without_a_body_drops_the_body_and_its_length(
    status: int, served: Served
) -> None:
    answer = await answer_to(served, "returned", {STATUS: status, RAW: "not to be sent"})
    assert (answer.status, answer.body) == (status, b"")


def lines(headers: Mapping[str, Any]) -> Any:
    """The lines a mapping stands for; a value no line can hold is None."""
    for name, value in headers.items():
        for one in value if isinstance(value, list) else [value]:
            if isinstance(one, dict | list):
                yield name.lower(), None
            else:
                # The standard library's JSON has another spelling of 1e-7.
                yield name.lower(), one if isinstance(one, str) else orjson.dumps(one).decode()


def fits(name: str, value: str) -> bool:
    """RFC 9110, in its own words: a token, and visible characters with blanks between them."""
    token = re.fullmatch(r"[!#$%&'*+.^_`|~0-9a-z-]+", name)
    text = all(one == "\t" or (0x20 <= ord(one) <= 0xFF and ord(one) != 0x7F) for one in value)
    return bool(token) and name not in FRAMING and text


def charset_of(answer: Answer) -> str:
    kind = answer.header("content-type") or ""
    return "utf-16" if "utf-16" in kind else "utf-8"


def spelt(value: Any) -> str:
    return json.dumps(value, sort_keys=True)
