"""The scripts of the conformance table. `?script=` names the one the default callback runs."""

from collections.abc import Callable
from typing import Any

from tornado_cc import CallbackCall, Plugin, Refusal

plugin = Plugin("scripts")

SETTING: dict[str, dict[str, Any]] = {
    "nothing": {},
    "two_keys": {"key1": "value1", "key2": "value2"},
    "nested": {"a": [1, {"b": None}]},
    "raw_ok": {"RESPONSE_RAW": "OK"},
    "raw_and_key": {"RESPONSE_RAW": "OK", "key1": "value1"},
    "raw_list": {"RESPONSE_RAW": [{"playerId": "a", "rank": 1}]},
    "raw_empty_list": {"RESPONSE_RAW": []},
    "raw_mapping": {"RESPONSE_RAW": {"a": {"b": [1.5, True]}}},
    "raw_empty": {"RESPONSE_RAW": ""},
    "raw_number": {"RESPONSE_RAW": 42},
    "raw_true": {"RESPONSE_RAW": True},
    "raw_null": {"RESPONSE_RAW": None, "key1": "value1"},
    "raw_text": {"RESPONSE_RAW": "你 é"},
    "header": {"RESPONSE_HEADERS": {"myHeader": "myValue"}},
    "header_and_key": {"RESPONSE_HEADERS": {"myHeader": "myValue"}, "key1": "value1"},
    "header_and_raw": {"RESPONSE_HEADERS": {"myHeader": "myValue"}, "RESPONSE_RAW": "OK"},
    "xml": {"RESPONSE_HEADERS": {"Content-Type": "text/xml"}, "RESPONSE_RAW": "<a/>"},
    "xml_in_lower_case": {
        "RESPONSE_HEADERS": {"content-type": "text/xml"},
        "RESPONSE_RAW": "<a/>",
    },
    "injected": {"RESPONSE_HEADERS": {"X-Name": "a\r\nSet-Cookie: b"}},
    "framing": {"RESPONSE_HEADERS": {"Content-Length": "1"}},
    "typed_headers": {"RESPONSE_HEADERS": {"X-Number": 42, "X-True": True, "X-Many": ["a", "b"]}},
    "created": {"RESPONSE_STATUS": 201, "RESPONSE_RAW": "OK"},
    "no_content": {"RESPONSE_STATUS": 204, "key1": "value1"},
    "no_status": {"RESPONSE_STATUS": "201 Created"},
    "unspeakable": {"key1": {1, 2}},
}


@plugin.on_callback(credential="server")
async def run(call: CallbackCall) -> None:
    name = call.data.get("script", "echo")
    if name in SETTING:
        call.script_data.update(SETTING[name])
    else:
        DOING[name](call)


@plugin.on_callback(credential="cb1")
async def first(call: CallbackCall) -> None:
    call.script_data["script"] = "cb1"
    echo(call)


@plugin.on_callback(credential="cb2")
async def second(call: CallbackCall) -> dict[str, Any]:
    return {"script": "cb2", "pid": call.player_id}


def echo(call: CallbackCall) -> None:
    call.script_data["data"] = call.data
    call.script_data["pid"] = call.player_id


def facebook(call: CallbackCall) -> None:
    call.script_data["RESPONSE_RAW"] = call.data["hub.challenge"]


def twice(call: CallbackCall) -> None:
    call.script_data["key1"] = "first"
    call.script_data["key1"] = "second"


def removed(call: CallbackCall) -> None:
    call.script_data.update(SETTING["two_keys"])
    del call.script_data["key1"]


def emptied(call: CallbackCall) -> None:
    call.script_data.update(SETTING["two_keys"])
    call.script_data.clear()


def read_back(call: CallbackCall) -> None:
    call.script_data["key1"] = "value1"
    call.script_data["got"] = call.script_data.get("key1")
    call.script_data["missing"] = call.script_data.get("key2")


def refusing(call: CallbackCall) -> None:
    raise Refusal("Not today")


def raising(call: CallbackCall) -> None:
    raise RuntimeError("no luck")


DOING: dict[str, Callable[[CallbackCall], None]] = {
    script.__name__: script
    for script in (echo, facebook, twice, removed, emptied, read_back, refusing, raising)
}
