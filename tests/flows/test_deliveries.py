"""After-hooks from the answer to their end: promised, run, tried again, given up, kept in order."""

import asyncio
from pathlib import Path
from typing import Any

import pytest

from tests.postgres import Cluster
from tests.serving import PARSE, Serve, Served
from tests.store.opened import make_tables
from tornado_cc.core.redact import MASK
from tornado_cc.store.deliveries import Delivery

FAST = "[deliveries]\nretry = 1s, 1s\njitter = 95\n"
FLAKY = """
from tornado_cc import Plugin, Refusal

plugin = Plugin("flaky")


@plugin.after_save("Review")
async def tell(call):
    said = (call.object["objectId"], call.object.get("n"), call.attempt, call.delivery_id)
    call.log.info("told", extra={"said": said})
    how = call.object.get("how")
    if how == "refuse":
        raise Refusal("Too late to say no")
    if how == "later":
        raise Refusal("Not now", retry_after=3600)
    if how == "never" or call.attempt <= call.object.get("failing", 0):
        raise RuntimeError("broken with r:0123456789abcdef0123456789abcdef")
"""
STEADY = """
from tornado_cc import Plugin

plugin = Plugin("steady")


@plugin.after_save("Review")
async def tell(call):
    call.log.info("steady", extra={"said": call.object.get("n")})
"""
SAW = """
from tornado_cc import Plugin

plugin = Plugin("saw")


@plugin.after_save("_User")
@plugin.parse_trigger("_User", "afterLogin")
@plugin.parse_trigger("_Session", "afterLogout")
async def see(call):
    seen = (call.hook, call.trigger, call.object, call.user, call.request.body, call.context)
    call.log.info("seen", extra={"seen": seen, "key": call.request.headers["x-parse-webhook-key"]})
"""


def said(served: Served, message: str = "told") -> list[Any]:
    return [vars(record)["said"] for record in served.logged(message)]


async def save(served: Served, object_id: str = "r1", **fields: Any) -> Any:
    review = {"className": "Review", "objectId": object_id, **fields}
    return await served.webhook("/triggers/Review/afterSave", {"object": review})


async def until_state(served: Served, state: str, count: int = 1) -> list[Delivery]:
    """Wait until so many deliveries are in a state."""
    async with asyncio.timeout(15):
        while len(found := await served.store.deliveries.find(state=state)) < count:
            await asyncio.sleep(0.01)
    return found


async def until_failed(served: Served) -> list[Delivery]:
    """Wait until one has failed and waits for its next attempt."""
    async with asyncio.timeout(15):
        while True:
            found = await served.store.deliveries.find(state="ready")
            if found and found[0].failures:
                return found
            await asyncio.sleep(0.01)


async def test_one_that_fails_is_tried_again_with_the_same_id(serve: Serve) -> None:
    served = await serve(PARSE + FAST, {"flaky": FLAKY})
    assert await save(served, failing=2) == {}
    (done,) = await until_state(served, "done")
    assert said(served) == [("r1", None, attempt, done.id) for attempt in (1, 2, 3)]
    assert done.attempts == 3
    # A plugin's exception may quote what it was given.
    errors = [(one["attempt"], one["error"]) for one in done.failures]
    assert errors == [(n, f"raised RuntimeError: broken with {MASK}") for n in (1, 2)]
    assert served.fired == ["after_save Review (flaky)"] * 3


async def test_one_that_never_works_ends_as_a_dead_letter_that_can_be_redriven(
    serve: Serve,
) -> None:
    served = await serve(PARSE + FAST, {"flaky": FLAKY})
    await save(served, how="never")
    (dead,) = await until_state(served, "dead")
    assert (dead.plugin, dead.attempts, dead.kind) == ("flaky", 3, "hook")
    assert dead.target == "after_save Review tornado_cc_file_flaky.tell"
    (logged,) = served.logged("delivery is dead, `deliveries` shows and redrives it")
    assert vars(logged)["delivery"] == dead.id
    assert await served.store.deliveries.redrive() == 1
    async with asyncio.timeout(15):
        while len(said(served)) < 6:
            await asyncio.sleep(0.01)
    assert {one[3] for one in said(served)} == {dead.id}


async def test_a_refusal_comes_too_late_and_is_not_tried_again(serve: Serve) -> None:
    served = await serve(PARSE + FAST, {"flaky": FLAKY})
    await save(served, how="refuse")
    (done,) = await until_state(served, "done")
    assert (done.attempts, done.failures) == (1, [])
    (logged,) = served.logged("after-hook refused what has happened")
    assert vars(logged)["refusal"] == "Too late to say no"


async def test_a_hook_says_when_it_wants_to_be_tried_again(serve: Serve) -> None:
    served = await serve(PARSE + FAST, {"flaky": FLAKY})
    await save(served, how="later")
    (failed,) = await until_failed(served)
    assert failed.due_at - failed.created_at > 3_500_000
    assert [one["error"] for one in failed.failures] == ["Not now"]


async def test_a_failing_plugin_holds_up_its_own_object_and_nothing_else(serve: Serve) -> None:
    served = await serve(PARSE + "[deliveries]\nretry = 1h\n", {"flaky": FLAKY, "steady": STEADY})
    await save(served, "r1", n=1, how="never")
    await save(served, "r1", n=2)
    await save(served, "r2", n=3)
    await until_state(served, "done", 4)
    assert [one[:2] for one in said(served)] == [("r1", 1), ("r2", 3)]
    assert sorted(said(served, "steady")) == [1, 2, 3]
    (waiting,) = await served.store.deliveries.find(state="waiting")
    assert waiting.lane == "flaky after_save Review tornado_cc_file_flaky.tell|Review:r1"


async def test_the_changes_of_an_object_are_told_in_their_order(serve: Serve) -> None:
    served = await serve(PARSE, {"flaky": FLAKY})
    for number in range(25):
        await save(served, f"r{number % 3}", n=number)
    await until_state(served, "done", 25)
    for object_id in ("r0", "r1", "r2"):
        numbers = [one[1] for one in said(served) if one[0] == object_id]
        assert numbers == sorted(numbers)


async def test_a_delivery_whose_plugin_is_gone_waits_for_it_to_come_back(
    serve: Serve, tmp_path: Path
) -> None:
    served = await serve(PARSE + "[deliveries]\nretry = 1s, 1h\njitter = 0\n", {"flaky": FLAKY})
    await save(served, failing=1)
    await until_failed(served)
    await served.server.stop()
    plugin = tmp_path / "0" / "plugins.d" / "flaky.py"
    source = plugin.read_text()
    plugin.write_text(source.replace('"Review"', '"Other"'))
    await served.again()
    async with asyncio.timeout(15):
        while len((failed := (await served.store.deliveries.find())[0]).failures) < 2:
            await asyncio.sleep(0.01)
    assert failed.failures[-1]["error"] == "plugin flaky has no such hook now"
    await served.server.stop()
    plugin.write_text(source)
    await served.again()
    await served.store.deliveries.retry(failed.id)
    await until_state(served, "done")


async def test_what_is_kept_until_it_runs_holds_no_password_and_no_token(serve: Serve) -> None:
    served = await serve(PARSE, {"saw": SAW})
    user = {
        "objectId": "u1",
        "username": "ann",
        "password": "hunter-22",
        "token": "of a device",
        "sessionToken": "r:" + "a" * 32,
        "authData": {"facebook": {"id": "fb-id-7"}},
    }
    body = {"object": {"className": "_User", **user}, "user": user, "context": {"k": [1]}}
    await served.webhook("/triggers/_User/afterSave", body)
    await served.webhook("/triggers/_User/afterLogin", body)
    await until_state(served, "done", 2)
    for record in served.logged("seen"):
        _, _, shown, by, kept, context = vars(record)["seen"]
        text = f"{shown} {by} {kept}"
        for secret in ("hunter-22", "a" * 32, "fb-id-7"):
            assert secret not in text
        assert (shown["username"], context) == ("ann", {"k": [1]})
        # A field of the plugin's own stays what it is, where the hook needs it.
        assert shown["token"] == "of a device"
        assert vars(record)["key"] == MASK
    for delivery in await served.store.deliveries.find():
        assert "hunter-22" not in delivery.payload
    request = (await served.store.requests.find())[0]
    assert request.not_replayable == "a secret was taken out of it"


async def test_an_event_nobody_wants_is_not_kept(serve: Serve) -> None:
    served = await serve(PARSE, {"flaky": FLAKY})
    movie = {"className": "Movie", "objectId": "m1"}
    assert await served.webhook("/triggers/Movie/afterSave", {"object": movie}) == {}
    assert await served.store.deliveries.find() == []
    assert await served.store.requests.find() == []


async def test_an_event_that_cannot_be_kept_is_an_error_and_the_log_says_what_was_lost(
    serve: Serve, own_cluster: Cluster
) -> None:
    with own_cluster.database() as url:
        await make_tables(url)
        conf = f"{PARSE}[store]\nurl = {url}\ntimeout = 2\n"
        served = await serve(conf, {"flaky": FLAKY})
        own_cluster.stop()
        answer = await save(served, "r7")
        message = "The database is not available, please try again"
        assert answer == {"error": {"code": 1, "message": message}}
        (lost,) = served.logged("an after-event was lost")
        facts = vars(lost)
        assert (facts["hook"], facts["class"], facts["object_id"]) == ("after_save", "Review", "r7")
        assert (facts["plugins"], facts["perhaps_kept"]) == ("flaky", False)
        own_cluster.start()
        async with asyncio.timeout(20):
            while await save(served, "r8") != {}:
                await asyncio.sleep(0.1)
        async with asyncio.timeout(20):
            while [one[0] for one in said(served)] != ["r8"]:
                await asyncio.sleep(0.05)
        assert len(served.logged("deliveries wait for the database")) <= 2


async def test_a_write_of_ours_and_its_events_are_kept_together_or_not_at_all(
    serve: Serve,
) -> None:
    served = await serve(
        PARSE,
        {
            "flaky": FLAKY,
            "writer": """
            from tornado_cc import Plugin

            plugin = Plugin("writer")

            @plugin.cloud_function("write")
            async def write(call):
                await call.store.objects("Review").create({"n": 1}, object_id=call.params["id"])
            """,
        },
    )
    write = {"params": {"id": "r1"}}
    assert await served.webhook("/functions/write", write) == {"success": None}
    assert "error" in await served.webhook("/functions/write", write)
    await until_state(served, "done")
    (delivery,) = await served.store.deliveries.find()
    assert delivery.request_id is None
    assert [one[:2] for one in said(served)] == [("r1", 1)]


async def test_another_server_of_the_same_postgresql_is_woken_at_once(
    serve: Serve, postgres_url: str
) -> None:
    await make_tables(postgres_url)
    conf = f"{PARSE}[store]\nurl = {postgres_url}\n[deliveries]\npoll = 600\nconcurrency = CALLS\n"
    first = await serve(conf.replace("CALLS", "1"), {"flaky": FLAKY, "slow": SLOW})
    second = await serve(conf.replace("CALLS", "4"), {"flaky": FLAKY, "slow": SLOW})
    await asyncio.sleep(0.5)
    for name in ("slow1", "slow2", "slow3"):
        await first.webhook("/triggers/Slow/afterSave", {"object": {"objectId": name}})
    async with asyncio.timeout(20):
        while len(first.fired) + len(second.fired) < 3:
            await asyncio.sleep(0.01)
    assert second.fired


SLOW = """
import asyncio
from tornado_cc import Plugin

plugin = Plugin("slow")


@plugin.after_save("Slow")
async def wait(call):
    await asyncio.sleep(1)
"""


@pytest.mark.parametrize("record", ["events", "none"])
async def test_an_after_hook_has_the_request_where_the_journal_keeps_it(
    serve: Serve, record: str
) -> None:
    served = await serve(
        f"{PARSE}[journal]\nrecord = {record}\n",
        {
            "reads": """
            from tornado_cc import Plugin

            plugin = Plugin("reads")

            @plugin.after_save("Review")
            async def read(call):
                call.log.info("told", extra={"said": (call.request.method, call.request.body)})
            """
        },
    )
    await save(served, n=1)
    await until_state(served, "done")
    kept = ("POST", b'{"object":{"className":"Review","objectId":"r1","n":1}}')
    assert said(served) == [kept if record == "events" else ("", b"")]
    (delivery,) = await served.store.deliveries.find()
    assert (delivery.request_id is None) == (record == "none")
