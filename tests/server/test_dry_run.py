"""A replay that changes nothing: what it would do is noted, and nobody notices it."""

import asyncio
from typing import Any

from sqlalchemy import delete

from tests.server.replaying import (
    again,
    canary,
    changed,
    function,
    recorded,
    recording,
    rows,
    said,
)
from tests.serving import Serve
from tornado_cc.core.json_value import dump
from tornado_cc.server.replay import Replayed
from tornado_cc.store.tables import users

BUSY = """
from tornado_cc import Plugin

plugin = Plugin("busy")

@plugin.on_start
async def start(app):
    await app.config.save({"starts": 1})

@plugin.on_stop
async def stop(app):
    await app.http.request("http://127.0.0.1:PORT/stopped")

@plugin.cloud_function("work")
async def work(call):
    if call.params.get("rest"):
        return "rested"
    comments = call.store.objects("Comment")
    made = await comments.create({"text": "new"}, object_id="c1")
    answer = await call.http.request(
        "http://ann:Zx8-CANARY@127.0.0.1:PORT/pay?key=Zx8-CANARY",
        method="POST", headers={"Content-Type": "application/json"}, body={"coins": 3},
    )
    await comments.update("c1", {"likes": {"__op": "Increment", "amount": 2}})
    await comments.update("c1", {"likes": {"__op": "Increment", "amount": 3}})
    await call.store.objects("Old").delete("o1")
    player = await call.store.players.create("p1")
    player.private_data["gold"] = 5
    await player.persist()
    user = await call.store.users.add("ann", "Zx8-CANARY", user_id="u1")
    session = await call.store.users.log_in("ann", "Zx8-CANARY")
    await call.config.save({"open": 1, "hidden": "Zx8-CANARY"}, {"hidden": True})
    left = await call.store.objects("Old").count()
    return {
        "status": answer.status,
        "text": answer.text,
        "likes": (await comments.get("c1"))["likes"],
        "left": left,
        "gold": (await call.store.players.load("p1")).private_data["gold"],
        "open": (await call.config.get())["open"],
    }

@plugin.cloud_function("plain")
def plain(call):
    if call.params.get("rest"):
        return "rested"
    made = call.store.objects("Comment").create({"text": "plain"})
    call.http.request("http://127.0.0.1:PORT/plain")
    return call.store.objects("Comment").get(made["objectId"])["text"]

@plugin.after_save("Comment")
async def commented(call):
    await call.store.objects("Log").create({"of": call.object["objectId"]})
"""


UNUSED = 65000
PROMISED = "insert deliveries hook busy after_save Comment tornado_cc_file_busy.commented"


def noted(replayed: Replayed, during: str = "request") -> list[str]:
    """What was noted instead of done, without details."""
    assert replayed.notes is not None
    return [f"{one.verb} {one.subject}" for one in replayed.notes if one.during == during]


def details(replayed: Replayed, subject: str) -> list[dict[str, Any]]:
    """The details of what was noted of something."""
    assert replayed.notes is not None
    return [one.details for one in replayed.notes if one.subject.startswith(subject)]


async def run_dry(serve: Serve, name: str, port: int, store_url: str = "") -> Replayed:
    """A dry run of a function that did nothing when it was recorded; it changes no row."""
    served = await recording(serve, {"busy": BUSY.replace("PORT", str(port))}, store_url)
    await served.store.objects.insert("Old", "o1", {})
    record = await function(served, name, {"rest": True})
    changed(served, "busy", 'call.params.get("rest")', "False", count=2)
    before = await rows(served)
    replayed = await again(served, record, dry_run=True)
    assert await rows(served) == before
    assert not replayed.is_same
    return replayed


async def test_nothing_is_changed_or_sent_and_everything_is_noted(
    serve: Serve, store_url: str
) -> None:
    with canary() as nobody:
        replayed = await run_dry(serve, "work", nobody.port, store_url)
        assert nobody.calls == 0
    assert noted(replayed) == [
        "insert objects Comment c1",
        PROMISED,
        f"POST http://127.0.0.1:{nobody.port}/pay",
        "update objects Comment c1",
        PROMISED,
        "update objects Comment c1",
        PROMISED,
        "delete objects Old o1",
        "insert users p1",
        "insert player_data p1 private gold",
        "insert users u1",
        "insert sessions u1",
        "insert config hidden",
        "insert config open",
    ]
    assert [one["fields"] for one in details(replayed, "objects Comment")] == [
        {"text": "new"},
        {"text": "new", "likes": 2},
        {"text": "new", "likes": 5},
    ]
    assert details(replayed, "http:") == [{"bytes": 11, "content_type": "application/json"}, {}]
    assert details(replayed, "deliveries")[0]["payload"]["object"]["text"] == "new"


async def test_what_was_written_is_there_for_whoever_wrote_it(serve: Serve, store_url: str) -> None:
    replayed = await run_dry(serve, "work", UNUSED, store_url)
    assert said(replayed)["success"] == {
        "status": 200,
        "text": "",
        "likes": 5,
        "left": 0,
        "gold": 5,
        "open": 1,
    }


async def test_a_plain_function_runs_dry_as_well(serve: Serve) -> None:
    with canary() as nobody:
        replayed = await run_dry(serve, "plain", nobody.port)
        assert nobody.calls == 0
    assert said(replayed) == {"success": "plain"}
    _, promised, sent = noted(replayed)
    assert (promised, sent) == (PROMISED, f"GET http://127.0.0.1:{nobody.port}/plain")


async def test_what_plugins_do_as_they_start_and_stop_is_not_done_either(serve: Serve) -> None:
    with canary() as nobody:
        replayed = await run_dry(serve, "plain", nobody.port)
        assert nobody.calls == 0
    assert noted(replayed, "on_start") == ["insert config starts"]
    assert noted(replayed, "on_stop") == [f"GET http://127.0.0.1:{nobody.port}/stopped"]


async def test_no_secret_is_noted(serve: Serve) -> None:
    replayed = await run_dry(serve, "work", UNUSED)
    assert replayed.notes is not None
    written = "".join(f"{one.subject} {dump(one.details).decode()}" for one in replayed.notes)
    assert "CANARY" not in written
    assert "argon2" not in written
    assert "tcc_" not in written
    assert details(replayed, "config hidden") == [{"value": "[redacted]", "master_key_only": True}]


async def test_the_hooks_of_an_after_event_run_dry(serve: Serve) -> None:
    served = await recording(serve, {"busy": BUSY.replace("PORT", str(UNUSED))})
    body = {"triggerName": "afterSave", "object": {"className": "Comment", "objectId": "c1"}}
    await served.webhook("/triggers/Comment/afterSave", body)
    record = await recorded(served)
    await served.until_idle()
    before = await rows(served)
    replayed = await again(served, record, dry_run=True)
    assert await rows(served) == before
    assert [(one.plugin, one.error) for one in replayed.ran or ()] == [("busy", None)]
    (written,) = noted(replayed)
    assert written.startswith("insert objects Log ")
    assert details(replayed, "objects Log") == [{"fields": {"of": "c1"}}]


LATER = """
from tornado_cc import Plugin

plugin = Plugin("later")

@plugin.job("remind")
async def remind(call): ...

@plugin.cloud_function("promise")
async def promise(call):
    if call.params.get("rest"):
        return None
    await call.later("remind", {"text": "milk"}, delay=60)
"""


async def test_what_is_put_off_is_not_even_promised(serve: Serve, store_url: str) -> None:
    served = await recording(serve, {"later": LATER}, store_url)
    record = await function(served, "promise", {"rest": True})
    changed(served, "later", 'call.params.get("rest")', "False")
    replayed = await again(served, record, dry_run=True)
    (promised,) = noted(replayed)
    assert promised.startswith("insert deliveries job later ")
    (kept,) = details(replayed, "deliveries job")
    assert kept["payload"]["params"] == {"text": "milk"}
    assert await served.store.deliveries.find() == []


REFUSING = """
from tornado_cc import Plugin, RequestError
from tornado_cc.skygear import Response

plugin = Plugin("refusing")

@plugin.cloud_function("twice")
async def twice(call):
    users = call.store.users
    await users.add("ann", user_id="u1")
    try:
        await users.add("ann", user_id="u2")
    except Exception as error:
        return type(error).__name__

@plugin.cloud_function("wrong")
async def wrong(call):
    try:
        await call.http.request("ftp://somewhere")
    except RequestError as error:
        return "refused"
"""


async def test_what_would_be_refused_is_refused(serve: Serve) -> None:
    served = await recording(serve, {"refusing": REFUSING})
    record = await function(served, "wrong")
    replayed = await again(served, record, dry_run=True)
    assert (said(replayed), replayed.notes) == ({"success": "refused"}, [])


async def test_a_write_that_is_refused_is_not_noted(serve: Serve, store_url: str) -> None:
    served = await recording(serve, {"refusing": REFUSING}, store_url)
    await served.store.users.add("ben")
    record = await function(served, "twice")
    await served.store.engine.write(lambda connection: connection.execute(delete(users)), 10)
    replayed = await again(served, record, dry_run=True)
    assert said(replayed) == {"success": "DuplicateValue"}
    assert noted(replayed) == ["insert users u1"]


async def test_a_server_beside_it_writes_meanwhile(serve: Serve, store_url: str) -> None:
    waiting = """
        import asyncio
        from tornado_cc import Plugin

        plugin = Plugin("slow")

        @plugin.cloud_function("slow")
        async def slow(call):
            await call.store.objects("Note").create({"n": 1}, object_id="n1")
            for _ in range(1000):
                if await call.store.objects("Done").count():
                    return await call.store.objects("Note").count()
                await asyncio.sleep(0.01)
    """
    served = await recording(serve, {"slow": waiting}, store_url)
    await served.store.objects.insert("Done", "d1", {})
    record = await function(served, "slow")
    await served.store.objects.delete("Done", "d1")
    await served.store.objects.delete("Note", "n1")
    replaying = asyncio.create_task(again(served, record, dry_run=True))
    await asyncio.sleep(0.5)
    await served.store.objects.insert("Note", "n2", {})
    await served.store.objects.insert("Done", "d2", {})
    # The dry run sees what others write, and its own on top of it.
    assert said(await replaying) == {"success": 2}
    assert [one["objectId"] for one in await served.store.objects.find("Note")] == ["n2"]
