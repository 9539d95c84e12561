"""What a caller gets of an answer."""

import pytest

from tests.outbound.conftest import Opened, Served, Wired
from tests.outbound.party import BOMB
from tests.outbound.wire import answer, say
from tornado_cc.outbound import HttpClient, HttpError, ResponseError

FORM = "Content-Type: application/x-www-form-urlencoded"


@pytest.mark.parametrize("status", [200, 201, 299, 300, 304, 399])
async def test_a_status_below_400_is_an_answer(
    client: HttpClient, wired: Wired, status: int
) -> None:
    wire = await wired(say(f"HTTP/1.1 {status} S\r\nContent-Length: 0\r\n\r\n".encode()))
    assert (await client.request(wire.url)).status == status


@pytest.mark.parametrize("status", [400, 401, 404, 418, 500, 503, 599, 999])
async def test_from_400_on_the_error_carries_the_whole_answer(
    client: HttpClient, party: Served, status: int
) -> None:
    with pytest.raises(HttpError, match=f"answered {status}$") as caught:
        await client.request(party.at(f"/status/{status}"))
    response = caught.value.response
    assert caught.value.status == response.status == status
    assert response.data == {"error": status}
    assert response.buffer == response.text.encode() == b'{"error": %d}' % status
    assert response.headers["x-reason"] == "mine"
    assert response.cookies == ("why=because",)


@pytest.mark.parametrize("status", [200, 400, 503])
async def test_any_status_is_an_answer_to_whoever_asks_for_that(
    client: HttpClient, party: Served, status: int
) -> None:
    response = await client.request(party.at(f"/status/{status}"), raise_for_status=False)
    assert (response.status, response.headers["x-reason"]) == (status, "mine")


async def test_an_answer_without_a_body_is_empty(client: HttpClient, party: Served) -> None:
    for response in (
        await client.request(party.at("/status/204")),
        await client.request(party.at("/echo"), method="HEAD"),
        await client.request(party.at("/packed/gzip"), method="head"),
    ):
        assert (response.buffer, response.text, response.data) == (b"", "", None)


async def test_header_names_are_lower_case_and_repeated_ones_joined(
    client: HttpClient, party: Served
) -> None:
    response = await client.request(party.at("/cookies"))
    assert all(name == name.lower() for name in response.headers)
    assert response.headers["x-twice"] == "one, two"


async def test_cookies_are_shown_and_none_is_kept(client: HttpClient, party: Served) -> None:
    for _ in range(2):
        response = await client.request(party.at("/cookies"))
        assert response.cookies == ("a=1; Path=/; HttpOnly", "b=2")
        assert response.text == ""


async def test_a_cookie_set_on_the_way_is_not_sent_after_the_redirect(
    client: HttpClient, wired: Wired
) -> None:
    moved = answer(b"", "Location: /b", "Set-Cookie: a=1", status="302 Found")
    wire = await wired(moved, answer())
    assert (await client.request(wire.url, follow_redirects=True)).cookies == ()
    assert wire.last.every("cookie") == []


@pytest.mark.parametrize(
    ("kind", "body", "data"),
    [
        ("Content-Type: application/json", b'{"a": [1]}', {"a": [1]}),
        ("Content-Type: text/html", b"[1]", [1]),
        ("Content-Type: image/png", b'"text"', "text"),
        ("X-None: a", b"5", 5),
        (FORM, b"a=1&b=x%20y+z&a=2&c=", {"a": ["1", "2"], "b": "x y z", "c": ""}),
        (FORM.upper() + " ; charset=x", b"a=%C3%A9", {"a": "é"}),
        (FORM, b"a=\xff", {"a": "\ufffd"}),
        ("Content-Type: application/json", b"nonsense", None),
        ("Content-Type: application/json", b'{"a": NaN}', None),
        ("Content-Type: application/json", b"[" * 5000 + b"]" * 5000, None),
        ("Content-Type: application/json", b'"\xff"', None),
        ("Content-Type: text/plain", b"a=1", None),
        ("Content-Type: application/json", b"", None),
        ("Content-Type: ;;;", b"{}", {}),
    ],
)
async def test_data_is_json_whatever_the_content_type_or_a_form(
    client: HttpClient, wired: Wired, kind: str, body: bytes, data: object
) -> None:
    wire = await wired(answer(body, kind))
    response = await client.request(wire.url)
    assert response.data == data
    assert response.buffer == body


async def test_undecodable_bytes_of_the_text_are_replaced(client: HttpClient, wired: Wired) -> None:
    wire = await wired(answer(b"Zo\xc3\xab \xff", "Content-Type: text/plain; charset=latin-1"))
    response = await client.request(wire.url)
    assert response.text == "Zoë \ufffd"
    assert response.buffer == b"Zo\xc3\xab \xff"


async def test_headers_beyond_ascii_do_no_harm(client: HttpClient, wired: Wired) -> None:
    raw = b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\nX-Name: Zo\xc3\xab\r\nX-Raw: \xff\r\n\r\n"
    wire = await wired(say(raw))
    assert (await client.request(wire.url)).headers["x-name"] == "Zoë"


@pytest.mark.parametrize("coding", ["gzip", "deflate"])
async def test_a_compressed_answer_is_unpacked(
    client: HttpClient, party: Served, coding: str
) -> None:
    response = await client.request(party.at(f"/packed/{coding}"))
    assert response.data == {"packed": True}


@pytest.mark.parametrize("coding", ["gzip", "deflate"])
async def test_a_bomb_ends_at_the_cap_of_what_it_unpacks_to(
    opened: Opened, party: Served, coding: str
) -> None:
    client = await opened(max_response=1 << 20, timeout=20)
    with pytest.raises(ResponseError, match="larger than 1048576 bytes"):
        await client.request(party.at(f"/bomb/{coding}"))
    assert BOMB > 1 << 20


async def test_a_body_may_be_as_large_as_the_cap(opened: Opened, wired: Wired) -> None:
    client = await opened(max_response=2000)
    wire = await wired(answer(b"x" * 2000), answer(b"x" * 2001))
    assert len((await client.request(wire.url)).buffer) == 2000
    with pytest.raises(ResponseError, match="larger than 2000 bytes"):
        await client.request(wire.url)


async def test_the_answer_shows_no_more_than_its_status(client: HttpClient, wired: Wired) -> None:
    wire = await wired(answer(b"CANARY", "X-Secret: CANARY", "Set-Cookie: CANARY=1"))
    assert repr(await client.request(wire.url)) == "HttpResponse(status=200)"
