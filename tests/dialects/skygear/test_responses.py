"""What an endpoint returns, as it leaves: checked by h11, which takes no breach of the protocol."""

import asyncio
import json
from typing import Any

import pytest
import werkzeug
from hypothesis import given
from hypothesis import strategies as st

from tests.dialects.skygear.served import SKYGEAR, plugin
from tests.serving import Serve
from tornado_cc.core.header import BadHeader, check
from tornado_cc.core.json_value import NotJson
from tornado_cc.core.message import Response as Spelt
from tornado_cc.dialects.skygear.write import returned
from tornado_cc.skygear import Response

PLUGIN = plugin(r"""
import datetime
import io

class Closing(io.BytesIO):
    closed_by_us = []
    def close(self):
        Closing.closed_by_us.append(True)
        super().close()

def forced(name, value, **options):
    response = Response("forced", **options)
    # Past Werkzeug's own check of line breaks.
    response.headers._list.append((name, value))
    return response

def two_cookies():
    response = Response("two")
    response.set_cookie("a", "1", httponly=True)
    response.set_cookie("b", "2")
    return response

def numbers():
    for number in range(1000):
        yield str(number)

class Broken:
    closed = []
    def __iter__(self):
        yield "begun"
        raise ValueError("half way")
    def close(self):
        Broken.closed.append(True)

async def unwanted():
    yield "a"

MADE = {
    "two_cookies": two_cookies,
    "generator": lambda: Response(numbers()),
    "generator_204": lambda: Response(numbers(), status=204),
    "body_204": lambda: Response("body", status=204),
    "body_304": lambda: Response("body", status=304, headers={"ETag": '"x"'}),
    "binary": lambda: Response(b"\x00\xff", content_type="application/octet-stream"),
    "file": lambda: Response(Closing(b"file"), direct_passthrough=True),
    "broken_closed": lambda: bool(Broken.closed),
    "file_closed": lambda: bool(Closing.closed_by_us),
    "length_right": lambda: Response("five!", headers={"Content-Length": "5"}),
    "length_short": lambda: Response("five!", headers={"Content-Length": "2"}),
    "length_long": lambda: Response("five!", headers={"Content-Length": "5000"}),
    "length_twice": lambda: forced("Content-Length", "1", headers={"content-length": "2"}),
    "length_odd": lambda: forced("Content-Length", "+5, \r\n"),
    "chunked": lambda: Response("0\r\n\r\n", headers={"Transfer-Encoding": "chunked"}),
    "connection": lambda: Response("x", headers={"Connection": "keep-alive"}),
    "injected": lambda: forced("X-A", "b\r\nSet-Cookie: stolen=1"),
    "injected_name": lambda: forced("X-A: b\r\nSet-Cookie", "stolen=1"),
    "injected_werkzeug": lambda: Response("x", headers={"X-A": "b\r\nSet-Cookie: stolen=1"}),
    "script": lambda: Response("x", headers={"X-A": "\u4f60"}),
    "latin": lambda: Response("x", headers={"X-A": "h\xe9"}),
    "padded": lambda: Response("x", headers={"X-A": "  b\t"}),
    "status_100": lambda: Response("x", status=100),
    "status_0": lambda: Response("x", status=0),
    "status_999": lambda: Response("x", status=999),
    "status_599": lambda: Response("x", status=599),
    "status_word": lambda: Response("x", status="fine"),
    "broken": lambda: Response(Broken()),
    "items": lambda: Response([1, 2]),
    "async_items": lambda: Response(unwanted()),
    "date": lambda: datetime.datetime(2020, 1, 1),
    "class": lambda: Response,
    "server": lambda: Response("x", headers={"Server": "mine", "Date": "never"}),
    "html": lambda: Response("<p>", mimetype="text/html"),
    "cors": lambda: Response("x", headers={"Access-Control-Allow-Origin": "https://mine"}),
    "not_found": lambda: __import__("werkzeug").exceptions.NotFound(),
}

@plugin.handler("plain/", method=["GET", "HEAD"])
def plain(request):
    return MADE[request.path.split("/")[-1]]()

@plugin.handler("async/", method=["GET", "HEAD"])
async def awaited(request):
    return MADE[request.path.split("/")[-1]]()
""")

KINDS = pytest.mark.parametrize("kind", ["plain", "async"])


async def made(serve: Serve, kind: str, case: str, method: str = "GET") -> Any:
    served = await serve(SKYGEAR, PLUGIN)
    return await served.request(method, f"/{kind}/{case}")


@KINDS
async def test_row_52_both_cookies_are_sent(serve: Serve, kind: str) -> None:
    answer = await made(serve, kind, "two_cookies")
    cookies = [value for name, value in answer.headers if name == "set-cookie"]
    assert cookies == ["a=1; HttpOnly; Path=/", "b=2; Path=/"]


@KINDS
async def test_row_48_bytes_leave_as_they_are(serve: Serve, kind: str) -> None:
    answer = await made(serve, kind, "binary")
    assert answer.body == b"\x00\xff"
    assert answer.header("Content-Type") == "application/octet-stream"


@KINDS
async def test_row_53_a_generator_is_joined_under_one_length(serve: Serve, kind: str) -> None:
    answer = await made(serve, kind, "generator")
    assert answer.body == "".join(map(str, range(1000))).encode()
    assert answer.header("Content-Length") == str(len(answer.body))


@KINDS
@pytest.mark.parametrize("case", ["generator_204", "body_204", "body_304"])
async def test_a_status_without_content_has_none(serve: Serve, kind: str, case: str) -> None:
    answer = await made(serve, kind, case)
    assert str(answer.status) == case[-3:]
    assert answer.body == b""
    assert answer.header("Content-Length") is None


@KINDS
@pytest.mark.parametrize("case", ["length_right", "length_short", "length_long", "length_twice"])
async def test_a_length_of_the_plugins_never_frames_an_answer(
    serve: Serve, kind: str, case: str
) -> None:
    answer = await made(serve, kind, case)
    lengths = [value for name, value in answer.headers if name == "content-length"]
    assert lengths == [str(len(answer.body))]
    assert answer.body in (b"five!", b"forced")


REFUSED = ["chunked", "connection", "injected", "injected_name", "injected_werkzeug", "script"]
UNSPELT = ["status_100", "status_0", "status_999", "status_word", "broken", "items", "async_items"]


@KINDS
@pytest.mark.parametrize("case", [*REFUSED, *UNSPELT, "date", "class", "not_found"])
async def test_what_would_break_the_answer_is_the_plugins_failure(
    serve: Serve, kind: str, case: str
) -> None:
    served = await serve(SKYGEAR, PLUGIN)
    answer = await served.request("GET", f"/{kind}/{case}")
    assert (answer.status, answer.json()["error"]["code"]) == (500, 10000)
    assert answer.header("Set-Cookie") is answer.header("X-A") is None
    assert answer.header("X-Skygear-Request-Id")
    assert len(served.logged("hook failed")) == 1
    assert served.logged("request failed") == []


@KINDS
async def test_a_file_is_sent_and_closed(serve: Serve, kind: str) -> None:
    served = await serve(SKYGEAR, PLUGIN)
    assert (await served.request("GET", f"/{kind}/file")).body == b"file"
    assert (await served.request("GET", f"/{kind}/file_closed")).json() is True


@KINDS
async def test_what_breaks_half_way_is_closed(serve: Serve, kind: str) -> None:
    served = await serve(SKYGEAR, PLUGIN)
    assert (await served.request("GET", f"/{kind}/broken")).status == 500
    assert (await served.request("GET", f"/{kind}/broken_closed")).json() is True


@KINDS
@pytest.mark.parametrize(
    ("case", "header", "value"),
    [
        ("latin", "X-A", "h\xe9"),
        ("padded", "X-A", "b"),
        ("server", "Server", "mine"),
        ("html", "Content-Type", "text/html; charset=utf-8"),
        ("cors", "Access-Control-Allow-Origin", "https://mine"),
        ("length_odd", "Content-Length", "6"),
    ],
)
async def test_other_headers_are_the_endpoints_own(
    serve: Serve, kind: str, case: str, header: str, value: str
) -> None:
    answer = await made(serve, kind, case)
    assert [text for name, text in answer.headers if name == header.lower()] == [value]


@KINDS
async def test_a_head_says_how_long_the_body_would_be(serve: Serve, kind: str) -> None:
    answer = await made(serve, kind, "length_short", "HEAD")
    assert (answer.status, answer.body) == (200, b"")
    assert answer.header("Content-Length") == "5"


async def test_the_connection_stays_in_step_after_every_answer(serve: Serve) -> None:
    served = await serve(SKYGEAR, PLUGIN)
    cases = ["length_long", "body_204", "length_short", "chunked", "body_304", "injected"]
    sent = b"".join(
        f"GET /plain/{case} HTTP/1.1\r\nHost: localhost\r\n\r\n".encode()
        for case in [*cases, "binary"]
    )
    reader, writer = await asyncio.open_connection("127.0.0.1", served.port)
    writer.write(sent + b"GET /plain/binary HTTP/1.0\r\n\r\n")
    async with asyncio.timeout(10):
        received = await reader.read()
    writer.close()
    assert received.count(b"HTTP/1.1 ") == len(cases) + 2
    assert received.endswith(b"\r\n\r\n\x00\xff")


TEXTS = st.text(max_size=20)
SCALARS = st.none() | st.booleans() | st.integers() | st.floats() | TEXTS
ODD = st.binary(max_size=5) | st.sets(st.integers()) | st.complex_numbers() | st.just(object())
VALUES = st.recursive(
    SCALARS | ODD,
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(SCALARS | st.tuples(st.integers()), inner, max_size=3)
        | st.tuples(inner, inner)
    ),
    max_leaves=8,
)
HEADERS = st.lists(
    st.tuples(
        TEXTS | st.sampled_from(["Content-Length", "Transfer-Encoding", "X-A", "Set-Cookie"]),
        TEXTS | st.sampled_from(["chunked", "5", "a\r\nb: c", "\xe9"]),
    ),
    max_size=3,
)


def response(body: Any, status: Any, headers: list[tuple[str, str]]) -> werkzeug.Response:
    made = Response(body, status=status)
    made.headers._list.extend(headers)
    return made


RESPONSES = st.builds(
    response,
    st.binary(max_size=9) | TEXTS | st.lists(st.binary(max_size=3) | TEXTS, max_size=3),
    st.integers(0, 1000),
    HEADERS,
)


@given(VALUES | RESPONSES)
def test_whatever_is_returned_is_a_valid_response_or_the_plugins_failure(value: object) -> None:
    try:
        spelt = returned(value)
    except (NotJson, BadHeader):
        return
    assert isinstance(spelt, Spelt)
    assert 200 <= spelt.status <= 599
    for name, text in spelt.headers:
        check(name, text)
    if not isinstance(value, str | werkzeug.Response):
        assert spelt.body == json.dumps(value).encode()
