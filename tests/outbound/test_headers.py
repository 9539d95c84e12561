"""Which headers are sent, and which are refused before anything is."""

from typing import Any

import pytest

from tests.outbound.wire import Wire
from tornado_cc.outbound import HttpClient, RequestError

REFUSED: list[Any] = [
    {"X-Split": "a\r\nX-Injected: b"},
    {"X-Split": "a\n b"},
    {"X-Split": "a\rb"},
    {"X-Split": "a\0b"},
    {"X-Split": ["fine", "a\r\n"]},
    {"X-Split\r\nX-Injected": "a"},
    {"X Space": "a"},
    {"X-Colon:": "a"},
    {"": "a"},
    {"X-Ünicode": "a"},
    {"X-Snow": "☃"},
    {5: "a"},
    {b"X-Bytes": "a"},
    {"X-Bytes": b"a"},
    {"X-None": None},
    {"X-Nested": {"a": 1}},
    {"X-Nested": [["a"]]},
    {"Host": ["a.example", "b.example"]},
    {"Host": ""},
    {"Host": "a.example", "host": "b.example"},
    {"Expect": "100-continue"},
    "X-Text: a",
    [("X-Pair", "a")],
    [],
    5,
]
FRAMING = [
    "Connection",
    "content-length",
    "Keep-Alive",
    "Proxy-Connection",
    "TE",
    "Trailer",
    "TRANSFER-ENCODING",
    "Upgrade",
]


@pytest.mark.parametrize("headers", REFUSED)
async def test_a_bad_header_is_refused_before_anything_is_sent(
    client: HttpClient, wire: Wire, headers: Any
) -> None:
    with pytest.raises(RequestError):
        await client.request(wire.url, headers=headers)
    assert wire.connections == 0


@pytest.mark.parametrize("name", FRAMING)
async def test_framing_is_refused_before_anything_is_sent(
    client: HttpClient, wire: Wire, name: str
) -> None:
    with pytest.raises(RequestError, match="where a message ends"):
        await client.request(wire.url, method="POST", headers={name: "1"}, body="x")
    assert wire.connections == 0


async def test_a_list_repeats_the_header(client: HttpClient, wire: Wire) -> None:
    await client.request(wire.url, headers={"X-Many": ["a", "b", "a"], "X-Tuple": ("c", 4)})
    assert wire.last.every("x-many") == ["a", "b", "a"]
    assert wire.last.every("x-tuple") == ["c", "4"]


async def test_numbers_and_booleans_are_spelt_as_in_json(client: HttpClient, wire: Wire) -> None:
    await client.request(wire.url, headers={"X-N": 5, "X-F": 1.5, "X-B": True})
    assert [wire.last.every(name) for name in ("x-n", "x-f", "x-b")] == [["5"], ["1.5"], ["true"]]


async def test_letters_beyond_ascii_arrive_as_utf8(client: HttpClient, wire: Wire) -> None:
    await client.request(wire.url, headers={"X-Name": "Zoë"})
    assert wire.last.every("x-name") == ["Zoë"]


async def test_the_callers_own_agent_and_host_replace_ours(client: HttpClient, wire: Wire) -> None:
    await client.request(wire.url)
    assert wire.last.every("user-agent") == ["tornado_cc"]
    await client.request(wire.url, headers={"user-agent": "mine", "Host": "shop.example"})
    assert wire.last.every("user-agent") == ["mine"]
    assert wire.last.every("host") == ["shop.example"]


async def test_the_headers_of_one_request_do_not_stay_for_the_next(
    client: HttpClient, wire: Wire
) -> None:
    await client.request(wire.url, headers={"Cookie": "a=1", "X-Once": "a"})
    await client.request(wire.url)
    assert wire.last.every("cookie") == []
    assert wire.last.every("x-once") == []
