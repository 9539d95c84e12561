"""Rows of the conformance table that a golden conversation, being text, cannot hold."""

import codecs
import encodings.aliases
from urllib.parse import urlencode

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.dialects.gamesparks.fixture import CONF, DEFAULT
from tests.serving import Serve, Served

SCRIPT = """
from tornado_cc import hookimpl

@hookimpl
async def on_callback(call):
    call.script_data["RESPONSE_RAW"] = call.data.get("REQUEST_BODY", "é你")
    if "many" in call.data:
        call.script_data["RESPONSE_HEADERS"] = {"X-Many": ["a", 1, True]}
    if "own" in call.data:
        call.script_data["RESPONSE_HEADERS"] = {"Content-Type": call.data["own"]}
"""
# Every charset Python has, and its notations, which are none.
NAMES = sorted(
    {*encodings.aliases.aliases.values(), "idna", "punycode", "undefined", "unicode_escape"}
)


@pytest.fixture
async def served(serve: Serve) -> Served:
    return await serve(CONF, {"script": SCRIPT})


@pytest.mark.parametrize("name", ["ISO-8859-1", '"iso-8859-1"', "latin1", "Windows-1252"])
async def test_row_41_a_body_is_decoded_by_its_charset(name: str, served: Served) -> None:
    kind = {"Content-Type": f"text/plain; charset={name}"}
    answer = await served.request("POST", DEFAULT, kind, b"h\xe9")
    assert answer.body.decode() == "hé"


async def test_row_41_bytes_that_are_no_utf_8_are_replaced(served: Served) -> None:
    answer = await served.request("POST", DEFAULT, {}, b"h\xe9")
    assert answer.body.decode() == "h\N{REPLACEMENT CHARACTER}"


async def test_row_42_broken_multipart_of_any_bytes_is_a_body(served: Served) -> None:
    kind = {"Content-Type": "multipart/form-data; boundary=cut"}
    answer = await served.request("POST", DEFAULT, kind, b"--cut\r\n\xff\xfe\r\n\r\n")
    assert (answer.status, answer.body.decode()) == (200, "--cut\r\n\ufffd\ufffd\r\n\r\n")


async def test_row_67_an_answer_is_encoded_by_the_charset_asked_for(served: Served) -> None:
    answer = await served.request("GET", f"{DEFAULT}?characterEncoding=ISO-8859-1")
    assert answer.body == b"\xe9?"
    assert answer.header("content-type") == "text/plain;charset=ISO-8859-1"


async def test_row_67_so_is_one_whose_script_names_a_charset(served: Served) -> None:
    query = "characterEncoding=UTF-8&own=text/xml;charset=iso-8859-1"
    answer = await served.request("GET", f"{DEFAULT}?{query}")
    assert answer.body == b"\xe9?"
    assert answer.header("content-type") == "text/xml;charset=iso-8859-1"


async def test_row_73_each_value_of_a_list_is_a_header(served: Served) -> None:
    answer = await served.request("GET", f"{DEFAULT}?many")
    values = [value for name, value in answer.headers if name == "x-many"]
    assert values == ["a", "1", "true"]


@pytest.mark.parametrize("name", NAMES)
async def test_row_71_no_name_python_knows_breaks_an_answer(name: str, served: Served) -> None:
    answer = await served.request("GET", f"{DEFAULT}?characterEncoding={name}")
    assert answer.status == 200
    kind = answer.header("content-type") or ""
    assert answer.body == "é你".encode(codecs.lookup(kind.rpartition("=")[2]).name, "replace")


@pytest.mark.parametrize("name", NAMES)
async def test_row_41_no_name_python_knows_breaks_a_request(name: str, served: Served) -> None:
    kind = {"Content-Type": f"text/plain; charset={name}"}
    answer = await served.request("POST", DEFAULT, kind, bytes(range(256)))
    assert answer.status == 200


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.text(), st.text() | st.sampled_from(["utf-8", ';utf-8"', "é utf 8", "UTF-16", "\0"]))
async def test_rows_65_to_72_any_text_may_be_asked_for(
    served: Served, kind: str, charset: str
) -> None:
    asked = {"contentType": kind, "characterEncoding": charset}
    query = urlencode(asked, errors="replace")
    answer = await served.request("GET", f"{DEFAULT}?{query}")
    assert answer.status == 200
    names = [name for name, _ in answer.headers]
    assert sorted(names) == ["content-length", "content-type", "date", "server"]
