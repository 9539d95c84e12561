"""The seam: a fourth dialect is a folder and a conf section, and nothing else is touched."""

import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.serving import PARSE, Serve
from tornado_cc import dialects

FOLDER = str(Path(__file__).parent / "fourth")
CONF = f"""
{PARSE}
[dialect:shout]
volume = 3
[voice:ann]
function = echo
[voice:bob]
function = nowhere
"""
ECHO = """
    from tornado_cc import Plugin, Refusal
    plugin = Plugin("echo")
    @plugin.cloud_function("echo")
    async def echo(call):
        if call.params.get("text") == "no":
            raise Refusal("then not")
        return call.params.get("text", "parse")
"""


@pytest.fixture(autouse=True)
def fourth_dialect(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.setattr(dialects, "__path__", [*dialects.__path__, FOLDER])
    yield
    sys.modules.pop("tornado_cc.dialects.shout", None)
    vars(dialects).pop("shout", None)


async def test_its_callers_reach_the_same_hooks_as_everybody_elses(serve: Serve) -> None:
    served = await serve(CONF, {"echo": ECHO})
    answer = await served.request("POST", "/shout/ann", {}, b"hello")
    assert (answer.status, answer.body) == (200, b"HELLO!!!")
    assert answer.header("Content-Type") == "text/plain"
    assert await served.webhook("/functions/echo", {}) == {"success": "parse"}
    assert served.fired == ["cloud_function echo (echo)"] * 2


async def test_it_spells_refusals_silence_and_limits_itself(serve: Serve) -> None:
    served = await serve(CONF, {"echo": ECHO})
    for voice, body, status, said in [
        ("ann", b"no", 400, b"then not"),
        ("bob", b"hello", 404, b"nobody"),
        ("eve", b"hello", 400, b"no such voice"),
        ("ann", b"x" * 21, 400, b"The body is larger than 20 bytes"),
    ]:
        answer = await served.request("POST", f"/shout/{voice}", {}, body)
        assert (answer.status, answer.body) == (status, said)
    assert served.fired == ["cloud_function echo (echo)"]


async def test_it_may_answer_without_asking_a_hook(serve: Serve) -> None:
    served = await serve(CONF, {"echo": ECHO})
    answer = await served.request("GET", "/shout/ann")
    assert answer.body == b"SILENCE, PLEASE"
    assert served.fired == []


async def test_it_is_logged_by_its_template(serve: Serve) -> None:
    served = await serve(CONF, {"echo": ECHO})
    await served.request("POST", "/shout/ann", {}, b"hello")
    (record,) = served.logged("request")
    assert vars(record)["route"] == "/shout/{voice}"
    assert vars(record)["dialect"] == "shout"
