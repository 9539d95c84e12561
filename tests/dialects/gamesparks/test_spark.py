"""`Spark` where it is made, how long it lasts, and what its log, its exit and its errors do."""

import asyncio
import json
import logging
import threading
import time
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.dialects.gamesparks.fixture import request
from tests.serving import Answer, Serve, Served
from tornado_cc import gamesparks
from tornado_cc.core.call import CallbackCall, FunctionCall, JobCall
from tornado_cc.core.errors import HookExit
from tornado_cc.dialects.gamesparks.spark import LongRunningScriptError
from tornado_cc.gamesparks import Spark

SPEC = Path(__file__).parents[3] / "docs" / "gamesparks.md"
CONF = """
[dialect:gamesparks]
api_key = KEY
server_secret = SEC
"""
HEAD = """
import asyncio, threading, time

from tornado_cc import Plugin, inline
from tornado_cc.gamesparks import Spark

plugin = Plugin("script")

"""
MEMBERS = {
    "Spark": (
        "getData setScriptData getScriptData removeScriptData removeAllScriptData setScriptError"
        " getScriptError removeScriptError removeAllScriptErrors hasScriptErrors getPlayer"
        " loadPlayer getHttp getLog getDigester getScheduler getRemainingMilliseconds exit"
        " sendRequest"
    ),
    "SparkLog": "debug info warn error",
    "SparkScheduler": "inSeconds cancel",
    "SparkHttp": (
        "setBasicAuth setHeaders get postForm postXml postJson postString putForm putXml putJson"
        " putString delete"
    ),
    "SparkHttpResponse": (
        "getHeaders getCookies getResponseCode getResponseString getResponseJson getResponseXml"
    ),
    "SparkPlayer": (
        "getPlayerId getUserName getDisplayName getExternalIds getPrivateData setPrivateData"
        " removePrivateData getScriptData setScriptData removeScriptData persist"
    ),
}


def callback(**data: Any) -> CallbackCall:
    """A call that nothing stands behind."""
    return CallbackCall(
        dialect="gamesparks", hook="on_callback", claim=("server",), request=request(), data=data
    )


def job(params: object) -> JobCall:
    return JobCall(
        dialect="store", hook="job", claim=("M",), request=request(), name="M", params=params
    )


def script(body: str, head: str = "@plugin.on_callback\ndef run(call):") -> str:
    return HEAD + head + "\n" + "\n".join(f"    {line}" for line in body.splitlines()) + "\n"


async def scripted(serve: Serve, source: str, conf: str = CONF) -> Served:
    return await serve(conf, {"script": source})


async def run(served: Served, player: str = "", query: str = "") -> Answer:
    return await served.request("GET", f"/callback/KEY/SEC/{player}?{query}")


def failures(served: Served) -> list[str]:
    return [str(line.exc_info and line.exc_info[1]) for line in served.logged("hook failed")]


@pytest.mark.parametrize("name", MEMBERS)
def test_every_member_is_there_explained_and_nothing_else(name: str) -> None:
    kind = getattr(gamesparks, name)
    public = {one for one in dir(kind) if not one.startswith("_")}
    assert public == set(MEMBERS[name].split())
    assert all(getattr(kind, one).__doc__ for one in public)


@pytest.mark.parametrize("name", [*MEMBERS, "SparkDigest"])
def test_every_member_is_on_the_page(name: str) -> None:
    page = SPEC.read_text(encoding="utf-8")
    kind = getattr(gamesparks, name)
    public = [one for one in dir(kind) if not one.startswith("_")]
    assert [one for one in public if one not in page] == []


@pytest.mark.parametrize("head", ["async def run(call):", "@inline\ndef run(call):"])
async def test_on_the_event_loop_it_says_what_to_do(serve: Serve, head: str) -> None:
    served = await scripted(serve, script("Spark(call)", f"@plugin.on_callback\n{head}"))
    assert (await run(served)).status == 500
    (words,) = failures(served)
    assert "declare the hook with def instead of async def, and without @inline" in words


async def test_in_a_thread_of_an_async_hook_too(serve: Serve) -> None:
    head = "@plugin.on_callback\nasync def run(call):"
    served = await scripted(serve, script("await asyncio.to_thread(Spark, call)", head))
    assert (await run(served)).status == 500
    assert "declare the hook with def" in failures(served)[0]


def test_other_calls_are_none_of_its_own() -> None:
    call = FunctionCall(dialect="parse", hook="f", claim=("f",), request=request(), name="f")
    with pytest.raises(TypeError, match="Spark is for callbacks, jobs and schedules"):
        Spark(call)  # type: ignore[arg-type]


def test_it_can_be_tried_without_a_server() -> None:
    call = callback(attr1="abc", attr2=["bcd", "cde"])
    spark = Spark(call)
    spark.setScriptData("got", [spark.getData().attr1, spark.getData().attr2[1]])
    assert call.script_data == {"got": ["abc", "cde"]}
    assert spark.getPlayer() is None
    with pytest.raises(HookExit):
        spark.exit()


def test_it_shows_nothing_of_what_it_was_given() -> None:
    assert (
        repr(Spark(callback(password="hunter2")))
        == "<Spark of <CallbackCall on_callback from gamesparks>>"
    )


@pytest.mark.parametrize(
    ("params", "data"),
    [(None, {}), ({"x": {"y": [1]}}, {"x": {"y": [1]}}), ([1, {"a": 2}], [1, {"a": 2}]), (7, 7)],
)
def test_row_94_a_module_has_the_data_it_was_given(params: object, data: object) -> None:
    assert Spark(job(params)).getData() == data


def test_row_94_the_data_of_a_module_cannot_be_changed_however_deep() -> None:
    given = Spark(job({"x": {"y": [{"z": 1}]}})).getData()
    assert given.x.y[0].z == 1
    for change in (given, given.x, given.x.y[0]):
        with pytest.raises(TypeError, match="can be read, but not changed"):
            change.z = 2


@pytest.mark.parametrize("value", [{1, 2}, float("nan"), object(), 2**70, {1: 2}, "\ud800"])
def test_what_is_no_json_is_refused_where_it_is_set(value: object) -> None:
    spark = Spark(callback())
    for write in (spark.setScriptData, spark.setScriptError):
        with pytest.raises(ValueError, match="value"):
            write("key", value)
    assert not spark.hasScriptErrors()


def test_a_name_is_a_text() -> None:
    spark = Spark(callback())
    for write in (spark.setScriptData, spark.setScriptError):
        with pytest.raises(TypeError, match="a name is a text, not a int"):
            write(1, "value")  # type: ignore[arg-type]


def test_what_was_set_is_a_copy_that_changes_nothing_later() -> None:
    spark = Spark(callback())
    value = {"a": [1]}
    spark.setScriptData("key", value)
    spark.setScriptError("key", value)
    value["a"].append(2)
    spark.getScriptData("key").a.append(3)
    spark.getScriptError("key").a.append(4)
    assert spark.getScriptData("key") == spark.getScriptError("key") == {"a": [1]}


JSON: st.SearchStrategy[Any] = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(2**63), 2**64 - 1)
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(st.characters(exclude_categories=["Cs"])),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(st.text(st.characters(exclude_categories=["Cs"])), inner, max_size=3)
    ),
    max_leaves=8,
)


@given(JSON)
def test_rows_46_and_51_any_json_is_read_as_it_was_set(value: Any) -> None:
    call = callback()
    spark = Spark(call)
    spark.setScriptData("key", value)
    spark.setScriptError("key", value)
    spelt = json.dumps(value, sort_keys=True)
    for found in (spark.getScriptData("key"), spark.getScriptError("key"), call.script_data["key"]):
        assert json.dumps(found, sort_keys=True) == spelt


async def test_row_74_a_script_that_throws_is_a_failure_without_details_in_production(
    serve: Serve,
) -> None:
    conf = "[server]\nmode = production\n" + CONF.replace("KEY", "k-6d1f0c").replace(
        "SEC", "s-93ab"
    )
    served = await scripted(serve, script("Spark(call).getData().missing.more"), conf)
    answer = await served.request("GET", "/callback/k-6d1f0c/s-93ab/")
    failed = vars(served.logged("hook failed")[0])
    told = {"error": {"script": f"internal error (id {failed['error_id']})"}}
    assert (answer.status, answer.json()) == (500, told)


async def test_row_76_the_next_script_of_a_chain_sees_the_errors_of_the_one_before(
    serve: Serve,
) -> None:
    first = "@plugin.on_callback(tryfirst=True)\nasync def first(call):"
    source = script("call.script_data['error'] = {'k': 'v'}", first) + script(
        "spark = Spark(call)\nspark.setScriptData('has', spark.hasScriptErrors())\n"
        "spark.setScriptError('other', spark.getScriptError('k'))"
    ).removeprefix(HEAD)
    served = await scripted(serve, source)
    assert (await run(served)).json() == {"error": {"k": "v", "other": "v"}, "has": True}


async def test_row_77_exit_ends_a_script_from_wherever_it_is_called(serve: Serve) -> None:
    source = script(
        "def deeper():\n"
        "    try:\n"
        "        Spark(call).exit()\n"
        "    finally:\n"
        "        Spark(call).setScriptData('finally', True)\n"
        "try:\n"
        "    list(map(lambda _: deeper(), [1]))\n"
        "except Exception:\n"
        "    Spark(call).setScriptData('caught', True)\n"
    )
    served = await scripted(serve, source)
    assert (await run(served)).json() == {"finally": True}
    assert served.logged("hook failed") == []
    assert served.fired == ["on_callback * (script)"]


async def test_row_77_exit_ends_one_script_and_the_next_of_the_chain_goes_on(serve: Serve) -> None:
    first = "@plugin.on_callback(tryfirst=True)\ndef first(call):"
    source = script("Spark(call).setScriptData('a', 1)\nSpark(call).exit()", first)
    source += script("Spark(call).setScriptData('b', 2)").removeprefix(HEAD)
    served = await scripted(serve, source)
    assert (await run(served)).json() == {"a": 1, "b": 2}


async def test_row_77_a_job_that_exits_is_done(serve: Serve) -> None:
    source = script("call.later('M')") + script(
        "Spark(call).exit()", "@plugin.job('M')\ndef module(call):"
    ).removeprefix(HEAD)
    served = await scripted(serve, source)
    await run(served)
    await served.until_fired(2)
    await served.until_idle()
    (done,) = await served.store.deliveries.find(kind="job")
    assert (done.state, done.attempts) == ("done", 1)


ENDLESS = "[hooks]\ndeadline = 0.3\n"


async def test_row_78_an_endless_script_is_answered_for_at_its_deadline(serve: Serve) -> None:
    source = script("Spark(call).setScriptData('a', 1)\ntime.sleep(1.5)")
    served = await scripted(serve, source, CONF + ENDLESS)
    answer = await run(served)
    assert answer.status == 500
    words = answer.json()["error"]["script"]
    assert words.startswith("longRunningScriptError: internal error (id ")
    assert served.logged("hook failed")[0].__dict__["cause"] == "passed its deadline of 0.3 s"


async def test_row_78_one_that_goes_on_is_stopped_by_the_next_member_it_uses(serve: Serve) -> None:
    source = script(
        "spark = Spark(call)\n"
        "call.log.info('begun', extra={'at': threading.current_thread().name})\n"
        "while True:\n"
        "    try:\n"
        "        time.sleep(0.01)\n"
        "        spark.getPlayer().setPrivateData('late', True)\n"
        "    except Exception:\n"
        "        continue\n"
    )
    served = await scripted(serve, source, CONF + ENDLESS)
    await served.know("p1")
    assert (await run(served, "p1")).status == 500
    name = vars(served.logged("begun")[0])["at"]
    async with asyncio.timeout(10):
        while await asyncio.to_thread(is_alive, name):
            await asyncio.sleep(0.02)
    player = await served.store.players.load("p1")
    assert player is not None
    assert player.private_data == {}


def is_alive(name: str) -> bool:
    return name in {one.name for one in threading.enumerate()}


def test_row_78_no_member_works_after_the_deadline() -> None:
    call = callback()
    spark = Spark(call)
    call.until = time.monotonic() - 5
    members = (
        spark.getData,
        lambda: spark.setScriptData("a", 1),
        lambda: spark.getScriptData("a"),
        spark.hasScriptErrors,
        spark.getPlayer,
        lambda: spark.loadPlayer("p1"),
        lambda: spark.getHttp("http://127.0.0.1/"),
        spark.getLog,
        spark.getScheduler,
        spark.getRemainingMilliseconds,
    )
    for member in members:
        with pytest.raises(LongRunningScriptError):
            member()
    assert call.script_data == {}


async def test_row_79_what_remains_falls(serve: Serve) -> None:
    source = script(
        "spark = Spark(call)\nfirst = spark.getRemainingMilliseconds()\ntime.sleep(0.01)\n"
        "spark.setScriptData('left', [first, spark.getRemainingMilliseconds()])"
    )
    served = await scripted(serve, source, CONF + "[hooks]\ndeadline = 7\n")
    first, second = (await run(served)).json()["left"]
    assert 7000 >= first > second > 0


def test_row_79_nothing_remains_when_the_time_is_up() -> None:
    call = callback()
    call.until = time.monotonic() - 0.1
    assert Spark(call).getRemainingMilliseconds() == 0


@pytest.mark.parametrize("size", [20, 21])
async def test_row_80_a_body_over_the_limit_runs_no_script(serve: Serve, size: int) -> None:
    source = script("Spark(call).setScriptData('got', len(Spark(call).getData().REQUEST_BODY))")
    served = await scripted(serve, source, "[server]\nmax_body = 20\n" + CONF)
    answer = await served.request("POST", "/callback/KEY/SEC/", body=b"x" * size)
    if size == 20:
        assert (answer.status, answer.json()) == (200, {"got": 20})
    else:
        assert answer.status == 413
        assert served.fired == []


LEVELS = [("debug", "DEBUG"), ("info", "INFO"), ("warn", "WARNING"), ("error", "ERROR")]


@pytest.mark.parametrize(("name", "level"), LEVELS)
async def test_a_script_logs_as_its_plugin(serve: Serve, name: str, level: str) -> None:
    served = await scripted(serve, script(f"Spark(call).getLog().{name}('100 % {name}')"))
    await run(served)
    (line,) = served.logged(f"100 % {name}")
    assert (line.levelname, line.name) == (level, "tornado_cc.plugin.script")


@pytest.mark.parametrize(
    ("message", "line"),
    [
        ("text", "text"),
        ({"type": "JSON logging", "n": [1, None]}, '{"type":"JSON logging","n":[1,null]}'),
        (7, "7"),
        (None, "null"),
        ({1}, "{1}"),
    ],
)
def test_anything_can_be_logged(
    message: object, line: str, caplog: pytest.LogCaptureFixture
) -> None:
    call = callback()
    call.log = logging.getLogger("tornado_cc.plugin.tried")
    with caplog.at_level("INFO"):
        Spark(call).getLog().info(message)
    assert caplog.messages == [line]


async def test_what_a_player_is_called(serve: Serve) -> None:
    source = script(
        "player = Spark(call).getPlayer()\n"
        "ids = player.getExternalIds()\n"
        "Spark(call).setScriptData('is', [player.getPlayerId(), player.getUserName(),"
        " player.getDisplayName(), ids, ids.FB, repr(player)])"
    )
    served = await scripted(serve, source)
    players = served.store.players
    await players.create("p3", user_name="zoe", display_name="Zoë", external_ids={"FB": "7"})
    await players.create("p4")
    is_zoe = ["p3", "zoe", "Zoë", {"FB": "7"}, "7", "<Player p3>"]
    assert (await run(served, "p3")).json() == {"is": is_zoe}
    assert (await run(served, "p4")).json() == {"is": ["p4", None, None, {}, None, "<Player p4>"]}


async def test_what_cannot_be_kept_for_a_player_is_refused_where_it_is_set(serve: Serve) -> None:
    source = script("Spark(call).getPlayer().setPrivateData('a', {1})")
    served = await scripted(serve, source)
    await served.know("p1")
    assert (await run(served, "p1")).status == 500
    assert failures(served) == ["value is a set, which JSON cannot carry"]
