"""The one header writer: what h11 reads back is what was asked for, framed exactly once."""

import re

import h11
import pytest
from hypothesis import given
from hypothesis import strategies as st
from tornado.httputil import RequestStartLine

from tornado_cc.core import header
from tornado_cc.core.message import Response
from tornado_cc.server import headers

TOKENS = st.text("abcXYZ019-_!#$%&'*+.^`|~", min_size=1).filter(
    lambda name: name.lower() not in header.FRAMING
)
VALUES = st.text(st.characters(min_codepoint=0x20, max_codepoint=0xFF)).filter(
    lambda value: "\x7f" not in value and not any("\x80" <= one < "\xa0" for one in value)
)


@pytest.mark.parametrize("name", sorted(header.FRAMING | {name.title() for name in header.FRAMING}))
def test_framing_headers_are_the_servers_own(name: str) -> None:
    with pytest.raises(header.BadHeader, match="not a plugin's to set"):
        header.check(name, "1")


@pytest.mark.parametrize("name", ["", "a b", "a:", "é", "a\r\nb", "a\0"])
def test_a_malformed_name_is_refused(name: str) -> None:
    with pytest.raises(header.BadHeader):
        header.check(name, "1")


@pytest.mark.parametrize("value", ["a\r\nSet-Cookie: b", "a\nb", "a\0", "\x7f", "你"])
def test_a_value_that_could_end_its_line_is_refused(value: str) -> None:
    with pytest.raises(header.BadHeader, match="no header may"):
        header.check("X-Name", value)


@pytest.mark.parametrize("status", [0, 100, 101, 199, 600, -1])
def test_a_status_that_is_not_final_is_refused(status: int) -> None:
    with pytest.raises(header.BadHeader):
        headers.head(Response(status, b""), close=False)


@given(st.lists(st.tuples(TOKENS, VALUES), max_size=5), st.binary(max_size=20), st.booleans())
def test_whatever_is_accepted_is_read_back_by_h11(
    pairs: list[tuple[str, str]], body: bytes, close: bool
) -> None:
    line, written = headers.head(Response(200, body, tuple(pairs)), close=close)
    raw = f"HTTP/1.1 {line.code} {line.reason}\r\n"
    raw += "".join(f"{name}: {value}\r\n" for name, value in written.get_all())
    connection = h11.Connection(h11.CLIENT)
    connection.send(h11.Request(method="GET", target="/", headers=[("Host", "x")]))
    connection.send(h11.EndOfMessage())
    connection.receive_data(raw.encode("latin-1") + b"\r\n" + body)
    response = connection.next_event()
    assert isinstance(response, h11.Response)
    names = [name for name, _ in response.headers]
    assert names.count(b"content-length") == 1
    assert b"transfer-encoding" not in names
    got = [(name.decode(), value.decode("latin-1")) for name, value in response.headers]
    for name, value in pairs:
        assert (name.lower(), value.strip(" \t")) in got


@given(
    st.integers(0, 99_999), st.sampled_from(["HTTP/1.1", "HTTP/1.0"]), st.booleans(), st.booleans()
)
def test_the_head_that_most_answers_have_is_the_one_that_is_put_together(
    length: int, version: str, keep_alive: bool, close: bool
) -> None:
    response = Response(200, b"x" * length)
    spelt = []
    for content_type in ("application/json", "application/json "):
        line, lines = headers.head(
            Response(200, response.body, (("Content-Type", content_type),)), close=close
        )
        request = RequestStartLine("POST", "/", version)
        plain = headers.plain(lines, request, keep_alive=keep_alive)
        if plain is None:
            headers.frame(lines, request, 200, keep_alive=keep_alive)
            plain = headers.spelt(line, lines)
        else:
            assert content_type == "application/json"
        spelt.append(re.sub(rb"Date: .*", b"", plain))
    assert spelt[0] == spelt[1]


def test_what_one_answer_adds_to_its_head_no_other_has() -> None:
    _, mine = headers.head(Response(200, b"{}"), close=False)
    mine["Connection"] = "close"
    mine.add("X-Mine", "1")
    _, other = headers.head(Response(200, b"{}"), close=False)
    assert "Connection" not in other
    assert "X-Mine" not in other
