"""Signed events over a real socket: run once, kept in the journal, answered."""

import asyncio
import time
from pathlib import Path
from typing import Any

import pytest

from tests.dialects.sources.signing import SHOP, github, shop, stripe
from tests.serving import Answer, Serve, Served, read_answer
from tornado_cc import Plugin
from tornado_cc.cli import explanation
from tornado_cc.core.record import Record
from tornado_cc.core.redact import MASK

CONF = f"""
[source:stripe]
scheme = stripe
secret = whsec_stripe-signing-secret
[source:github]
scheme = github
secret = It's a Secret to Everybody
[source:shop]
scheme = hmac
secret = a-new-secret-of-the-shop
previous_secret = {SHOP}
signature_header = X-Shop-Hmac
encoding = base64
id_header = X-Shop-Id
"""
PLUGIN = """
import asyncio
from pathlib import Path
from tornado_cc import CallbackCall, Plugin, Refusal

plugin = Plugin("orders")
runs = []

@plugin.on_callback(source="stripe")
async def paid(call: CallbackCall) -> object:
    while "until" in call.data and not Path(call.data["until"]).exists():
        await asyncio.sleep(0.005)
    match call.data.get("do"):
        case "fail":
            raise ValueError("no")
        case "refuse":
            raise Refusal("never")
        case "later":
            raise Refusal("not now", retry_after=7)
    runs.append(call.data["id"])
    return {"run": len(runs), "source": call.source, "key": call.idempotency_key}

@plugin.on_callback(source="shop")
def blocking(call):
    return call.source
"""
GENERAL = """
from tornado_cc import Plugin, hookimpl

plugin = Plugin("general")

@plugin.on_callback
async def callback(call):
    call.script_data["credential"] = call.credential

@hookimpl
async def on_callback(call):
    call.script_data["source"] = call.source
"""
FIRED = "on_callback source.stripe (orders)"


async def started(serve: Serve, more: str = "") -> Served:
    return await serve(CONF + more, {"orders": PLUGIN})


async def send(served: Served, body: bytes, name: str = "stripe") -> Answer:
    """Send an event to Stripe's source, signed now."""
    return await served.request("POST", f"/in/{name}", stripe(body, at=int(time.time())), body)


async def kept(served: Served, count: int) -> list[Record]:
    """Wait until so many requests are kept; the oldest first."""
    async with asyncio.timeout(10):
        while len(found := await served.store.requests.find()) < count:
            await asyncio.sleep(0.01)
    return found[::-1]


async def test_an_event_fires_the_hook_of_its_source(serve: Serve) -> None:
    served = await started(serve)
    answer = await send(served, b'{"id":"evt_1"}')
    assert (answer.status, answer.json()) == (
        200,
        {"run": 1, "source": "stripe", "key": "evt_1"},
    )
    answer = await served.request("POST", "/in/shop/", shop(b"x"), b"x")
    assert (answer.status, answer.body) == (200, b"shop")
    assert served.fired == [FIRED, "on_callback source.shop (orders)"]


async def test_a_source_without_a_plugin_is_404_and_its_repeat_runs(serve: Serve) -> None:
    served = await started(serve)
    for _ in range(2):
        answer = await served.request("POST", "/in/github", github(b"{}"), b"{}")
        assert (answer.status, answer.json()) == (404, {"error": "No plugin serves this source"})
        assert answer.header("Idempotent-Replayed") is None


async def test_callbacks_for_all_credentials_get_no_events_and_plain_hooks_get_those_of_nobody(
    serve: Serve,
) -> None:
    gamesparks = "[dialect:gamesparks]\napi_key = key\nserver_secret = sec\n"
    served = await serve(CONF + gamesparks, {"orders": PLUGIN, "general": GENERAL})
    await send(served, b'{"id":"evt_1"}')
    assert served.fired == [FIRED]
    answer = await served.request("POST", "/in/github", github(b"{}"), b"{}")
    assert answer.json() == {"source": "github"}
    answer = await served.request("GET", "/callback/key/sec/")
    assert answer.json() == {"source": "", "credential": "server"}


async def test_a_repeat_is_answered_as_the_first_was_and_a_failure_runs_again(
    serve: Serve,
) -> None:
    served = await started(serve)
    first = await send(served, b'{"id":"evt_1"}')
    again = await send(served, b'{"id":"evt_1","other":"bytes"}')
    assert (again.body, again.header("Idempotent-Replayed")) == (first.body, "true")
    for do, status, runs in (("fail", 500, 2), ("later", 400, 2), ("refuse", 400, 1)):
        before = len(served.fired)
        for _ in range(2):
            answer = await send(served, f'{{"id":"evt_{do}","do":"{do}"}}'.encode())
            assert answer.status == status
        assert len(served.fired) - before == runs, do


async def test_ids_belong_to_their_source(serve: Serve) -> None:
    served = await started(
        serve, "[source:twin]\nscheme = stripe\nsecret = whsec_stripe-signing-secret\n"
    )
    assert (await send(served, b'{"id":"evt_1"}')).status == 200
    assert (await send(served, b'{"id":"evt_1"}', "twin")).status == 404


async def test_1000_duplicates_at_once_run_once(serve: Serve, tmp_path: Path) -> None:
    served = await started(serve)
    go = tmp_path / "go"
    body = f'{{"id":"evt_1","until":"{go}"}}'.encode()
    head = f"POST /in/stripe HTTP/1.1\r\nHost: x\r\nContent-Length: {len(body)}\r\n"
    signature = stripe(body, at=int(time.time()))["Stripe-Signature"]
    raw = f"{head}Stripe-Signature: {signature}\r\n\r\n".encode() + body
    # More at once than may wait to be accepted would take seconds to connect.
    turn = asyncio.Semaphore(50)

    async def connected() -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
        async with turn:
            return await asyncio.open_connection("127.0.0.1", served.port)

    streams = await asyncio.gather(*(connected() for _ in range(1000)))
    for _, writer in streams:
        writer.write(raw)
    await asyncio.sleep(0.2)
    go.touch()
    answers = await asyncio.gather(*(read_answer(reader) for reader, _ in streams))
    for _, writer in streams:
        writer.close()
    assert served.fired == [FIRED]
    assert {one.status for one in answers} == {200}
    assert len({one.body for one in answers}) == 1


async def test_the_journal_keeps_every_event_and_every_refusal_with_its_verdict(
    serve: Serve,
) -> None:
    served = await started(serve)
    await send(served, b'{"id":"evt_1"}')
    await served.request("POST", "/in/shop", shop(b"x"), b"x")
    await served.request("POST", "/in/github", github(b"{}"), b"{ }")
    await served.request("POST", "/in/github", {}, b"{}")
    await served.request("POST", "/in/github", {"X-Hub-Signature-256": "?"}, b"{}")
    await served.request("GET", "/in/github")
    # What is for no source is not kept.
    await served.request("POST", "/in/nobody")
    records = await kept(served, 6)
    assert [(one.verdict, one.outcome, one.status) for one in records] == [
        ("accepted", "replied", 200),
        ("accepted with the previous secret", "replied", 200),
        ("body re-encoded", "refused", 401),
        ("header missing", "refused", 401),
        ("header malformed", "refused", 400),
        ("accepted", "refused", 405),
    ]
    assert records[0].hook == "on_callback source.stripe"
    assert records[0].body == b'{"id":"evt_1"}'
    assert ["stripe-signature", MASK] in records[0].headers
    assert records[0].not_replayable is None
    assert records[2].cause == "the signature fits the body as JSON compact"
    assert [explanation.of(one).verdict for one in records[4:]] == [
        "header malformed",
        "not judged",
    ]
    assert len(await served.store.requests.find()) == 6


async def test_record_none_keeps_none_of_it(serve: Serve) -> None:
    served = await started(serve, "[journal]\nrecord = none\n")
    await send(served, b'{"id":"evt_1"}')
    await served.request("POST", "/in/github", {}, b"{}")
    await asyncio.sleep(0.3)
    assert await served.store.requests.find() == []


async def test_bad_signatures_block_nobody_and_are_blocked_by_nothing(serve: Serve) -> None:
    served = await started(serve, "[dialect:gamesparks]\napi_key = key\nserver_secret = sec\n")
    for _ in range(30):
        assert (await served.request("POST", "/in/github", {}, b"{}")).status == 401
    assert (await served.request("GET", "/callback/key/sec/")).status == 200
    for _ in range(11):
        last = await served.request("GET", "/callback/key/wrong/")
    assert last.status == 429
    assert (await send(served, b'{"id":"evt_1"}')).status == 200


async def test_the_previous_secret_is_told_once_a_minute(serve: Serve) -> None:
    served = await started(serve)
    for number in range(3):
        headers = shop(b"x", event=f"s-{number}")
        assert (await served.request("POST", "/in/shop", headers, b"x")).status == 200
    (line,) = served.logged("credentials should be changed")
    assert line.levelname == "WARNING"
    facts = vars(line)
    assert (facts["route"], facts["cause"]) == (
        "/in/shop",
        "accepted with the previous secret",
    )


async def test_an_event_over_the_limit_is_413(serve: Serve) -> None:
    served = await started(serve, "[dialect:sources]\nmax_body = 10 B\n")
    answer = await served.request("POST", "/in/github", {}, b"x" * 11)
    assert (answer.status, set(answer.json())) == (413, {"error"})


async def test_an_answer_that_is_not_kept_is_no_error_for_the_sender(serve: Serve) -> None:
    plugin = PLUGIN.replace('return {"run"', 'return {"token": "opaque", "run"')
    served = await serve(CONF, {"orders": plugin})
    assert (await send(served, b'{"id":"evt_1"}')).status == 200
    answer = await send(served, b'{"id":"evt_1"}')
    assert (answer.status, answer.body) == (200, b"")
    assert served.fired == [FIRED]


@pytest.mark.parametrize("source", ["", 7])
def test_a_claim_on_a_source_needs_its_name(source: Any) -> None:
    with pytest.raises(TypeError, match="needs a name"):
        Plugin("mine").on_callback(source=source)


def test_a_claim_is_on_a_credential_or_on_a_source() -> None:
    with pytest.raises(ValueError, match="not both"):
        Plugin("mine").on_callback(credential="a", source="b")
