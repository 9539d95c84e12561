"""What a body becomes on the wire."""

from types import MappingProxyType
from typing import Any

import pytest

from tests.outbound.wire import Wire
from tornado_cc.outbound import HttpClient, RequestError

FORM = "application/x-www-form-urlencoded"
DATA = {"title": "Vote for Pedro", "n": [1, 2], "none": None}


@pytest.mark.parametrize("headers", [None, {"content-type": f"{FORM}; charset=utf-8"}])
async def test_a_mapping_is_sent_as_a_form(
    client: HttpClient, wire: Wire, headers: dict[str, str] | None
) -> None:
    await client.request(wire.url, method="POST", headers=headers, body=MappingProxyType(DATA))
    assert wire.last.body == b"title=Vote%20for%20Pedro&n=1&n=2&none="
    assert wire.last.every("content-type") == [headers["content-type"] if headers else FORM]


@pytest.mark.parametrize(
    "kind",
    [
        "application/json",
        "Application/JSON",
        "application/json;charset=utf-8",
        "application/json ;",
    ],
)
@pytest.mark.parametrize(
    ("body", "sent"),
    [
        (DATA, b'{"title":"Vote for Pedro","n":[1,2],"none":null}'),
        ([1, "é"], '[1,"é"]'.encode()),
        ((1,), b"[1]"),
        ({}, b"{}"),
    ],
)
async def test_a_mapping_or_list_is_json_when_the_content_type_says_so(
    client: HttpClient, wire: Wire, kind: str, body: object, sent: bytes
) -> None:
    await client.request(wire.url, method="POST", headers={"Content-Type": kind}, body=body)
    assert wire.last.body == sent
    assert wire.last.every("content-type") == [kind.strip()]


@pytest.mark.parametrize(
    ("kind", "body"),
    [
        ("text/plain", {"a": 1}),
        ("multipart/form-data", {"a": 1}),
        ("application/jsonp", {"a": 1}),
        ("text/plain", [1]),
        (None, [1]),
        (FORM, [1]),
        (None, 5),
        (None, object()),
        ("application/json", {"a": float("nan")}),
        ("application/json", {1: "a"}),
        ("application/json", {"a": object()}),
        (None, {"a": "\ud800"}),
        (None, "\ud800"),
    ],
)
async def test_a_body_its_content_type_cannot_carry_is_refused(
    client: HttpClient, wire: Wire, kind: str | None, body: object
) -> None:
    headers = {"Content-Type": kind} if kind else None
    with pytest.raises(RequestError):
        await client.request(wire.url, method="POST", headers=headers, body=body)
    assert wire.connections == 0


@pytest.mark.parametrize(
    ("body", "sent"),
    [
        ("Zoë", "Zoë".encode()),
        (b"\x00\xff", b"\x00\xff"),
        (bytearray(b"ab"), b"ab"),
        (memoryview(b"ab"), b"ab"),
        ("", b""),
        (b"", b""),
    ],
)
@pytest.mark.parametrize("method", ["POST", "GET", "DELETE"])
async def test_text_and_bytes_are_sent_as_they_are(
    client: HttpClient, wire: Wire, method: str, body: Any, sent: bytes
) -> None:
    await client.request(wire.url, method=method, body=body)
    assert wire.last.body == sent
    assert wire.last.every("content-type") == []
    assert wire.last.every("transfer-encoding") == []


async def test_text_keeps_the_content_type_the_caller_gave(client: HttpClient, wire: Wire) -> None:
    headers = {"Content-Type": "application/json"}
    await client.request(wire.url, method="POST", headers=headers, body='{"a": 1}')
    assert wire.last.body == b'{"a": 1}'
    assert wire.last.every("content-type") == ["application/json"]


async def test_a_get_with_a_body_leaves_the_connection_in_step(
    client: HttpClient, wire: Wire
) -> None:
    for number in range(3):
        await client.request(wire.url, body=f"GET /smuggled/{number} HTTP/1.1\r\n\r\n")
    assert [(one.method, one.target) for one in wire.received] == [("GET", "/")] * 3
    assert wire.connections == 1


async def test_a_large_body_is_sent_whole(client: HttpClient, wire: Wire) -> None:
    body = bytes(range(256)) * (16 << 10)
    await client.request(wire.url, method="PUT", body=body)
    assert wire.last.body == body
    assert wire.last.every("content-length") == [str(len(body))]


async def test_a_request_without_a_body_has_none(client: HttpClient, wire: Wire) -> None:
    await client.request(wire.url, headers={"Content-Type": "text/plain"})
    assert wire.last.body == b""
    assert wire.last.every("content-length") == []
