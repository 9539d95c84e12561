"""Reading: whatever arrives becomes a call or a refusal, and whatever is refused is an answer."""

import json
from typing import Any
from urllib.parse import quote

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.dialects.parse.values import JSON, TEXTS
from tests.serving import KEY, Serve, Served
from tornado_cc.core.call import Call, FunctionCall, TriggerCall
from tornado_cc.core.errors import Refusal
from tornado_cc.core.message import Headers, Request, Response
from tornado_cc.core.outcome import SILENCE
from tornado_cc.core.ports import Claims, Surroundings
from tornado_cc.dialects.parse import DialectSettings, build

DIALECT = build(DialectSettings(), Surroundings(Claims({})))
TRIGGERS = ["beforeSave", "afterSave", "beforeFind", "afterFind", "beforeLogin", "beforeTomorrow"]
KEYS = [
    "functionName",
    "params",
    "triggerName",
    "object",
    "original",
    "objects",
    "query",
    "file",
    "user",
    "master",
    "installationId",
    "context",
]
OBJECTS = st.dictionaries(st.sampled_from(["className", "objectId"]) | TEXTS, JSON, max_size=3)
CALLS = st.dictionaries(
    st.sampled_from(KEYS), JSON | OBJECTS | st.sampled_from([*TRIGGERS, "hello"]), max_size=6
)
BODIES = st.one_of(
    st.binary(max_size=200),
    (JSON | CALLS).map(lambda value: json.dumps(value).encode()),
    st.builds(
        lambda value, at, byte: json.dumps(value).encode()[:at] + byte,
        CALLS,
        st.integers(0, 100),
        st.binary(max_size=2),
    ),
    st.integers(0, 2000).map(
        lambda levels: b'{"functionName": "hello", "params": ' + b"[" * levels
    ),
    st.integers(90, 2000).map(
        lambda levels: b'{"functionName": "hello", "a": ' + b"[" * levels + b"]" * levels + b"}"
    ),
)
PATHS = st.sampled_from(
    [
        "/webhooks",
        "/webhooks/functions/hello",
        "/webhooks/triggers/Review/beforeSave",
        "/webhooks/triggers/Review/afterFind",
        "/webhooks/triggers/@File/beforeSave",
    ]
) | st.lists(
    st.sampled_from(["webhooks", "functions", "triggers", "health"]) | st.text().map(quote),
    max_size=5,
).map(lambda parts: "/" + "/".join(parts))


PLAIN = """
from tornado_cc import hookimpl

@hookimpl
async def cloud_function(call):
    return call.params

@hookimpl
async def before_save(call):
    call.object["seen"] = True

@hookimpl
async def parse_trigger(call):
    return call.objects
"""


@pytest.fixture
async def served(serve: Serve) -> Served:
    return await serve(plugins={"plain": PLAIN})


@given(method=st.sampled_from(["POST", "PUT"]), path=PATHS, body=BODIES)
def test_any_body_on_any_path_is_a_call_or_a_refusal_and_either_has_an_answer(
    method: str, path: str, body: bytes
) -> None:
    route = DIALECT.match(method, path)
    call: Call | None = None
    outcome: Any = SILENCE
    try:
        call = _called(DIALECT.read(route, _request(body, method, path)))
    except Refusal as refusal:
        outcome = refusal
    response = DIALECT.write(route, call, outcome)
    assert response.status == 200
    _check_answer(response.body)


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(path=PATHS.filter(lambda path: f"{path}/".startswith("/webhooks/")), body=BODIES)
async def test_any_body_over_a_socket_is_answered_with_200_and_a_json_object(
    served: Served, path: str, body: bytes
) -> None:
    answer = await served.request("POST", path, KEY, body)
    assert answer.status == 200
    _check_answer(answer.body)


@pytest.mark.parametrize("trigger", TRIGGERS)
def test_a_trigger_knows_whether_its_caller_waits_for_leave(trigger: str) -> None:
    call = _read({"triggerName": trigger, "object": {"className": "Review"}})
    assert isinstance(call, TriggerCall)
    assert call.before == trigger.startswith("before")


def test_a_function_call_carries_what_the_parse_server_says_of_its_caller() -> None:
    user = {"username": "matt", "sessionToken": "r:0"}
    call = _read(
        {
            "functionName": "hello",
            "params": {"a": [1]},
            "user": user,
            "master": True,
            "installationId": "inst-1",
            "context": {"ctx": 1},
        }
    )
    assert isinstance(call, FunctionCall)
    assert (call.name, call.params, call.user, call.master) == ("hello", {"a": [1]}, user, True)
    assert (call.installation_id, call.context) == ("inst-1", {"ctx": 1})


def test_what_a_caller_leaves_out_is_empty() -> None:
    call = _read({"functionName": "hello"})
    assert isinstance(call, FunctionCall)
    assert (call.params, call.user, call.master, call.context) == ({}, None, False, {})


def test_a_save_carries_the_object_and_what_it_was() -> None:
    received = {"className": "Review", "stars": 5}
    call = _read({"triggerName": "beforeSave", "object": received, "original": {"stars": 4}})
    assert isinstance(call, TriggerCall)
    assert (call.hook, call.claim, call.class_name) == ("before_save", ("Review",), "Review")
    assert (call.object, call.original) == (received, {"stars": 4})


def test_a_hook_may_read_the_exact_bytes_received() -> None:
    body = b'{ "functionName":"hello" , "params":{"n":1.0e0}}'
    call = _called(DIALECT.read(DIALECT.match("POST", "/webhooks"), _request(body)))
    assert call.request.body == body


def test_neither_a_call_nor_its_request_prints_what_it_carries() -> None:
    call = _read({"functionName": "hello", "params": {"password": "hunter2"}})
    assert "hunter2" not in f"{call!r} {call.request!r}"


def _request(body: bytes, method: str = "POST", path: str = "/webhooks") -> Request:
    return Request(method, path, "", Headers(), body)


def _read(body: dict[str, Any]) -> Call:
    request = _request(json.dumps(body).encode())
    return _called(DIALECT.read(DIALECT.match("POST", "/webhooks"), request))


def _called(read: Call | Response) -> Call:
    assert isinstance(read, Call)
    return read


def _check_answer(body: bytes) -> None:
    """A Parse Server takes anything else, an empty error included, for leave to go on."""
    answer = json.loads(body.decode("utf-8"))
    assert isinstance(answer, dict)
    assert answer.keys() in ({"success"}, {"error"}, set())
    assert answer.get("error", "missing")
