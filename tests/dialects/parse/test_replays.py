"""What a Parse Server really sent, byte for byte: our answers to it and the hooks it fires."""

import re
from typing import Any

import pytest

from tests.dialects.parse import recorded
from tests.serving import Serve, Served

KEYED = "[dialect:parse]\nwebhook_key = hookSecret\n"
OPEN = "[dialect:parse]\n"
PLUGIN = """
from tornado_cc import Plugin

plugin = Plugin("replayed")

@plugin.cloud_function("helloWorld")
@plugin.cloud_function("nokey")
async def hello(call):
    return "Hello World!"

@plugin.cloud_function("echoParams")
async def echo(call):
    return call.params

@plugin.before_save("Comment")
async def check(call):
    call.object["checked"] = True

@plugin.before_save("EditA")
async def edit(call):
    return {"foo": "changed", "sneaky": "addition"}

@plugin.before_save("AclLoss")
async def add(call):
    return {"added": "byhook"}

@plugin.parse_trigger("Finds2", "afterFind")
async def mark(call):
    return [{**one, "marked": True} for one in call.objects]

@plugin.before_save("_User")
@plugin.before_delete("Comment")
@plugin.parse_trigger("Finds2", "beforeFind")
@plugin.parse_trigger("_User", "beforeLogin")
@plugin.parse_trigger("@File", "beforeSave")
async def allow(call):
    return None

@plugin.after_save("*")
@plugin.after_delete("*")
@plugin.parse_trigger("_User", "afterLogin")
@plugin.parse_trigger("_Session", "afterLogout")
@plugin.parse_trigger("@File", "afterSave")
async def fail(call):
    raise RuntimeError("nobody waits for this")
"""

COMMENT = {
    "comment": "hi",
    "n": 1,
    "post": {"__type": "Pointer", "className": "Post", "objectId": "jsUd72Sd2l"},
    "when": {"__type": "Date", "iso": "2015-03-24T20:19:00.542Z"},
    "tags": ["a"],
    "loc": {"__type": "GeoPoint", "latitude": 1.5, "longitude": 2},
    "nul": None,
    "obj": {"k": 1},
}
OPERATIONS = {
    "comment": {"__op": "Delete"},
    "n": {"__op": "Increment", "amount": 3},
    "tags": {"__op": "AddUnique", "objects": ["b"]},
}
TYPED: dict[str, Any] = {
    "d": "2015-03-24T20:19:00.542Z",
    "p": {"objectId": "abc"},
    "g": {"__type": "GeoPoint", "latitude": 1.5, "longitude": 2},
    "b": {"__type": "Bytes", "base64": "aGVsbG8="},
    "f": {"__type": "File", "name": "a.txt", "url": "http://127.0.0.1/a.txt"},
    "o": {"__type": "Object", "className": "Post", "objectId": "abc", "x": 1},
    "arr": ["2015-03-24T20:19:00.542Z"],
    "u": "café ☃ 😀",
    "n": None,
    "t": True,
    "i": 9007199254740992,
    "fl": 1,
    "nest": {"a": {"b": []}},
}
Replay = tuple[dict[str, Any], str]
HELLO: Replay = ({"success": "Hello World!"}, "cloud_function helloWorld (replayed)")
SAVED: Replay = ({}, "after_save * (replayed)")
COMMENT_CHECKED = "before_save Comment (replayed)"
USER_LOOKED_AT: Replay = ({}, "before_save _User (replayed)")
FIND_ALLOWED: Replay = ({}, "parse_trigger Finds2.beforeFind (replayed)")
FOUND_MARKED: Replay = (
    {
        "success": [
            {
                "createdAt": "2026-11-22T04:27:57.124Z",
                "updatedAt": "2026-11-22T04:27:57.124Z",
                "a": 1,
                "objectId": "uxq1WAI5rD",
                "marked": True,
            }
        ]
    },
    "parse_trigger Finds2.afterFind (replayed)",
)
REPLAYS: dict[str, list[Replay]] = {
    "file_save": [
        ({}, "parse_trigger @File.beforeSave (replayed)"),
        ({}, "parse_trigger @File.afterSave (replayed)"),
    ],
    "function_anonymous": [HELLO],
    "function_context_querystring": [HELLO],
    "function_master": [HELLO],
    "function_no_body": [HELLO],
    "function_typed_params": [({"success": TYPED}, "cloud_function echoParams (replayed)")],
    "function_user": [HELLO],
    "function_without_webhook_key": [
        ({"success": "Hello World!"}, "cloud_function nokey (replayed)")
    ],
    "trigger_chain_edit_then_after": [
        ({"success": {"foo": "changed", "sneaky": "addition"}}, "before_save EditA (replayed)"),
        SAVED,
    ],
    "trigger_delete_user": [
        ({}, "before_delete Comment (replayed)"),
        ({}, "after_delete * (replayed)"),
    ],
    "trigger_find_get": [FIND_ALLOWED, FOUND_MARKED],
    "trigger_find_nobody": [FIND_ALLOWED, FOUND_MARKED],
    "trigger_partial_reply_drops_acl": [
        ({"success": {"secret": 1, "ACL": {}, "added": "byhook"}}, "before_save AclLoss (replayed)")
    ],
    "trigger_save_create_anonymous": [
        ({"success": {**COMMENT, "checked": True}}, COMMENT_CHECKED),
        SAVED,
    ],
    "trigger_save_create_user": [
        (
            {"success": {"comment": "by user", "ACL": {"*": {"read": True}}, "checked": True}},
            COMMENT_CHECKED,
        ),
        SAVED,
    ],
    "trigger_save_update_anonymous": [
        ({"success": {"comment": "edited", "checked": True}}, COMMENT_CHECKED),
        SAVED,
    ],
    "trigger_save_update_ops": [
        ({"success": {**OPERATIONS, "checked": True}}, COMMENT_CHECKED),
        SAVED,
    ],
    "user_login": [
        ({}, "parse_trigger _User.beforeLogin (replayed)"),
        ({}, "parse_trigger _User.afterLogin (replayed)"),
    ],
    "user_logout": [({}, "parse_trigger _Session.afterLogout (replayed)")],
    "user_signup": [USER_LOOKED_AT, SAVED],
    "user_update": [USER_LOOKED_AT, SAVED],
}
every_recording = pytest.mark.parametrize("name", recorded.names())


def test_every_recording_has_its_answers() -> None:
    assert recorded.names() == sorted(REPLAYS)
    for name, answers in REPLAYS.items():
        assert len(answers) == len(recorded.calls(name)), name


@every_recording
async def test_a_recorded_call_gets_its_answer_and_fires_its_hook(name: str, serve: Serve) -> None:
    served = await serve(KEYED if _keyed(name) else OPEN, {"replayed": PLUGIN})
    for call, (answer, hook) in zip(recorded.calls(name), REPLAYS[name], strict=True):
        before = len(served.fired)
        assert await _answer(served, call, f"/webhooks{call.path}") == answer
        assert (await served.until_fired(before + 1))[before:] == [hook]


@every_recording
async def test_a_server_that_asks_for_no_key_answers_the_same(name: str, serve: Serve) -> None:
    served = await serve(OPEN, {"replayed": PLUGIN})
    for call, (answer, _) in zip(recorded.calls(name), REPLAYS[name], strict=True):
        assert await _answer(served, call, f"/webhooks{call.path}") == answer


@every_recording
async def test_with_another_key_a_recorded_call_reaches_no_hook(name: str, serve: Serve) -> None:
    served = await serve("[dialect:parse]\nwebhook_key = hookSecreT\n", {"replayed": PLUGIN})
    for call in recorded.calls(name):
        answer = await _answer(served, call, f"/webhooks{call.path}")
        assert answer == {"error": "Request Unauthorized"}
    assert served.fired == []


@every_recording
async def test_posted_to_the_mount_alone_the_body_decides(name: str, serve: Serve) -> None:
    served = await serve(OPEN, {"replayed": PLUGIN})
    for call, replay in zip(recorded.calls(name), REPLAYS[name], strict=True):
        before = len(served.fired)
        # Only the path says the class of a find.
        unnamed = call.json.get("triggerName") in ("beforeFind", "afterFind")
        answer, hooks = (_unhandled(call), []) if unnamed else (replay[0], [replay[1]])
        assert await _answer(served, call, "/webhooks") == answer
        assert (await served.until_fired(before + len(hooks)))[before:] == hooks


@every_recording
async def test_without_a_plugin_only_before_triggers_and_functions_say_no(
    name: str, serve: Serve
) -> None:
    served = await serve(OPEN)
    for call in recorded.calls(name):
        answer = await _answer(served, call, f"/webhooks{call.path}")
        assert answer == _unhandled(call), call.claim


@every_recording
async def test_no_log_record_of_a_recorded_call_holds_a_token_or_key(
    name: str, serve: Serve
) -> None:
    served = await serve(KEYED, {"replayed": PLUGIN})
    for call in recorded.calls(name):
        await _answer(served, call, f"/webhooks{call.path}")
    if _keyed(name):
        await served.until_fired(len(REPLAYS[name]))
    logged = repr([vars(record) for record in served.records])
    assert [secret for secret in _secrets(name) if secret in logged] == []


def _keyed(name: str) -> bool:
    return all("X-Parse-Webhook-Key: hookSecret" in call.head for call in recorded.calls(name))


async def _answer(served: Served, call: recorded.Recorded, path: str) -> Any:
    answer = await served.send(call.raw(path))
    assert answer.status == 200
    assert answer.header("Content-Type") == "application/json"
    return answer.json()


def _unhandled(call: recorded.Recorded) -> dict[str, str]:
    trigger = call.json.get("triggerName")
    if trigger is None:
        return {"error": "Unknown function"}
    return {"error": "Unknown trigger"} if trigger.startswith("before") else {}


def _secrets(name: str) -> set[str]:
    """The session tokens of a recording, which name themselves, and the recorder's own keys."""
    text = "".join(call.raw_body for call in recorded.calls(name))
    return {*re.findall(r"r:[0-9a-f]{32}", text), "tccMaster", "hookSecret"}
