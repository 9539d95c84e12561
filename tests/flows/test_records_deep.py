"""Writes that lead to writes: as deep as anybody means it, and not without an end."""

import asyncio

import pytest

from tests.flows.writing import WATCHER, WRITING, plain, seen, started, stored, write
from tests.serving import Serve, Served
from tornado_cc.flows.records import MAX_DEPTH

ENDLESS = """
from tornado_cc import Plugin

plugin = Plugin("endless")


@plugin.{hook}("Thing")
{kind} again(call):
    {wait} call.store.objects("Thing").create({{"depth": call.depth}})
"""
KINDS = pytest.mark.parametrize(("kind", "wait"), [("async def", "await"), ("def", "")])


async def until(served: Served, message: str) -> None:
    async with asyncio.timeout(10):
        while not served.logged(message):
            await asyncio.sleep(0.005)


@KINDS
async def test_an_after_hook_that_saves_its_own_class_comes_to_an_end_and_the_log_names_it(
    serve: Serve, kind: str, wait: str
) -> None:
    endless = ENDLESS.format(hook="after_save", kind=kind, wait=wait)
    served = await started(serve, endless=endless)
    assert plain(await write(served, "create", {"depth": 0})) == {"depth": 0}
    await until(served, "delivery failed")
    (ended,) = served.logged("delivery failed")
    facts = vars(ended)
    assert (facts["levelname"], facts["plugin"]) == ("WARNING", "endless")
    assert facts["cause"] == (
        "Hooks store objects whose hooks store objects, 8 times over; the last wrote to class Thing"
    )
    depths = sorted(one["depth"] for one in await stored(served))
    assert depths == list(range(MAX_DEPTH))
    fired = await served.until_fired(MAX_DEPTH + 1)
    assert sorted(fired) == [*["after_save Thing (endless)"] * MAX_DEPTH, WRITING]


@KINDS
async def test_a_before_hook_that_saves_its_own_class_is_refused_to_the_outermost_writer(
    serve: Serve, kind: str, wait: str
) -> None:
    endless = ENDLESS.format(hook="before_save", kind=kind, wait=wait)
    served = await started(serve, endless=endless)
    told = await write(served, "create", {})
    assert (told["refused"], told["code"]) == ("TooDeep", 141)
    assert told["message"].endswith("to class Thing")
    assert await stored(served) == []
    assert served.fired == [*["before_save Thing (endless)"] * MAX_DEPTH, WRITING]


async def test_removing_what_removes_the_next_ends_as_well(serve: Serve) -> None:
    served = await started(
        serve,
        endless="""
        from tornado_cc import Plugin

        plugin = Plugin("endless")

        @plugin.before_delete("Thing")
        async def again(call):
            await call.store.objects("Thing").delete(call.object["objectId"])
        """,
    )
    await served.server.store.objects.insert("Thing", "t1", {})
    assert (await write(served, "delete", "t1"))["refused"] == "TooDeep"
    assert len(await stored(served)) == 1


async def test_what_is_as_deep_as_allowed_may_write_where_no_hook_is(serve: Serve) -> None:
    served = await started(
        serve,
        deep="""
        from tornado_cc import Plugin, TooDeep

        plugin = Plugin("deep")

        @plugin.after_save("Thing")
        async def again(call):
            try:
                await call.store.objects("Thing").create({})
            except TooDeep:
                await call.store.objects("Quiet").create({"depth": call.depth})
                call.log.info("quiet now")
        """,
    )
    await write(served, "create", {})
    await until(served, "quiet now")
    assert await stored(served, "Quiet") == [{"depth": MAX_DEPTH}]


async def test_hooks_whose_writes_have_hooks_are_fine(serve: Serve) -> None:
    served = await started(
        serve,
        watcher=WATCHER,
        chain="""
        from tornado_cc import Plugin

        plugin = Plugin("chain")

        @plugin.before_save("Order")
        async def check(call):
            thing = await call.store.objects("Thing").create({"of": "order"})
            call.object["thing"] = thing["objectId"]

        @plugin.after_save("Order")
        async def book(call):
            await call.store.objects("Entry").create({"thing": call.object["thing"]})

        @plugin.after_save("Entry")
        async def count(call):
            await call.store.objects("Thing").update(call.object["thing"], {"booked": call.depth})
        """,
    )
    made = await write(served, "create", {}, of="Order")
    await served.until_fired(8)
    assert sorted(served.fired) == sorted(
        [
            *["before_save Thing (watcher)", "after_save Thing (watcher)"] * 2,
            *["before_save Order (chain)", "after_save Order (chain)"],
            *["after_save Entry (chain)", WRITING],
        ]
    )
    assert await stored(served) == [{"of": "order", "booked": 2}]
    assert [one["objectId"] for one in await served.server.store.objects.find("Thing")] == [
        made["thing"]
    ]
    assert sorted(one["depth"] for one in seen(served)) == [2, 2, 3, 3]


OPENING = """
from tornado_cc import Plugin

plugin = Plugin("opening")


@plugin.{moment}
{kind} write(app):
    made = {wait} app.store.objects("Thing").create({{"n": 1}})
    assert made["marked"]


@plugin.before_save("Thing")
async def mark(call):
    call.object["marked"] = True
    call.log.info("in whose name", extra={{"who": (call.user_id, call.depth, call.dialect)}})
"""


@KINDS
@pytest.mark.parametrize("moment", ["on_start", "on_stop"])
async def test_what_is_written_at_the_start_and_at_the_stop_fires_hooks_too(
    serve: Serve, moment: str, kind: str, wait: str
) -> None:
    opening = OPENING.format(moment=moment, kind=kind, wait=wait)
    served = await started(serve, opening=opening, watcher=WATCHER)
    if moment == "on_stop":
        await served.server.stop()
        assert served.fired[2:] == ["on_stop (opening)"]
        # Its after-hook is promised; the next server keeps the promise.
        await served.again()
    fired = (await served.until_fired(4))[:4]
    assert fired[:2] == ["before_save Thing (opening)", "before_save Thing (watcher)"]
    assert sorted(fired[2:]) == ["after_save Thing (watcher)", f"{moment} (opening)"]
    (record,) = served.logged("in whose name")
    assert vars(record)["who"] == (None, 1, "store")
    assert plain(seen(served)[-1]["object"]) == {"n": 1, "marked": True}


LEAVING = """
import asyncio
from tornado_cc import Plugin

plugin = Plugin("leaving")


@plugin.on_stop
async def write(app):
    await app.store.objects("Thing").create({})


@plugin.after_save("Thing")
async def tell(call):
    await asyncio.sleep(SECONDS)
    await call.store.objects("Next").create({})


@plugin.after_save("Next")
async def tell_more(call):
    await call.store.objects("Last").count()
"""


async def test_what_was_written_while_it_stopped_is_told_of_by_the_next_server(
    serve: Serve,
) -> None:
    served = await started(serve, leaving=LEAVING.replace("SECONDS", "0.2"))
    await served.server.stop()
    assert served.fired == ["on_stop (leaving)"]
    await served.again()
    assert (await served.until_fired(3))[1:] == [
        "after_save Thing (leaving)",
        "after_save Next (leaving)",
    ]


async def test_a_stop_gives_back_what_takes_longer_than_the_drain(serve: Serve) -> None:
    conf = "[server]\ndrain_timeout = 0.2\n"
    served = await started(serve, conf, leaving=LEAVING.replace("SECONDS", "30"))
    await write(served, "create", {})
    await served.until_running(1)
    await served.server.stop()
    assert served.fired == [WRITING, "on_stop (leaving)"]
    (given_back,) = served.logged("deliveries given back at the stop")
    assert vars(given_back)["deliveries"] == 1
    await served.again()
    await served.until_running(2)
    _, delivery = await served.store.deliveries.find(state="running")
    assert delivery.attempts == 2
    assert [one["error"] for one in delivery.failures] == ["the server stopped during this attempt"]
