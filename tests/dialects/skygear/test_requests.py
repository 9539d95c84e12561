"""The Werkzeug request an endpoint is given, beyond what the golden conversations ask of it."""

import hashlib
import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.dialects.skygear.served import SKYGEAR, plugin
from tests.serving import Answer, Serve
from tornado_cc.core.message import Headers, Request
from tornado_cc.dialects.skygear.request import web_request

PLUGIN = plugin("""
import hashlib

@plugin.handler("facts/", method=["GET", "POST", "PUT", "DELETE", "PATCH"])
def facts(request):
    return {
        "method": request.method,
        "path": request.path,
        "full_path": request.full_path,
        "query_string": request.query_string.decode("latin-1"),
        "args": request.args.to_dict(flat=False),
        "form": request.form.to_dict(flat=False),
        "values": request.values.to_dict(flat=False),
        "cookies": dict(request.cookies),
        "content_type": request.content_type,
        "mimetype": request.mimetype,
        "content_length": request.content_length,
        "remote_addr": request.remote_addr,
        "headers": {name: value for name, value in request.headers},
    }

@plugin.handler("authorization")
def authorization(request):
    found = request.authorization
    return found and [found.type, found.username, found.password, found.token]

@plugin.handler("text")
async def text(request):
    return request.get_data(as_text=True)

@plugin.handler("data")
def data(request):
    return [request.data.hex(), request.get_data().hex(), request.get_data(cache=False).hex()]

@plugin.handler("stream")
def stream(request):
    return [request.stream.read(2).hex(), request.stream.read().hex(), request.stream.read().hex()]

@plugin.handler("sizes")
def sizes(request):
    return {
        "form": {name: len(value) for name, value in request.form.items()},
        "files": {
            name: [file.filename, hashlib.sha256(file.read()).hexdigest()]
            for name, file in request.files.items()
        },
        "charset": [request.charset, request.encoding_errors],
    }
""")

FORM = {"Content-Type": "application/x-www-form-urlencoded"}


async def facts(
    serve: Serve, path: str, method: str = "GET", headers: Any = None, body: bytes = b""
) -> Any:
    served = await serve(SKYGEAR, PLUGIN)
    answer = await served.request(method, path, headers, body)
    assert answer.status == 200, answer.body
    return answer.json()


@pytest.mark.parametrize("method", ["GET", "POST", "PUT", "DELETE", "PATCH"])
async def test_method_path_and_query_are_as_sent(serve: Serve, method: str) -> None:
    found = await facts(serve, "/facts/%E4%BD%A0/b%20c?x=%2B+&y", method)
    assert found["method"] == method
    assert found["path"] == "/facts/你/b c"
    assert found["full_path"] == "/facts/你/b c?x=%2B+&y"
    assert found["query_string"] == "x=%2B+&y"
    assert found["args"] == {"x": ["+ "], "y": [""]}


@pytest.mark.parametrize(
    ("sent", "path"),
    [
        ("%3Fa=1", "/facts/?a=1"),
        ("%25", "/facts/%"),
        ("%ff", "/facts/\ufffd"),
        ("a+b;c=d", "/facts/a+b;c=d"),
        ("%00", "/facts/\x00"),
        ("%", "/facts/%"),
    ],
)
async def test_an_odd_path_is_decoded_once_and_splits_off_no_query(
    serve: Serve, sent: str, path: str
) -> None:
    found = await facts(serve, f"/facts/{sent}")
    assert (found["path"], found["args"]) == (path, {})


async def test_bare_bytes_in_path_and_query_are_read_as_utf_8(serve: Serve) -> None:
    served = await serve(SKYGEAR, PLUGIN)
    target = "/facts/ü?ü=é".encode()
    raw = b"GET " + target + b" HTTP/1.1\r\nHost: localhost\r\n\r\n"
    found = (await served.send(raw, method="GET")).json()
    assert (found["path"], found["args"]) == ("/facts/ü", {"ü": ["é"]})


async def test_bare_bytes_that_are_no_utf_8_break_nothing(serve: Serve) -> None:
    served = await serve(SKYGEAR, PLUGIN)
    raw = b"GET /facts/\xff?a=\xff&api_key=\xfe HTTP/1.1\r\nHost: localhost\r\n\r\n"
    answer = await served.send(raw, method="GET")
    assert answer.status == 200
    assert answer.json()["path"] == "/facts/\ufffd"


async def test_of_a_repeated_header_the_last_value_counts(serve: Serve) -> None:
    served = await serve(SKYGEAR, PLUGIN)
    raw = b"GET /facts/ HTTP/1.1\r\nHost: one\r\nX-A: first\r\nx-a: last\r\nX-B: only\r\n\r\n"
    headers = (await served.send(raw, method="GET")).json()["headers"]
    assert (headers["X-A"], headers["X-B"]) == ("last", "only")


async def test_the_credentials_stay_visible(serve: Serve) -> None:
    sent = {"X-Skygear-API-Key": "client-key", "X-Skygear-Access-Token": "abc"}
    found = (await facts(serve, "/facts/", headers=sent))["headers"]
    assert found["X-Skygear-Api-Key"] == "client-key"
    assert found["X-Skygear-Access-Token"] == "abc"


async def test_without_a_body_the_length_is_zero_and_there_is_no_type(serve: Serve) -> None:
    found = await facts(serve, "/facts/")
    assert found["content_length"] == 0
    assert found["content_type"] in (None, "")
    assert (found["mimetype"], found["form"]) == ("", {})
    assert found["remote_addr"] == "127.0.0.1"


async def test_a_form_is_read_in_any_letters_and_length(serve: Serve) -> None:
    body = b"a=1&a=2&%C3%BC=%E4%BD%A0&empty=&bad=%ff"
    found = await facts(serve, "/facts/?a=0", "POST", FORM, body)
    assert found["form"] == {"a": ["1", "2"], "ü": ["你"], "empty": [""], "bad": ["%FF"]}
    assert found["values"]["a"] == ["0", "1", "2"]
    assert found["content_length"] == len(body)


async def test_cookies_are_read_and_odd_ones_passed_over(serve: Serve) -> None:
    found = await facts(serve, "/facts/", headers={"Cookie": 'a=1; b="two words"; ; =x; c'})
    assert found["cookies"]["a"] == "1"
    assert found["cookies"]["b"] == "two words"


@pytest.mark.parametrize(
    ("sent", "found"),
    [
        ("Basic dXNlcjpwYTpzcw==", ["basic", "user", "pa:ss", None]),
        ("Bearer abc.def", ["bearer", None, None, "abc.def"]),
        ("Basic !!!", None),
        ("", None),
    ],
)
async def test_authorization_is_parsed(serve: Serve, sent: str, found: Any) -> None:
    assert await facts(serve, "/authorization", headers={"Authorization": sent}) == found


BINARY = bytes(range(256))


async def test_row_91_a_binary_body_arrives_byte_for_byte(serve: Serve) -> None:
    found = await facts(serve, "/data", "POST", body=BINARY)
    assert found == [BINARY.hex()] * 3
    assert await facts(serve, "/stream", "POST", body=BINARY) == [
        BINARY[:2].hex(),
        BINARY[2:].hex(),
        "",
    ]


async def test_a_body_as_text_replaces_what_is_no_utf_8(serve: Serve) -> None:
    served = await serve(SKYGEAR, PLUGIN)
    answer = await served.request("POST", "/text", {}, b"h\xc3\xa9\xff")
    assert answer.body.decode() == "hé\ufffd"


def multipart(*parts: tuple[str, str, bytes]) -> bytes:
    """Parts as (name, filename, content), an empty filename making it a field."""
    found = b""
    for name, filename, content in parts:
        head = f'Content-Disposition: form-data; name="{name}"'
        head += f'; filename="{filename}"\r\nContent-Type: application/octet-stream' * bool(
            filename
        )
        found += b"--cut\r\n" + head.encode() + b"\r\n\r\n" + content + b"\r\n"
    return found + b"--cut--\r\n"


MULTIPART = {"Content-Type": "multipart/form-data; boundary=cut"}
BIG = f"{SKYGEAR}\n[server]\nmax_body = 4 MiB\n"


async def posted(serve: Serve, headers: dict[str, str], body: bytes) -> Answer:
    served = await serve(BIG, PLUGIN)
    return await served.request("POST", "/sizes", headers, body)


@pytest.mark.parametrize("size", [499_999, 500_001, 3_000_000])
async def test_a_form_may_be_as_large_as_max_body(serve: Serve, size: int) -> None:
    urlencoded = await posted(serve, FORM, b"a=" + b"x" * size)
    assert urlencoded.json()["form"] == {"a": size}
    field = await posted(serve, MULTIPART, multipart(("a", "", b"x" * size)))
    assert field.json()["form"] == {"a": size}


async def test_a_form_may_have_thousands_of_parts(serve: Serve) -> None:
    body = multipart(*((f"a{number}", "", b"x") for number in range(3000)))
    assert len((await posted(serve, MULTIPART, body)).json()["form"]) == 3000


async def test_a_large_file_arrives_byte_for_byte(serve: Serve) -> None:
    content = BINARY * 8000
    answer = await posted(serve, MULTIPART, multipart(("f", "ü.bin", content), ("a", "", b"1")))
    assert answer.json() == {
        "form": {"a": 1},
        "files": {"f": ["ü.bin", hashlib.sha256(content).hexdigest()]},
        "charset": ["utf-8", "replace"],
    }


@pytest.mark.parametrize("body", [b"--cut\r\n\r\nx", b"", b"no part", b"--cut\r\nContent-Dispos"])
async def test_a_broken_multipart_body_is_an_empty_form(serve: Serve, body: bytes) -> None:
    answer = await posted(serve, MULTIPART, body)
    assert answer.status == 200
    assert answer.json()["form"] == {}


@given(
    st.text(st.characters(min_codepoint=33, max_codepoint=255), max_size=20),
    st.text(st.characters(min_codepoint=33, max_codepoint=255), max_size=20),
    st.dictionaries(
        st.sampled_from(["Host", "Cookie", "Authorization", "Content-Type", "Accept", "Date"]),
        st.text(st.characters(min_codepoint=32, max_codepoint=255), max_size=20),
    ),
    st.binary(max_size=40),
)
def test_whatever_is_sent_can_be_asked_for(
    path: str, query: str, headers: dict[str, str], body: bytes
) -> None:
    received = Request("POST", f"/{path}", query, Headers(headers.items()), body)
    request = web_request(received, "")
    seen = [
        request.path,
        request.full_path,
        request.args.to_dict(flat=False),
        request.form.to_dict(flat=False),
        request.cookies.to_dict(),
        dict(request.headers),
        request.values.to_dict(),
    ]
    json.dumps(seen)
    assert (request.files, request.authorization, request.mimetype) is not None
