"""The scripts of the conformance table in GameSparks' own terms; `?script=` names one."""

import time
from collections.abc import Callable
from typing import Any

from tornado_cc import CallbackCall, JobCall, Plugin
from tornado_cc.gamesparks import Spark

plugin = Plugin("sparks")


@plugin.on_callback(credential="spark")
def run(call: CallbackCall) -> None:
    spark = Spark(call)
    SCRIPTS[spark.getData().script](spark)
    if spark.getData().wait:
        until_noted(call, int(spark.getData().wait))


def until_noted(call: CallbackCall, count: int) -> None:
    """Wait for the module, so that it is known which of the two hooks ends first."""
    while call.remaining:
        player: Any = call.store.players.load(str(call.player_id))
        if len(player.private_data.get("noted", ())) == count:
            return
        time.sleep(0.01)


def echo(spark: Any) -> None:
    spark.setScriptData("data", spark.getData())
    player = spark.getPlayer()
    spark.setScriptData("pid", player and player.getPlayerId())


def attributes(spark: Any) -> None:
    attribute1 = spark.getData().attr1
    attribute2 = spark.getData().attr2
    spark.setScriptData("first", attribute1)
    spark.setScriptData("second", attribute2[0])
    spark.setScriptData("missing", spark.getData().attr3)


def body(spark: Any) -> None:
    raw_post_data = spark.getData().REQUEST_BODY
    spark.setScriptData("RESPONSE_RAW", raw_post_data)


def facebook(spark: Any) -> None:
    spark.setScriptData("RESPONSE_RAW", spark.getData()["hub.challenge"])


def writing(spark: Any) -> None:
    spark.getData()["a"] = "changed"


def appending(spark: Any) -> None:
    spark.getData().a.append("changed")
    spark.setScriptData("a", spark.getData().a)


def two_keys(spark: Any) -> None:
    spark.setScriptData("key1", "value1")
    spark.setScriptData("key2", "value2")


def nested(spark: Any) -> None:
    spark.setScriptData("a", [1, {"b": None}])


def nothing(spark: Any) -> None:
    spark.getData()


def twice(spark: Any) -> None:
    spark.setScriptData("key1", "first")
    spark.setScriptData("key1", "second")


def removed(spark: Any) -> None:
    two_keys(spark)
    spark.removeScriptData("key1")
    spark.removeScriptData("never set")


def emptied(spark: Any) -> None:
    two_keys(spark)
    spark.removeAllScriptData()


def read_back(spark: Any) -> None:
    spark.setScriptData("key1", "value1")
    spark.setScriptData("got", spark.getScriptData("key1"))
    spark.setScriptData("missing", spark.getScriptData("key2"))


def raw_ok(spark: Any) -> None:
    spark.setScriptData("RESPONSE_RAW", "OK")


def raw_and_key(spark: Any) -> None:
    spark.setScriptData("RESPONSE_RAW", "OK")
    spark.setScriptData("key1", "value1")


def raw_list(spark: Any) -> None:
    spark.setScriptData("RESPONSE_RAW", [{"playerId": "a", "rank": 1}])


def raw_empty_list(spark: Any) -> None:
    spark.setScriptData("RESPONSE_RAW", [])


def raw_object(spark: Any) -> None:
    spark.setScriptData("RESPONSE_RAW", {"a": {"b": [1.5, True]}})


def raw_empty(spark: Any) -> None:
    spark.setScriptData("RESPONSE_RAW", "")


def raw_number(spark: Any) -> None:
    spark.setScriptData("RESPONSE_RAW", 42)


def raw_true(spark: Any) -> None:
    spark.setScriptData("RESPONSE_RAW", True)


def raw_null(spark: Any) -> None:
    spark.setScriptData("RESPONSE_RAW", None)
    spark.setScriptData("key1", "value1")


def headers(spark: Any) -> None:
    spark.setScriptData("RESPONSE_HEADERS", {"myHeader": "myValue"})
    spark.setScriptData("key1", "value1")


def error(spark: Any) -> None:
    spark.setScriptData("key1", "value1")
    spark.setScriptError("k", "v")


def errors(spark: Any) -> None:
    seen = [spark.hasScriptErrors(), spark.getScriptError("k")]
    spark.setScriptError("k", {"why": ["because"]})
    spark.setScriptError("other", 1)
    seen += [spark.hasScriptErrors(), spark.getScriptError("k").why[0]]
    spark.removeScriptError("k")
    seen += [spark.hasScriptErrors(), spark.getScriptError("k")]
    spark.removeScriptError("other")
    spark.setScriptData("seen", [*seen, spark.hasScriptErrors()])


def no_errors(spark: Any) -> None:
    spark.setScriptError("k", "v")
    spark.setScriptError("other", "v")
    spark.removeAllScriptErrors()
    spark.setScriptData("has", spark.hasScriptErrors())


def errors_stay(spark: Any) -> None:
    spark.setScriptError("k", "v")
    spark.setScriptData("key1", "value1")
    spark.removeAllScriptData()


def error_as_data(spark: Any) -> None:
    spark.setScriptData("error", "bad item")
    spark.setScriptData("has", spark.hasScriptErrors())
    spark.removeAllScriptErrors()


def leaving(spark: Any) -> None:
    spark.setScriptData("before", True)
    try:
        spark.exit()
    except Exception:
        spark.setScriptData("caught", True)
    spark.setScriptData("after", True)


def sending(spark: Any) -> None:
    spark.sendRequest({"@class": ".AccountDetailsRequest"})


def keep(spark: Any) -> None:
    spark.getPlayer().setPrivateData("a", {"b": [1, None]})
    spark.getPlayer().setScriptData("a", 1)


def show(spark: Any) -> None:
    player = spark.getPlayer()
    spark.setScriptData("private", player.getPrivateData("a"))
    spark.setScriptData("first", player.getPrivateData("a").b[0])
    spark.setScriptData("script", player.getScriptData("a"))
    spark.setScriptData("missing", player.getPrivateData("missing"))


def changed_copy(spark: Any) -> None:
    copy = spark.getPlayer().getPrivateData("a")
    copy.c = 2
    copy.b.append(3)
    spark.setScriptData("kept", spark.getPlayer().getPrivateData("a"))


def change(spark: Any) -> None:
    copy = spark.getPlayer().getPrivateData("a")
    copy.c = 2
    spark.getPlayer().setPrivateData("a", copy)


def forget(spark: Any) -> None:
    spark.getPlayer().removePrivateData("a")
    spark.getPlayer().removeScriptData("a")
    spark.getPlayer().removeScriptData("never set")


def kept_and_left(spark: Any) -> None:
    spark.getPlayer().setPrivateData("left", True)
    spark.exit()


def kept_and_failed(spark: Any) -> None:
    spark.getPlayer().setPrivateData("lost", True)
    raise RuntimeError("no luck")


def persisted(spark: Any) -> None:
    spark.getPlayer().setPrivateData("persisted", True)
    spark.getPlayer().persist()
    raise RuntimeError("no luck")


def which(spark: Any) -> None:
    names = ("left", "lost", "persisted", "loaded")
    found = {name: spark.getPlayer().getPrivateData(name) for name in names}
    spark.setScriptData("found", {name: one for name, one in found.items() if one is not None})


def load(spark: Any) -> None:
    player = spark.loadPlayer(spark.getData().id)
    if player is None:
        spark.setScriptData("found", None)
        spark.exit()
    spark.setScriptData("found", player.getPlayerId())
    player.setPrivateData("loaded", spark.getData().value)


def late(spark: Any) -> None:
    spark.getScheduler().inSeconds("M", 0, {"x": 1})


def two_late(spark: Any) -> None:
    scheduler = spark.getScheduler()
    scheduler.inSeconds("M", 60, {"x": "replaced"}, "mine")
    scheduler.inSeconds("M", 60, {"x": "cancelled"}, "other")
    done = scheduler.inSeconds("M", 0, {"x": 2}, "mine")
    scheduler.cancel("other")
    scheduler.cancel("nobody's")
    spark.setScriptData("done", done)


def noted(spark: Any) -> None:
    spark.setScriptData("noted", spark.getPlayer().getPrivateData("noted"))


@plugin.job("M")
def module(call: JobCall) -> None:
    spark = Spark(call)
    spark.setScriptData("unheard", True)
    facts = {"x": spark.getData().x, "y": spark.getData().y}
    facts["heard"] = spark.getScriptData("unheard")
    player = spark.getPlayer()
    if player is None:
        spark.exit()
    player.setPrivateData("noted", [*(player.getPrivateData("noted") or []), facts])


SCRIPTS: dict[str, Callable[[Any], None]] = {
    name: value
    for name, value in list(globals().items())
    if callable(value) and getattr(value, "__module__", "") == __name__
}
