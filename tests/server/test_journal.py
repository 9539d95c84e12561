"""What the journal keeps of which requests, and what it never keeps."""

import asyncio
from typing import Any

import orjson
import pytest

from tests.serving import KEY, PARSE, Serve, Served
from tests.store.opened import make_tables
from tornado_cc.core.record import Record
from tornado_cc.core.redact import MASK
from tornado_cc.server import journal

ALL = f"{PARSE}[journal]\nrecord = all\n"
GAMES = """
[dialect:gamesparks]
api_key = the-api-key
server_secret = the-server-secret

[credential:shop]
secret = the-shop-secret
"""
SKYGEAR = """
[dialect:skygear]
api_key = the-client-key
master_key = the-master-key
"""
PLUGIN = """
from tornado_cc import Plugin, Refusal

plugin = Plugin("one")


@plugin.cloud_function("hello")
async def hello(call):
    how = call.params.get("how")
    if how == "refuse":
        raise Refusal("No", log="because of r:0123456789abcdef0123456789abcdef")
    if how == "fail":
        raise RuntimeError("broken")
    return call.params.get("answer")


@plugin.after_save("Review")
async def tell(call):
    pass


@plugin.on_callback
async def answer(call):
    call.script_data["ok"] = True


@plugin.handler("shop", user_required=True)
def shop(request):
    return {"ok": True}
"""
FORM = {"Content-Type": "application/x-www-form-urlencoded"}


async def kept(served: Served, count: int) -> list[Record]:
    """Wait until so many requests are kept whose end is known; the oldest first."""
    async with asyncio.timeout(10):
        while True:
            found = await served.store.requests.find()
            if len(found) >= count and all(one.outcome for one in found):
                return found[::-1]
            await asyncio.sleep(0.01)


async def hello(served: Served, **params: Any) -> Any:
    return await served.webhook("/functions/hello", {"params": params})


async def test_a_request_is_kept_with_what_came_of_it(serve: Serve) -> None:
    served = await serve(ALL, {"one": PLUGIN})
    user = {"objectId": "u1", "username": "ann"}
    body = {"params": {"answer": "Hi"}, "user": user, "master": True}
    await served.webhook("/functions/hello", body)
    (record,) = await kept(served, 1)
    assert (record.dialect, record.method, record.path) == (
        "parse",
        "POST",
        "/webhooks/functions/hello",
    )
    assert record.route == "/webhooks/functions/{name}"
    assert (record.body, record.size) == (orjson.dumps(body), len(orjson.dumps(body)))
    assert (record.hook, record.plugins) == ("cloud_function hello", "one")
    assert (record.user_id, record.master) == ("u1", True)
    assert (record.outcome, record.status) == ("replied", 200)
    assert record.answer == b'{"success":"Hi"}'
    assert (record.verdict, record.not_replayable) == ("accepted", None)
    assert ["x-parse-webhook-key", MASK] in record.headers
    assert record.ms is not None
    assert record.received_at.endswith("Z")


async def test_refusals_failures_and_silence_are_told_apart(serve: Serve) -> None:
    served = await serve(ALL, {"one": PLUGIN})
    await hello(served, how="refuse")
    await hello(served, how="fail")
    await served.webhook("/functions/nobody", {})
    await served.webhook("/functions/hello", {"params": 1})
    records = await kept(served, 4)
    assert [one.outcome for one in records] == ["refused", "failed", "silent", "refused"]
    # The cause is for the log and for operators; a token in it is taken out all the same.
    assert records[0].cause == f"because of {MASK}"
    assert records[1].error_id is not None
    assert records[1].error_id.encode() in (records[1].answer or b"")
    assert records[2].plugins == ""


async def test_events_are_kept_by_default_and_nothing_else_that_was_let_in(serve: Serve) -> None:
    served = await serve(PARSE, {"one": PLUGIN})
    await hello(served)
    review = {"className": "Review", "objectId": "r1"}
    await served.webhook("/triggers/Review/afterSave", {"object": review})
    await served.until_idle()
    (record,) = await kept(served, 1)
    assert (record.hook, record.outcome, record.status) == ("after_save Review", "accepted", None)
    (delivery,) = await served.store.deliveries.find(request_id=record.id)
    assert delivery.state == "done"


@pytest.mark.parametrize("headers", [{"X-Parse-Webhook-Key": "a-wrong-key-17"}, {}])
async def test_refused_credentials_are_kept_without_themselves(
    serve: Serve, headers: dict[str, str]
) -> None:
    served = await serve(PARSE, {"one": PLUGIN})
    await served.webhook("/functions/hello", {}, headers)
    (record,) = await kept(served, 1)
    assert record.verdict == ("unauthorized" if headers else "no credentials")
    assert record.cause == ("wrong webhook key" if headers else "no webhook key")
    assert record.not_replayable == "its credentials were refused"
    assert "a-wrong-key-17" not in str(record.headers)


async def test_nothing_is_kept_where_nothing_shall_be(serve: Serve) -> None:
    served = await serve(f"{PARSE}[journal]\nrecord = none\n", {"one": PLUGIN})
    await hello(served)
    await served.webhook("/functions/hello", {}, {})
    review = {"className": "Review", "objectId": "r1"}
    await served.webhook("/triggers/Review/afterSave", {"object": review})
    await served.until_idle()
    await served.server.stop()
    await served.again()
    assert await served.store.requests.find() == []
    assert [one.state for one in await served.store.deliveries.find()] == ["done"]


@pytest.mark.parametrize(
    ("path", "shown"),
    [
        ("/callback/the-api-key/the-server-secret/", f"/callback/{MASK}/{MASK}/"),
        ("/callback/the-api-key/the-server-secret/p1", f"/callback/{MASK}/{MASK}/p1"),
        ("/callback/the-api-key/shop/the-shop-secret", f"/callback/{MASK}/shop/{MASK}"),
        ("/callback/the-api-key/shop/a-bad-guess/p1", f"/callback/{MASK}/shop/{MASK}/p1"),
        ("/callback/a/b/c/d/e/f", "/callback/" + "/".join([MASK] * 6)),
        ("/callback/%74he-api-key/shop/the-shop-secret", f"/callback/{MASK}/shop/{MASK}"),
    ],
)
async def test_a_callback_is_kept_without_its_key_and_secret(
    serve: Serve, path: str, shown: str
) -> None:
    served = await serve(f"{GAMES}[journal]\nrecord = all\n", {"one": PLUGIN})
    await served.request("GET", path)
    (record,) = await kept(served, 1)
    assert record.path == shown


@pytest.mark.parametrize(
    ("query", "headers", "body"),
    [
        ("", KEY, b'{"params": {"deep": [{"new_password": "hunter-22"}]}}'),
        ("", KEY, b'{"params": {"text": "see r:0123456789abcdef0123456789abcdef"}}'),
        ("", KEY, b'{"params": {"text": "the key is test-key"}}'),
        ("?password=hunter-22&n=1", KEY, b"{}"),
        ("", {**KEY, **FORM}, b"n=1&pass%77ord=hunter-22"),
        ("", KEY, b"no json, but test-key"),
    ],
)
async def test_a_secret_in_query_or_body_is_taken_out_and_the_request_not_replayable(
    serve: Serve, query: str, headers: dict[str, str], body: bytes
) -> None:
    served = await serve(ALL, {"one": PLUGIN})
    await served.request("POST", f"/webhooks/functions/hello{query}", headers, body)
    (record,) = await kept(served, 1)
    text = f"{record.body!r} {record.query} {record.headers} {record.cause}"
    assert MASK in text
    for secret in ("hunter-22", "0123456789abcdef0123456789abcdef", "test-key"):
        assert secret not in text
    assert record.not_replayable == "a secret was taken out of it"


async def test_of_a_large_body_the_size_is_kept(serve: Serve) -> None:
    served = await serve(f"{ALL}max_body = 1 KiB\n", {"one": PLUGIN})
    await hello(served, text="x" * 2000)
    (record,) = await kept(served, 1)
    assert record.body is None
    assert record.size > 2000
    assert record.not_replayable == "it is larger than what is kept"


async def test_whatever_bytes_a_caller_sends_are_kept_as_they_are_or_not_at_all(
    serve: Serve, store_url: str
) -> None:
    await make_tables(store_url)
    served = await serve(f"{ALL}[store]\nurl = {store_url}\n", {"one": PLUGIN})
    bodies = [b"\x00\xff\xfe", b'{"params": {"a": "\\u0000"}}', b"", b"\xed\xa0\x80", b"[" * 2000]
    for body in bodies:
        await served.request("POST", "/webhooks/functions/%00\xff", {**KEY, "X-Odd": "\xff"}, body)
    records = await kept(served, len(bodies))
    assert [one.body for one in records] == bodies


async def test_a_user_is_kept_with_the_request_and_their_token_is_not(serve: Serve) -> None:
    served = await serve(f"{SKYGEAR}[journal]\nrecord = all\n", {"one": PLUGIN})
    await served.know(tokens={"tcc_" + "t" * 43: "u1"})
    headers = {"X-Skygear-API-Key": "the-client-key", "X-Skygear-Access-Token": "tcc_" + "t" * 43}
    answer = await served.request("GET", "/shop", headers)
    assert answer.status == 200
    (record,) = await kept(served, 1)
    assert (record.user_id, record.outcome) == ("u1", "replied")
    assert "ttt" not in str(record.headers)
    assert "the-client-key" not in str(record.headers)


async def test_a_stranger_cannot_fill_the_disk(
    serve: Serve, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(journal, "_REFUSED_A_MINUTE", 3)
    served = await serve(PARSE, {"one": PLUGIN})
    for _ in range(6):
        await served.webhook("/functions/hello", {}, {})
    await served.server.stop()
    await served.again()
    assert len(await served.store.requests.find()) == 3


async def test_what_is_being_written_when_the_server_stops_is_kept(
    serve: Serve, monkeypatch: pytest.MonkeyPatch
) -> None:
    served = await serve(ALL, {"one": PLUGIN})
    begun = asyncio.Event()
    keep = served.store.requests.keep

    async def slow(records: Any) -> None:
        if not begun.is_set():
            begun.set()
            await asyncio.Event().wait()
        await keep(records)

    monkeypatch.setattr(served.store.requests, "keep", slow)
    await hello(served)
    await begun.wait()
    await served.server.stop()
    await served.again()
    (record,) = await served.store.requests.find()
    assert (record.outcome, record.status) == ("replied", 200)


async def test_what_waits_for_a_database_is_bounded_and_the_rest_is_counted(
    serve: Serve, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(journal, "_WAITING", 5)
    served = await serve(ALL, {"one": PLUGIN})
    written = asyncio.Event()
    keep = served.store.requests.keep

    async def slow(records: Any) -> None:
        await written.wait()
        await keep(records)

    monkeypatch.setattr(served.store.requests, "keep", slow)
    for number in range(12):
        await hello(served, n=number)
    written.set()
    await served.server.stop()
    assert sum(vars(one)["requests"] for one in served.logged("requests were not kept")) > 0
    await served.again()
    records = await served.store.requests.find()
    assert orjson.loads(records[0].body or b"")["params"] == {"n": 11}
