"""Several plugins on one callback: who is asked, what is passed on, and how it ends."""

import asyncio
from typing import Any

import pytest

from tests.dialects.gamesparks.fixture import CONF, DEFAULT
from tests.serving import Serve, Served

PRODUCTION = """
[server]
mode = production

[dialect:gamesparks]
api_key = k-6d1f0c
server_secret = s-93ab52
"""
IN_PRODUCTION = "/callback/k-6d1f0c/s-93ab52/"
IMPATIENT = "\n[hooks]\ndeadline = 0.05\n"
FIRST = """
from tornado_cc import Plugin

plugin = Plugin("alpha")

@plugin.on_callback
async def first(call):
    call.script_data["seen"] = ["first"]
    call.script_data["first"] = True
"""
SECOND = """
from tornado_cc import Plugin

plugin = Plugin("beta")

@plugin.on_callback(credential="*")
async def second(call):
    call.script_data.setdefault("seen", []).append("second")
    call.script_data["second"] = True
"""
ENDING = """
from tornado_cc import Plugin

plugin = Plugin("alpha")

@plugin.on_callback
async def end(call):
    call.script_data["set"] = "kept"
    call.script_data["both"] = "set"
    return VALUE
"""
OWN = """
from tornado_cc import Plugin

plugin = Plugin("own")

@plugin.on_callback(credential="cb1")
async def mine(call):
    call.script_data["own"] = call.credential
"""
PLAIN = """
from tornado_cc import hookimpl

@hookimpl
async def on_callback(call):
    call.script_data["plain"] = call.credential
"""
FAILING = """
import asyncio, sys
from tornado_cc import Plugin, Refusal

plugin = Plugin("alpha")

@plugin.on_callback
async def fail(call):
    call.script_data["first"] = True
    STATEMENT
"""
IN_A_THREAD = """
import threading
from tornado_cc import Plugin

plugin = Plugin("alpha")

@plugin.on_callback
def block(call):
    call.script_data["thread"] = threading.current_thread() is not threading.main_thread()
"""
REACHING = """
from tornado_cc import Plugin

plugin = Plugin("alpha")

@plugin.on_callback
async def reach(call):
    call.script_data["body"] = call.request.body.hex()
    call.script_data["header"] = call.request.headers["X-Signature"]
    call.script_data["all"] = list(call.request.headers.get_all("x-many"))
    call.script_data["method"] = call.request.method
"""
CHANGING = """
from tornado_cc import Plugin

plugin = Plugin("alpha")

@plugin.on_callback
async def change(call):
    call.data["a"].append("changed")
    call.player_id = call.credential = "changed"
    call.data = {"contentType": "changed/type"}
"""
READING = """
from tornado_cc import Plugin

plugin = Plugin("beta")

@plugin.on_callback
async def read(call):
    call.script_data["data"] = call.data
    call.script_data["pid"] = call.player_id
    call.script_data["credential"] = call.credential
    try:
        call.data["b"] = 1
    except TypeError:
        call.script_data["refused"] = True
"""
ALPHA, BETA = "on_callback * (alpha)", "on_callback * (beta)"


async def test_plugins_are_asked_by_name_and_the_second_sees_what_the_first_set(
    serve: Serve,
) -> None:
    served = await serve(CONF, {"beta": SECOND, "alpha": FIRST})
    assert await got(served) == {"seen": ["first", "second"], "first": True, "second": True}
    assert served.fired == [ALPHA, BETA]


async def test_a_function_declared_to_be_first_is_asked_before_every_other(serve: Serve) -> None:
    eager = SECOND.replace('credential="*"', "tryfirst=True")
    served = await serve(CONF, {"alpha": FIRST, "beta": eager})
    assert await got(served) == {"seen": ["first"], "first": True, "second": True}
    assert served.fired == [BETA, ALPHA]


async def test_a_returned_mapping_is_laid_over_the_script_data_and_ends_the_chain(
    serve: Serve,
) -> None:
    ending = ENDING.replace("VALUE", '{"both": "returned"}')
    served = await serve(CONF, {"alpha": ending, "beta": SECOND})
    assert await got(served) == {"set": "kept", "both": "returned"}
    assert served.fired == [ALPHA]


async def test_an_empty_mapping_ends_the_chain_too(serve: Serve) -> None:
    served = await serve(CONF, {"alpha": ENDING.replace("VALUE", "{}"), "beta": SECOND})
    assert await got(served) == {"set": "kept", "both": "set"}
    assert served.fired == [ALPHA]


@pytest.mark.parametrize(
    ("value", "body"),
    [
        ('"OK"', b"OK"),
        ('""', b""),
        ("42", b"42"),
        ("0", b"0"),
        ("False", b"false"),
        ('["a", 1]', b'["a",1]'),
        ("()", b"[]"),
    ],
)
async def test_any_other_returned_value_is_the_raw_answer_and_ends_the_chain(
    value: str, body: bytes, serve: Serve
) -> None:
    served = await serve(CONF, {"alpha": ENDING.replace("VALUE", value), "beta": SECOND})
    answer = await served.request("GET", DEFAULT)
    assert (answer.status, answer.body) == (200, body)
    assert served.fired == [ALPHA]


async def test_returning_nothing_passes_the_callback_on(serve: Serve) -> None:
    served = await serve(CONF, {"alpha": ENDING.replace("VALUE", "None"), "beta": SECOND})
    assert (await got(served))["second"] is True


async def test_a_credentials_own_plugin_is_asked_beside_one_for_all(serve: Serve) -> None:
    served = await serve(CONF, {"own": OWN, "beta": SECOND})
    assert await got(served, "/callback/KEY/cb1/C1/") == {
        "own": "cb1",
        "seen": ["second"],
        "second": True,
    }
    assert served.fired == [BETA, "on_callback cb1 (own)"]
    assert await got(served) == {"seen": ["second"], "second": True}


async def test_a_plain_hook_is_asked_where_nobody_declared_the_credential(serve: Serve) -> None:
    served = await serve(CONF, {"own": OWN, "plain": PLAIN})
    assert await got(served, "/callback/KEY/cb1/C1/") == {"own": "cb1"}
    assert await got(served) == {"plain": "server"}


async def test_a_plain_hook_is_asked_beside_one_for_all(serve: Serve) -> None:
    served = await serve(CONF, {"plain": PLAIN, "beta": SECOND})
    assert await got(served) == {"seen": ["second"], "second": True, "plain": "server"}


async def test_a_function_that_blocks_runs_in_a_thread(serve: Serve) -> None:
    served = await serve(CONF, {"alpha": IN_A_THREAD})
    assert await got(served) == {"thread": True}


@pytest.mark.parametrize(
    ("statement", "detail"),
    [
        ('raise RuntimeError("no luck")', "no luck"),
        ("sys.exit(3)", "3"),
        ("await asyncio.Event().wait()", "passed its deadline of 0.05 s"),
        ("return {1}", "value['RESPONSE_RAW'] is a set, which JSON cannot carry"),
        ("return {1: 2}", "value has a key of type int; keys are strings"),
        ("call.script_data = [1]", "script data is not a mapping"),
        ('call.script_data["a"] = float("nan")', "value['a'] is not a finite number"),
    ],
)
async def test_a_failure_ends_the_chain_and_only_a_developer_reads_why(
    statement: str, detail: str, serve: Serve
) -> None:
    plugins = {"alpha": FAILING.replace("STATEMENT", statement), "beta": SECOND}
    served = await serve(CONF + IMPATIENT, plugins)
    answer = await served.request("GET", DEFAULT)
    assert answer.status == 500
    told = answer.json()["error"]["script"]
    failed = vars(served.logged("hook failed")[0])
    late = "longRunningScriptError: " if detail.startswith("passed its deadline") else ""
    assert told == f"{late}internal error (id {failed['error_id']}): {detail}"
    assert served.fired == [ALPHA]

    served = await serve(PRODUCTION + IMPATIENT, plugins)
    answer = await served.request("GET", IN_PRODUCTION)
    assert answer.status == 500
    failed = vars(served.logged("hook failed")[0])
    told = f"{late}internal error (id {failed['error_id']})"
    assert answer.json() == {"error": {"script": told}}


async def test_what_a_developer_reads_holds_no_secret_of_the_url(serve: Serve) -> None:
    conf = "[dialect:gamesparks]\napi_key = k-6d1f0c\nserver_secret = s-93ab52\n"
    failing = FAILING.replace("STATEMENT", "raise ValueError(call.request.path)")
    served = await serve(conf, {"alpha": failing})
    answer = await served.request("GET", IN_PRODUCTION)
    assert answer.json()["error"]["script"].endswith(": /callback/[redacted]/[redacted]/")


@pytest.mark.parametrize(("conf", "path"), [(CONF, DEFAULT), (PRODUCTION, IN_PRODUCTION)])
async def test_a_refusal_ends_the_chain_and_is_the_callers_to_read(
    conf: str, path: str, serve: Serve
) -> None:
    refusing = FAILING.replace("STATEMENT", 'raise Refusal("Not today")')
    served = await serve(conf, {"alpha": refusing, "beta": SECOND})
    answer = await served.request("GET", path)
    assert (answer.status, answer.json()) == (400, {"error": {"script": "Not today"}})
    assert served.fired == [ALPHA]


async def test_the_exact_body_and_every_header_are_within_reach(serve: Serve) -> None:
    served = await serve(CONF, {"alpha": REACHING})
    body = bytes(range(256))
    head = f"POST {DEFAULT} HTTP/1.1\r\nHost: x\r\nContent-Length: 256\r\nX-Signature: sha1=ab\r\n"
    answer = await served.send(f"{head}X-Many: 1\r\nX-Many: 2\r\n\r\n".encode() + body)
    assert answer.json() == {
        "body": body.hex(),
        "header": "sha1=ab",
        "all": ["1", "2"],
        "method": "POST",
    }


async def test_one_script_cannot_change_what_the_next_reads(serve: Serve) -> None:
    served = await serve(CONF, {"alpha": CHANGING, "beta": READING})
    await served.know("p1")
    answer = await served.request("GET", f"{DEFAULT}p1?a=1&a=2")
    assert answer.header("content-type") == "application/json"
    assert answer.json() == {
        "data": {"a": ["1", "2"]},
        "pid": "p1",
        "credential": "server",
        "refused": True,
    }


async def test_head_runs_the_script_and_has_no_body(serve: Serve) -> None:
    served = await serve(CONF, {"alpha": FIRST})
    answer = await served.request("HEAD", DEFAULT)
    plain = await served.request("GET", DEFAULT)
    assert (answer.status, answer.body) == (200, b"")
    assert answer.header("content-length") == str(len(plain.body))
    assert served.fired == [ALPHA, ALPHA]


async def test_callbacks_at_the_same_time_share_nothing(serve: Serve) -> None:
    served = await serve(CONF, {"alpha": FIRST, "beta": SECOND})
    answers = await asyncio.gather(*(got(served) for _ in range(5)))
    assert [answer["seen"] for answer in answers] == [["first", "second"]] * 5


async def got(served: Served, path: str = DEFAULT) -> Any:
    answer = await served.request("GET", path)
    assert answer.status == 200
    return answer.json()
