"""`call.parse` where a real Parse Server cannot show the case: what is sent, and what fails."""

import asyncio
import json
from collections.abc import Awaitable
from pathlib import Path
from typing import Any, Protocol

import pytest

from tests.outbound.conftest import Opened, Wired
from tests.outbound.wire import Reply, Wire, answer, hang, say_and_close
from tests.serving import PARSE, Serve
from tornado_cc.core import clock
from tornado_cc.core.call import FunctionCall
from tornado_cc.core.message import Headers, Request
from tornado_cc.core.redact import MASK
from tornado_cc.core.secret import Secret
from tornado_cc.outbound import (
    CallParse,
    CircuitOpen,
    HttpError,
    OutboundError,
    ParseError,
    ParseInvalidSession,
    ParseObjectNotFound,
    RequestError,
    ResponseError,
    TimeoutExpired,
    Unsent,
    UnsentClient,
    acting,
)
from tornado_cc.outbound.parse import ParseServer, Rights
from tornado_cc.server.runtime import parse_server
from tornado_cc.settings import ParseServerSettings

MASTER, REST, TOKEN = "CANARY-master", "CANARY-rest", "r:0123456789abcdef0123456789abcdef"
OBJECT = b'{"objectId":"a1","n":1}'


class Talking(Protocol):
    """The fixture: somebody without a session who talks to a stand-in that gives these replies."""

    def __call__(
        self, *replies: Reply, seconds: float = 10, **settings: Any
    ) -> Awaitable[tuple[CallParse, Wire]]: ...


@pytest.fixture
def talking(opened: Opened, wired: Wired) -> Talking:
    async def start(
        *replies: Reply, seconds: float = 10, **settings: Any
    ) -> tuple[CallParse, Wire]:
        wire = await wired(*replies)
        server = await server_at(opened, f"{wire.url}parse", **settings)
        return CallParse(server, Rights(), clock.monotonic() + seconds), wire

    return start


async def server_at(opened: Opened, url: str, **settings: Any) -> ParseServer:
    """A Parse Server that is said to be there."""
    texts = {"url": url, "application_id": "app", "master_key": MASTER, **settings}
    return parse_server(ParseServerSettings.model_validate(texts), await opened())


async def error_of(asked: Awaitable[Any]) -> OutboundError:
    """What somebody gets who asks; it shows no secret."""
    with pytest.raises(OutboundError) as caught:
        await asked
    assert "CANARY" not in f"{caught.value!r}{caught.value}{vars(caught.value)}"
    assert caught.value.__cause__ is None
    return caught.value


def call_of(user: dict[str, Any] | None, user_id: str | None = None) -> FunctionCall:
    """A call in somebody's name."""
    request = Request("POST", "/", "", Headers(), b"")
    return FunctionCall(
        dialect="parse",
        hook="cloud_function",
        claim=("f",),
        request=request,
        name="f",
        user=user,
        user_id=user_id,
    )


async def test_credentials_are_those_of_whoever_asks(talking: Talking) -> None:
    parse, wire = await talking(answer(OBJECT), rest_api_key=REST)
    for one in (parse, parse.as_user(TOKEN), parse.as_master(), parse.as_master().as_nobody()):
        assert await one.objects("A").get("a1") == {"objectId": "a1", "n": 1}
    names = ("rest-api-key", "session-token", "master-key", "application-id")
    sent = [[each.every(f"x-parse-{name}") for name in names] for each in wire.received]
    assert sent == [
        [[REST], [], [], ["app"]],
        [[REST], [TOKEN], [], ["app"]],
        [[], [], [MASTER], ["app"]],
        [[REST], [], [], ["app"]],
    ]


async def test_a_write_is_never_sent_twice(talking: Talking) -> None:
    closing = say_and_close(b"")
    parse, wire = await talking(answer(OBJECT), closing, answer(OBJECT), closing)
    objects = parse.objects("A")
    await objects.get("a1")
    error = await error_of(objects.update("a1", {"n": {"__op": "Increment", "amount": 1}}))
    assert isinstance(error, ResponseError)
    await objects.get("a1")
    assert isinstance(await error_of(objects.delete("a1")), ResponseError)
    assert [one.method for one in wire.received] == ["GET", "POST", "GET", "POST"]
    assert json.loads(wire.received[1].body) == {
        "n": {"__op": "Increment", "amount": 1},
        "_method": "PUT",
    }
    assert json.loads(wire.received[3].body) == {"_method": "DELETE"}


async def test_a_question_is_asked_again_when_a_kept_connection_has_closed(
    talking: Talking,
) -> None:
    parse, wire = await talking(answer(OBJECT), say_and_close(b""), answer(OBJECT))
    for _ in range(2):
        assert (await parse.objects("A").get("a1"))["n"] == 1
    assert [one.method for one in wire.received] == ["GET", "GET", "GET"]


async def test_a_query_too_long_for_an_address_is_sent_as_a_body(talking: Talking) -> None:
    parse, wire = await talking(answer(b'{"results":[]}'))
    short, long = {"n": 1}, {"n": {"$in": list(range(1000))}}
    for where in (short, long):
        assert await parse.objects("A").find(where, order="-n", limit=5) == []
    first, second = wire.received
    assert dict(first.query) == {"where": '{"n":1}', "order": "-n", "limit": "5"}
    assert (second.method, second.target) == ("POST", "/parse/classes/A")
    body = json.loads(second.body)
    assert (body["_method"], json.loads(body["where"]), body["limit"]) == ("GET", long, "5")


@pytest.mark.parametrize(
    ("status", "body", "kind", "code"),
    [
        ("404 x", {"code": 101, "error": "Object not found."}, ParseObjectNotFound, 101),
        ("400 x", {"code": 209, "error": "Invalid session token"}, ParseInvalidSession, 209),
        ("400 x", {"code": 141, "error": "no"}, ParseError, 141),
        ("403 x", {"error": "unauthorized"}, ParseError, -1),
        ("500 x", {"code": True, "error": "odd"}, ParseError, -1),
    ],
)
async def test_what_it_refuses_has_its_code_and_its_words(
    talking: Talking, status: str, body: dict[str, Any], kind: type, code: int
) -> None:
    parse, _ = await talking(answer(json.dumps(body).encode(), status=status))
    error = await error_of(parse.as_master().objects("A").get("a1"))
    assert isinstance(error, ParseError)
    assert (type(error), error.code, error.message) == (kind, code, body["error"])
    assert error.status == int(status[:3])
    assert error.url.endswith("/parse/classes/A/a1")


@pytest.mark.parametrize(
    ("reply", "kind"),
    [
        (answer(b"<h1>Bad gateway</h1>", status="502 x"), HttpError),
        (answer(b'{"why":"busy"}', status="503 x"), HttpError),
        (answer(b"<h1>Welcome</h1>"), ResponseError),
        (answer(b""), ResponseError),
        (answer(b"42"), ResponseError),
        (answer(b"[]"), ResponseError),
        (answer(b'{"results":{}}'), ResponseError),
        (answer(b"{}", "Location: /", status="302 x"), ResponseError),
        (say_and_close(b""), ResponseError),
        (hang, TimeoutExpired),
    ],
)
async def test_what_is_no_answer_of_a_parse_server_is_an_error(
    talking: Talking, reply: Reply, kind: type
) -> None:
    parse, _ = await talking(reply, timeout=0.3)
    assert type(await error_of(parse.as_master().objects("A").find())) is kind


async def test_no_question_outlasts_the_hook(talking: Talking) -> None:
    parse, wire = await talking(hang, seconds=0.2)
    assert isinstance(await error_of(parse.objects("A").get("a1")), TimeoutExpired)
    assert isinstance(await error_of(parse.objects("A").get("a1")), TimeoutExpired)
    assert len(wire.received) == 1


async def test_one_that_keeps_failing_is_left_alone(talking: Talking) -> None:
    parse, wire = await talking(answer(b'{"code":1,"error":"x"}', status="500 x"))
    kinds = [type(await error_of(parse.objects("A").get("a1"))) for _ in range(6)]
    assert kinds == [ParseError] * 5 + [CircuitOpen]
    assert len(wire.received) == 5


@pytest.mark.parametrize("name", ["", ".", "..", None, 7, "\ud800"])
async def test_what_is_no_name_is_not_sent(talking: Talking, name: Any) -> None:
    parse, wire = await talking(answer(OBJECT))
    for asked in (
        parse.objects(name).get("a1"),
        parse.objects("A").get(name),
        parse.run(name),
    ):
        assert isinstance(await error_of(asked), RequestError)
    assert wire.received == []


async def test_a_name_cannot_lead_anywhere_else(talking: Talking) -> None:
    parse, wire = await talking(answer(OBJECT))
    await parse.objects("A").get("../../hooks/functions?x=1#y")
    assert wire.last.target == "/parse/classes/A/..%2F..%2Fhooks%2Ffunctions%3Fx%3D1%23y"


@pytest.mark.parametrize("key", ["_method", "_MasterKey", "_ApplicationId", "__op", 1])
async def test_what_a_caller_sent_cannot_say_who_asks_for_what(talking: Talking, key: Any) -> None:
    parse, wire = await talking(answer(OBJECT))
    sent = {key: "DELETE"}
    for asked in (
        parse.objects("A").create(sent),
        parse.objects("A").update("a1", sent),
        parse.run("f", sent),
    ):
        assert isinstance(await error_of(asked), RequestError)
    assert wire.received == []


@pytest.mark.parametrize("odd", [{"a": {1, 2}}, {"a": float("nan")}, [1], "text", None])
async def test_what_is_no_json_is_not_sent(talking: Talking, odd: Any) -> None:
    parse, wire = await talking(answer(OBJECT))
    objects = parse.objects("A")
    assert isinstance(await error_of(objects.create(odd)), RequestError)
    if isinstance(odd, dict):
        assert isinstance(await error_of(objects.find(odd)), RequestError)
        assert isinstance(await error_of(objects.create({}, context=odd)), RequestError)
    assert wire.received == []


async def test_a_context_goes_along_in_any_language(talking: Talking) -> None:
    parse, wire = await talking(answer(OBJECT))
    context = {"from": 'Zoë \N{SNOWMAN} \N{GRINNING FACE} "\n', "n": [1]}
    await parse.objects("A").create({"a": 1}, context=context)
    (sent,) = wire.last.every("x-parse-cloud-context")
    assert sent.isascii()
    assert json.loads(sent) == context


async def test_a_function_that_returns_nothing_returns_none(talking: Talking) -> None:
    parse, _ = await talking(answer(b"{}"))
    assert await parse.run("f") is None


async def test_who_a_session_is_of_is_told_without_its_token(talking: Talking) -> None:
    page = {"objectId": "u1", "username": "ann", "sessionToken": TOKEN}
    parse, wire = await talking(answer(json.dumps(page).encode()))
    assert await parse.as_user(TOKEN).user() == {"objectId": "u1", "username": "ann"}
    assert wire.last.target == "/parse/users/me"


def test_the_calling_user_is_who_asks() -> None:
    assert acting(call_of(None)) == acting(None) == Rights()
    rights = acting(call_of({"objectId": "u1", "sessionToken": TOKEN}))
    assert rights is not None
    assert rights.session_token is not None
    assert rights.session_token.reveal() == TOKEN
    assert TOKEN not in repr(rights)


@pytest.mark.parametrize(
    "call",
    [
        call_of({"objectId": "u1", "sessionToken": MASK}),
        call_of({"objectId": "u1"}),
        call_of(None, "u1"),
    ],
)
async def test_a_user_whose_session_was_not_kept_is_not_nobody(
    opened: Opened, wire: Wire, call: FunctionCall
) -> None:
    server = await server_at(opened, wire.url)
    parse = CallParse(server, acting(call), clock.monotonic() + 5)
    error = await error_of(parse.objects("A").get("a1"))
    assert "as_master(), as_user(token) or as_nobody()" in str(error)
    assert wire.received == []


async def test_without_a_parse_server_or_a_master_key_that_is_said(opened: Opened) -> None:
    none = parse_server(ParseServerSettings(), await opened())
    parse = CallParse(none, Rights(), clock.monotonic() + 5)
    with pytest.raises(ValueError, match=r"\[parse_server\] url of the conf"):
        await parse.objects("A").get("a1")
    with pytest.raises(ValueError, match=r"\[parse_server\] url of the conf"):
        parse.as_master()
    keyless = await server_at(opened, "http://127.0.0.1:1025/parse", master_key=None)
    with pytest.raises(ValueError, match=r"no \[parse_server\] master_key"):
        CallParse(keyless, Rights(), clock.monotonic() + 5).as_master()
    for token in ("", MASK, None):
        with pytest.raises(ValueError, match="a session token is"):
            CallParse(keyless, Rights(), clock.monotonic() + 5).as_user(token)  # type: ignore[arg-type]


async def test_nothing_shows_a_key_or_a_token(talking: Talking) -> None:
    parse, _ = await talking(answer(OBJECT), rest_api_key=REST)
    user = parse.as_user(TOKEN)
    shown = repr([parse, parse.as_master(), user, user.objects("A"), Rights(True, Secret(TOKEN))])
    assert "CANARY" not in shown
    assert TOKEN not in shown


HOOKS = """
from tornado_cc import Plugin

plugin = Plugin("talking")

@plugin.cloud_function("plain")
def plain(call):
    return call.parse.objects("A").get("a1")["n"]

@plugin.cloud_function("mixed")
async def mixed(call):
    return [await call.parse.as_master().objects("A").count(), call.parse.objects("A").pointer("x")]

@plugin.cloud_function("unguarded")
async def unguarded(call):
    return await call.parse.as_master().objects("A").get("a1")

@plugin.after_save("A")
async def later(call):
    try:
        await call.parse.objects("A").get("a1")
    except Exception as error:
        call.log.warning("later", extra={"problem": str(error)})
    await call.parse.as_master().objects("A").update("a1", {"n": 2})

@plugin.on_start
async def begin(app):
    app.log.info("began", extra={"n": (await app.parse.objects("A").get("a1"))["n"]})
"""


@pytest.mark.parametrize("mode", ["development", "production"])
async def test_every_hook_has_it_and_the_conf_opens_the_way(
    serve: Serve, wired: Wired, mode: str, tmp_path: Path
) -> None:
    wire = await wired(answer(b'{"objectId":"a1","n":1,"count":3}'))
    conf = f"""
        [server]
        mode = {mode}
        [dialect:parse]
        webhook_key = Zx8-q41-Uw
        [parse_server]
        url = {wire.url}parse
        application_id = app
        master_key = CANARY-4711-8150
        """
    served = await serve(conf, {"talking": HOOKS})
    key = {"X-Parse-Webhook-Key": "Zx8-q41-Uw"}
    assert vars(served.logged("began")[0])["n"] == 1
    user = {"objectId": "u1", "sessionToken": TOKEN}
    assert await served.webhook("/functions/plain", {"user": user}, key) == {"success": 1}
    assert wire.last.every("x-parse-session-token") == [TOKEN]
    pointer = {"__type": "Pointer", "className": "A", "objectId": "x"}
    assert await served.webhook("/functions/mixed", {}, key) == {"success": [3, pointer]}
    saved = {"object": {"className": "A", "objectId": "a1"}, "user": user}
    assert await served.webhook("/triggers/A/afterSave", saved, key) == {}
    await served.until_idle()
    assert "not their session token" in vars(served.logged("later")[0])["problem"]
    assert wire.last.every("x-parse-master-key") == ["CANARY-4711-8150"]
    assert json.loads(wire.last.body) == {"n": 2, "_method": "PUT"}


async def test_what_a_hook_does_not_catch_is_a_failure_that_shows_no_key(
    serve: Serve, wired: Wired
) -> None:
    wire = await wired(answer(b'{"code":1,"error":"no"}', status="500 x"))
    conf = f"{PARSE}[parse_server]\nurl = {wire.url}\napplication_id = a\nmaster_key = CANARY-47\n"
    failing = HOOKS.replace("@plugin.on_start", "")
    served = await serve(conf, {"talking": failing})
    told = await served.webhook("/functions/unguarded", {})
    assert told["error"].startswith("internal error (id ")
    (record,) = served.logged("hook failed")
    assert record.exc_info is not None
    assert "the Parse Server refused with code 1: no" in str(record.exc_info[1])
    assert "CANARY" not in str(vars(record))


async def test_a_conf_without_one_is_no_mistake(serve: Serve) -> None:
    served = await serve(PARSE, {"talking": HOOKS.replace("@plugin.on_start", "")})
    told = await served.webhook("/functions/plain", {})
    assert told["error"].startswith("internal error (id ")
    (record,) = served.logged("hook failed")
    assert record.exc_info is not None
    assert "there is no Parse Server to talk to" in str(record.exc_info[1])


async def test_in_a_dry_run_nothing_is_asked_and_no_key_is_noted() -> None:
    notes: list[Unsent] = []
    texts = {"url": "https://parse.example/parse", "application_id": "a", "master_key": MASTER}
    server = parse_server(ParseServerSettings.model_validate(texts), UnsentClient(notes.append))
    parse = CallParse(server, Rights(master=True), clock.monotonic() + 5)
    assert isinstance(await error_of(parse.objects("A").update("a1", {"n": 1})), ResponseError)
    (note,) = notes
    assert note.url == "https://parse.example/parse/classes/A/a1"
    assert "CANARY" not in str(note)


async def test_many_may_ask_at_once(talking: Talking) -> None:
    parse, wire = await talking(answer(OBJECT))
    asked = [parse.objects("A").get("a1") for _ in range(50)]
    assert len(await asyncio.gather(*asked)) == 50
    assert len(wire.received) == 50
