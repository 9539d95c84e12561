"""What is taken, when, and what a hook is given of it."""

from typing import Any

import orjson
import pytest

from tests.dialects.sources.signing import (
    BODY,
    GITHUB,
    NOW,
    SECTIONS,
    SHOP,
    SIGNED,
    STRIPE,
    WHSEC,
    Sign,
    at,
    called,
    events,
    github,
    hexdigest,
    now,
    read,
    refused,
    request,
    shop,
    slack,
    standard,
    stripe,
)
from tornado_cc.core.call import CallbackCall
from tornado_cc.core.errors import Reason, Refusal
from tornado_cc.core.message import Response
from tornado_cc.core.outcome import SILENCE, Reply
from tornado_cc.core.ports import Claims, Route, Surroundings, Vouched
from tornado_cc.dialects.sources import DialectSettings, SourceSettings, build

__all__ = ["now"]

pytestmark = pytest.mark.usefixtures("now")
TIMED = [(name, SIGNED[name]) for name in ("standard", "stripe", "slack")]


@pytest.mark.parametrize(("name", "sign"), SIGNED.items())
def test_a_signed_event_becomes_a_call_of_its_source(name: str, sign: Sign) -> None:
    call = called(events(), name, sign())
    assert (call.source, call.hook, call.claim) == (name, "on_callback", ("source", name))
    assert (call.credential, call.player_id, call.verdict) == ("", None, "accepted")
    assert dict(call.data) == orjson.loads(BODY)
    assert call.request.body == BODY


@pytest.mark.parametrize(("name", "sign"), SIGNED.items())
def test_a_single_byte_more_less_or_other_is_refused(name: str, sign: Sign) -> None:
    headers = sign()
    for body in (BODY + b" ", BODY[:-1], BODY.replace(b"1", b"2"), b""):
        assert refused(events(), name, headers, body)[0] == 401


@pytest.mark.parametrize(("name", "sign"), SIGNED.items())
def test_both_secrets_are_good_while_they_are_changed_and_the_previous_one_is_told(
    name: str, sign: Sign
) -> None:
    section = SECTIONS[name]
    new = "whsec_" + "bmV3LXNlY3JldC1vZi1taW5l"
    dialect = events({name: {**section, "secret": new, "previous_secret": section["secret"]}})
    assert called(dialect, name, sign(secret=new)).verdict == "accepted"
    assert called(dialect, name, sign()).verdict == "accepted with the previous secret"
    gone = events({name: {**section, "secret": new}})
    assert refused(gone, name, sign())[:2] == (401, "wrong secret")


@pytest.mark.parametrize(("name", "sign"), TIMED)
def test_the_clock_may_be_off_by_the_tolerance_both_ways_and_no_more(name: str, sign: Sign) -> None:
    for off in (-300, -1, 0, 1, 300):
        assert called(events(), name, sign(at=NOW + off)).source == name
    assert refused(events(), name, sign(at=NOW - 301)) == (
        401,
        "clock off",
        "signed 301 s ago, and tolerance is 300 s; the signature itself is good",
    )
    assert refused(events(), name, sign(at=NOW + 301)) == (
        401,
        "clock off",
        "signed 301 s in the future, and tolerance is 300 s; the signature itself is good",
    )
    patient = events({name: {**SECTIONS[name], "tolerance": 3600}})
    assert called(patient, name, sign(at=NOW - 3600)).source == name


def test_a_scheme_without_a_time_has_no_such_limit(monkeypatch: pytest.MonkeyPatch) -> None:
    at(monkeypatch, NOW + 10**8)
    assert called(events(), "github", github()).source == "github"


def test_of_many_signatures_one_has_to_fit() -> None:
    headers = standard()
    good = headers["webhook-signature"]
    headers["webhook-signature"] = f"v1a,AAAA v1,bm9uZQ== {good} v2,x"
    assert called(events(), "standard", headers).source == "standard"
    value = stripe()["Stripe-Signature"]
    for one in (f"{value},v1={'0' * 64}", value.replace(",v1=", f",v1={'0' * 64},v0=1, v1=")):
        assert called(events(), "stripe", {"Stripe-Signature": one}).source == "stripe"


def test_more_signatures_than_a_provider_has_secrets_are_not_looked_at() -> None:
    good = standard()["webhook-signature"]
    many = {**standard(), "webhook-signature": " ".join(["v1,x"] * 32 + [good])}
    assert refused(events(), "standard", many)[0] == 401


def test_hex_may_be_written_in_capitals_and_base64_may_not() -> None:
    headers = github()
    headers["X-Hub-Signature-256"] = "sha256=" + headers["X-Hub-Signature-256"][7:].upper()
    assert called(events(), "github", headers).source == "github"
    headers = shop()
    headers["X-Shop-Hmac"] = headers["X-Shop-Hmac"].swapcase()
    assert refused(events(), "shop", headers)[0] == 401


@pytest.mark.parametrize(
    ("name", "headers", "status"),
    [
        ("standard", {"webhook-timestamp": ""}, 400),
        ("standard", {"webhook-timestamp": "now"}, 400),
        ("standard", {"webhook-timestamp": "-1"}, 400),
        ("standard", {"webhook-timestamp": "1e9"}, 400),
        ("standard", {"webhook-timestamp": "1" * 13}, 400),
        ("standard", {"webhook-timestamp": "١٦١٤٢٦٥٣٣٠"}, 400),
        ("standard", {"webhook-id": ""}, 400),
        ("standard", {"webhook-id": "msg_1.1614265330"}, 400),
        ("standard", {"webhook-id": "msg_2"}, 401),
        ("standard", {"webhook-signature": ""}, 400),
        ("standard", {"webhook-signature": "v2,abc"}, 400),
        ("standard", {"webhook-signature": "v1,"}, 401),
        ("standard", {"webhook-signature": "v1,é€\udc80"}, 401),
        ("stripe", {"Stripe-Signature": "v1=abc"}, 400),
        ("stripe", {"Stripe-Signature": "t=1,t=2,v1=abc"}, 400),
        ("stripe", {"Stripe-Signature": "t=1614265330"}, 400),
        ("github", {"X-Hub-Signature-256": "sha1=abc"}, 400),
        ("github", {"X-Hub-Signature-256": "sha256="}, 401),
        ("slack", {"X-Slack-Request-Timestamp": "1614265330, 1614265330"}, 400),
    ],
)
def test_headers_that_cannot_be_read_are_400_and_those_that_do_not_fit_401(
    name: str, headers: dict[str, str], status: int
) -> None:
    assert refused(events(), name, {**SIGNED[name](), **headers})[0] == status


def test_an_event_is_known_by_its_id_wherever_the_provider_puts_it() -> None:
    dialect = events()
    assert called(dialect, "standard", standard(event="msg_9")).idempotency_key == "msg_9"
    assert called(dialect, "stripe", stripe()).idempotency_key == "evt_1"
    assert called(dialect, "github", github(event="d-9")).idempotency_key == "d-9"
    assert called(dialect, "shop", shop(event="s-9")).idempotency_key == "s-9"
    body = b'{"type":"event_callback","event_id":"Ev1"}'
    assert called(dialect, "slack", slack(body), body).idempotency_key == "Ev1"


def test_without_an_id_what_is_signed_for_the_same_second_is_the_same_event() -> None:
    dialect = events()
    body = b"command=%2Froll"
    first = called(dialect, "slack", slack(body), body).idempotency_key
    assert first is not None
    assert first.startswith("signed:")
    assert called(dialect, "slack", slack(body), body).idempotency_key == first
    assert called(dialect, "slack", slack(body, at=NOW + 1), body).idempotency_key != first
    headers = {"X-Hub-Signature-256": github()["X-Hub-Signature-256"]}
    assert called(dialect, "github", headers).idempotency_key is None


@pytest.mark.parametrize("event", ["", "x" * 256])
def test_an_id_that_is_empty_or_too_long_is_400(event: str) -> None:
    assert refused(events(), "github", github(event=event))[0] == 400


@pytest.mark.parametrize("value", ['""', "17", "null", '"' + "x" * 256 + '"', "{}"])
def test_an_id_in_the_body_that_is_none_leaves_what_is_signed(value: str) -> None:
    body = f'{{"id":{value}}}'.encode()
    key = called(events(), "stripe", stripe(body), body).idempotency_key
    assert key is not None
    assert key.startswith("signed:")


@pytest.mark.parametrize(
    ("kind", "body", "data"),
    [
        ("application/json", b'{"a": [1]}', {"a": [1]}),
        ("text/plain", b'{"a": 1}', {"a": 1}),
        ("application/json", b"[1]", {}),
        ("application/json", b"{", {}),
        ("application/x-www-form-urlencoded", b"a=1&b=x+y&b=%C3%A9&c=", None),
        ("application/octet-stream", b"\xff\x00", {}),
        ("application/json", b"", {}),
    ],
)
def test_data_is_the_json_object_or_the_form_and_the_bytes_are_there_too(
    kind: str, body: bytes, data: dict[str, Any] | None
) -> None:
    call = called(events(), "github", {**github(body), "Content-Type": f"{kind}; x=y"}, body)
    wanted = {"a": "1", "b": ["x y", "é"], "c": ""} if data is None else data
    assert (dict(call.data), call.request.body) == (wanted, body)


def test_the_challenge_of_slack_is_answered_once_its_signature_is_good() -> None:
    body = b'{"token":"t","challenge":"3eZbrw1aB","type":"url_verification"}'
    answer = read(events(), "slack", slack(body), body)
    assert isinstance(answer, Response)
    assert (answer.status, orjson.loads(answer.body)) == (200, {"challenge": "3eZbrw1aB"})
    assert refused(events(), "slack", slack(body, secret="another"), body)[0] == 401
    assert isinstance(read(events(), "github", github(body), body), CallbackCall)
    body = b'{"challenge":1,"type":"url_verification"}'
    assert refused(events(), "slack", slack(body), body)[0] == 400


def test_only_a_post_is_an_event_and_only_of_a_source_there_is() -> None:
    dialect = events()
    for method in ("GET", "HEAD", "PUT", "DELETE"):
        asked = request("github", github(), method=method)
        with pytest.raises(Refusal) as raised:
            dialect.read(dialect.match(method, asked.path), asked)
        answer = dialect.write(Route("", ""), None, raised.value)
        assert (answer.status, ("Allow", "POST") in answer.headers) == (405, True)
    for path in ("/in", "/in/", "/in/nobody", "/in/github/x", "/in/GITHUB", "/else"):
        assert dialect.match("POST", path).template == "unmatched"
    for path in ("/in/github", "/in/github/", "/in/git%68ub"):
        assert dialect.match("POST", path).template == "/in/github"


def test_a_source_may_have_any_name_that_a_path_can_spell() -> None:
    dialect = events({"größe": SECTIONS["github"]})
    assert dialect.match("POST", "/in/gr%C3%B6%C3%9Fe").params == {"source": "größe"}
    assert dialect.match("POST", "/in/gr%C3%B6%C3%9Fe").template == "/in/gr%C3%B6%C3%9Fe"


def test_a_replay_asks_for_no_signature() -> None:
    dialect = events()
    call = dialect.read(dialect.match("POST", "/in/stripe"), request("stripe", {}), Vouched())
    assert isinstance(call, CallbackCall)
    assert (call.source, call.idempotency_key, call.verdict) == ("stripe", "evt_1", "accepted")


@pytest.mark.parametrize(
    ("outcome", "status", "body"),
    [
        (Reply({}), 200, b""),
        (Reply({"a": 1}), 200, b'{"a":1}'),
        (Reply({"RESPONSE_RAW": "ok"}), 200, b"ok"),
        (Reply({"RESPONSE_RAW": [1], "a": 1}), 200, b"[1]"),
        (SILENCE, 404, b'{"error":"No plugin serves this source"}'),
        (Refusal("no"), 400, b'{"error":"no"}'),
        (Refusal("wait", reason=Reason.UNAVAILABLE), 503, b'{"error":"wait"}'),
        (Refusal("wait", reason=Reason.IN_PROGRESS), 409, b'{"error":"wait"}'),
        (Refusal("gone", reason=Reason.ANSWERED), 200, b""),
        (Refusal("x", reason=Reason.FAILED), 500, b'{"error":"x"}'),
        (Refusal("x", reason=Reason.TOO_LARGE), 413, b'{"error":"x"}'),
    ],
)
def test_what_comes_of_an_event_is_answered_with_a_status(
    outcome: Any, status: int, body: bytes
) -> None:
    answer = events().write(Route("/in/shop", "source"), None, outcome)
    assert (answer.status, answer.body) == (status, body)


def test_every_reason_has_a_status_of_its_own_but_a_failure() -> None:
    for reason in Reason:
        answer = events().write(Route("", ""), None, Refusal("x", reason=reason))
        assert (answer.status == 500) == (reason is Reason.FAILED), reason


def test_sources_and_plugins_that_do_not_know_each_other_are_told_at_the_start() -> None:
    sources = {"shop": SourceSettings(**SECTIONS["shop"])}
    claims = Claims({"on_callback": [("server",), ("*",), ("source", "stripe")]})
    dialect = build(DialectSettings(), Surroundings(claims, sections={"source": sources}))
    assert dialect.warnings == (
        "no plugin says that it serves the source shop, which [source:shop] has",
        "a plugin serves the source stripe, but [source:stripe] is missing",
    )
    claims = Claims({"on_callback": [("source", "*")]})
    dialect = build(DialectSettings(), Surroundings(claims, sections={"source": sources}))
    assert dialect.warnings == ()


def test_a_scheme_of_ones_own_may_have_its_time_beside_the_signature() -> None:
    section = {
        "scheme": "hmac",
        "secret": SHOP,
        "signature_header": "Paddle-Signature",
        "separator": ";",
        "prefix": "h1=",
        "timestamp_prefix": "ts=",
        "signed": "{timestamp}:{body}",
        "id_field": "event_id",
    }
    signature = hexdigest(SHOP, f"{NOW}:".encode() + BODY)
    headers = {"Paddle-Signature": f"ts={NOW};h1={signature}"}
    assert called(events({"paddle": section}), "paddle", headers).source == "paddle"
    late = {"Paddle-Signature": f"ts={NOW - 1};h1={signature}"}
    assert refused(events({"paddle": section}), "paddle", late)[0] == 401


def test_secrets_are_in_no_representation() -> None:
    dialect = events()
    call = called(dialect, "stripe", stripe())
    shown = repr([vars(dialect), call, SourceSettings(**SECTIONS["stripe"])])
    for secret in (WHSEC, STRIPE, GITHUB, SHOP, hexdigest(STRIPE, f"{NOW}.".encode() + BODY)):
        assert secret not in shown
