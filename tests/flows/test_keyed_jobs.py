"""Jobs known by a key: put off anew they take the place of the old one, or need not run at all."""

import asyncio
from typing import Any

import pytest

from tests.flows.test_deliveries import FAST, until_state
from tests.flows.test_jobs import facts, jobs, noted
from tests.flows.writing import started_on, write
from tests.serving import PARSE, Serve, Served
from tests.store.opened import make_tables
from tornado_cc.store.lanes import lane

KEYED = """
import asyncio

from tornado_cc import App, Plugin

plugin = Plugin("keyed")
starting = asyncio.Event()
going_on = asyncio.Event()


def options(call):
    return {name: call.params[name] for name in ("delay", "key") if name in call.params}


@plugin.cloud_function("later")
async def later(call):
    return await call.later(call.params.get("job", "note"), call.params.get("n"), **options(call))


@plugin.cloud_function("plainly")
def plainly(call):
    call.later("note", "first", delay=60, key="k")
    call.later("note", "second", delay=60, key="k")
    call.cancel_later("k")
    return call.later("note", "third", key="k")


@plugin.cloud_function("cancel")
async def cancel(call):
    return await call.cancel_later(call.params["key"])


@plugin.cloud_function("goOn")
async def go_on(call):
    going_on.set()


@plugin.cloud_function("running")
async def running(call):
    await starting.wait()


@plugin.job("note")
async def note(call):
    call.log.info("noted", extra={"facts": {"params": call.params, "delivery": call.delivery_id}})


@plugin.job("slow")
async def slow(call):
    starting.set()
    await going_on.wait()
    call.log.info("noted", extra={"facts": {"params": "slow"}})


@plugin.job("again")
async def again(call):
    # As a script does that runs every so often.
    if call.params < 3:
        await call.later("again", call.params + 1, delay=0.05, key="loop")
    call.log.info("noted", extra={"facts": {"params": call.params}})


@plugin.job("broken")
async def broken(call):
    call.log.info("noted", extra={"facts": {"params": call.params}})
    raise RuntimeError("broken")
"""
OTHER = KEYED.replace('Plugin("keyed")', 'Plugin("other")').replace('("later")', '("laterToo")')
SAVING = """
from tornado_cc import Plugin, Refusal

plugin = Plugin("saving")


@plugin.before_save("Thing")
async def put_off(call):
    await call.later("note", f"before {call.object.get('n')}", delay=60, key="thing")
    if call.object.get("cancelled"):
        await call.cancel_later("thing")
    if call.object.get("refused"):
        raise Refusal("No")
"""


async def keyed(serve: Serve, conf: str = PARSE) -> Served:
    return await serve(conf, {"keyed": KEYED})


async def later(served: Served, **params: Any) -> Any:
    return await served.webhook("/functions/later", {"params": params})


async def cancel(served: Served, key: Any) -> Any:
    return await served.webhook("/functions/cancel", {"params": {"key": key}})


async def states(served: Served) -> list[tuple[str, str]]:
    """State and payload of every job, the oldest first."""
    return [(one.state, one.payload) for one in reversed(await jobs(served))]


async def test_a_job_takes_the_place_of_the_one_with_its_key_that_waits(serve: Serve) -> None:
    served = await keyed(serve)
    first = await later(served, n=1, delay=60, key="k")
    other = await later(served, n=2, delay=60, key="k2")
    second = await later(served, n=3, key="k")
    assert len({first["success"], other["success"], second["success"]}) == 3
    assert await noted(served) == [{"params": 3, "delivery": second["success"]}]
    await served.until_idle()
    found = {one.id: one.state for one in await jobs(served)}
    assert found == {first["success"]: "discarded", other["success"]: "ready"} | {
        second["success"]: "done"
    }


async def test_one_that_is_cancelled_does_not_run(serve: Serve) -> None:
    served = await keyed(serve)
    await later(served, n=1, delay=5, key="k")
    assert await cancel(served, "k") == {"success": None}
    await later(served, n=2, delay=5.5, key="k2")
    assert [one["params"] for one in await noted(served)] == [2]
    await served.until_idle()
    assert [state for state, _ in await states(served)] == ["discarded", "done"]


async def test_there_may_be_none_to_cancel(serve: Serve) -> None:
    served = await keyed(serve)
    assert await cancel(served, "nobody's") == {"success": None}
    await later(served, n=1, key="k")
    await noted(served)
    await served.until_idle()
    assert await cancel(served, "k") == {"success": None}
    assert [state for state, _ in await states(served)] == ["done"]


async def test_a_key_may_be_used_again_when_its_job_is_done(serve: Serve) -> None:
    served = await keyed(serve)
    for number in range(3):
        await later(served, n=number, key="k")
        await noted(served, number + 1)
    assert [one["params"] for one in facts(served)] == [0, 1, 2]


async def test_one_that_runs_goes_on_and_the_next_waits_for_it(serve: Serve) -> None:
    served = await keyed(serve)
    await later(served, job="slow", key="k")
    await served.webhook("/functions/running", {})
    await cancel(served, "k")
    await later(served, n=1, key="k")
    await later(served, n=2, key="k")
    assert [state for state, _ in await states(served)] == ["running", "discarded", "waiting"]
    assert facts(served) == []
    await served.webhook("/functions/goOn", {})
    assert [one["params"] for one in await noted(served, 2)] == ["slow", 2]


async def test_a_job_may_put_itself_off_by_its_own_key(serve: Serve) -> None:
    served = await keyed(serve)
    await later(served, job="again", n=1, key="loop")
    assert [one["params"] for one in await noted(served, 3)] == [1, 2, 3]
    await served.until_idle()
    assert {state for state, _ in await states(served)} == {"done"}


async def test_one_that_failed_and_would_be_tried_again_gives_way(serve: Serve) -> None:
    served = await keyed(serve, PARSE + "[deliveries]\nretry = 1h\njitter = 0\n")
    await later(served, job="broken", n=1, key="k")
    await noted(served)
    async with asyncio.timeout(10):
        while [state for state, _ in await states(served)] != ["ready"]:
            await asyncio.sleep(0.01)
    await later(served, n=2, key="k")
    assert [one["params"] for one in await noted(served, 2)] == [1, 2]
    await served.until_idle()
    assert [state for state, _ in await states(served)] == ["discarded", "done"]


async def test_what_fails_for_good_lets_the_next_come(serve: Serve) -> None:
    served = await keyed(serve, PARSE + FAST)
    await later(served, job="broken", n=1, key="k")
    (dead,) = await until_state(served, "dead")
    assert dead.lane == lane("job keyed|k")
    await later(served, n=2, key="k")
    assert (await noted(served, 4))[-1]["params"] == 2


async def test_each_plugin_has_keys_of_its_own(serve: Serve) -> None:
    # Jobs and functions have one owner; the other plugin puts off jobs of the first.
    other = OTHER[: OTHER.index('@plugin.cloud_function("plainly")')]
    served = await serve(PARSE, {"keyed": KEYED, "other": other})
    await later(served, n=1, delay=60, key="k")
    body = {"params": {"n": 2, "delay": 60, "key": "k"}}
    await served.webhook("/functions/laterToo", body)
    assert [state for state, _ in await states(served)] == ["ready", "ready"]
    assert {one.plugin for one in await jobs(served)} == {"keyed"}
    await cancel(served, "k")
    assert [state for state, _ in await states(served)] == ["discarded", "ready"]


async def test_a_plain_function_does_it_without_await(serve: Serve) -> None:
    served = await keyed(serve)
    answer = await served.webhook("/functions/plainly", {"params": {}})
    assert await noted(served) == [{"params": "third", "delivery": answer["success"]}]
    await served.until_idle()
    assert [state for state, _ in await states(served)] == ["discarded", "discarded", "done"]


async def test_a_plugin_does_it_when_it_starts_and_stops(serve: Serve) -> None:
    source = KEYED + (
        "\n@plugin.on_start\nasync def begin(app: App):\n"
        "    await app.later('note', 'start', delay=60, key='k')\n"
        "\n@plugin.on_stop\ndef end(app: App):\n    app.cancel_later('k')\n"
    )
    served = await serve(PARSE, {"keyed": source})
    assert [state for state, _ in await states(served)] == ["ready"]
    await cancel(served, "k")
    await later(served, n=1, delay=60, key="k")
    await served.server.stop()
    await served.again()
    assert [state for state, _ in await states(served)] == ["discarded", "discarded", "ready"]


@pytest.mark.parametrize(
    ("key", "cause"),
    [
        ("", "the key of a job is a text that is not empty, not ''"),
        (7, "the key of a job is a text that is not empty, not 7"),
        ("the key is test-key", "the key of a job is a secret"),
        ("r:0123456789abcdef0123456789abcdef", "the key of a job is a secret"),
    ],
)
async def test_a_key_that_makes_no_sense_is_a_failure_at_once(
    serve: Serve, key: Any, cause: str
) -> None:
    served = await keyed(serve)
    for answer in (await later(served, n=1, key=key), await cancel(served, key)):
        assert answer["error"].startswith("internal error (id ")
    causes = [str(line.exc_info and line.exc_info[1]) for line in served.logged("hook failed")]
    assert [cause in one for one in causes] == [True, True]
    assert await jobs(served) == []


@pytest.mark.parametrize("key", ["ä\u0000\n", "x" * 10_000, "'; DROP TABLE deliveries; --", "%|"])
async def test_any_text_is_a_key(serve: Serve, key: str) -> None:
    served = await keyed(serve)
    await later(served, n=1, delay=60, key=key)
    await later(served, n=2, delay=60, key=key)
    await cancel(served, key)
    assert [state for state, _ in await states(served)] == ["discarded", "discarded"]


async def saving(serve: Serve, url: str) -> Served:
    return await started_on(serve, url, keyed=KEYED, saving=SAVING)


async def test_in_a_before_hook_it_is_done_with_the_object(serve: Serve, store_url: str) -> None:
    served = await saving(serve, store_url)
    for number in (1, 2):
        await write(served, "create", {"n": number})
    assert [state for state, _ in await states(served)] == ["discarded", "ready"]
    await write(served, "create", {"n": 3, "refused": True})
    assert [state for state, _ in await states(served)] == ["discarded", "ready"]
    await write(served, "create", {"n": 4, "refused": True, "cancelled": True})
    assert [state for state, _ in await states(served)] == ["discarded", "ready"]
    await write(served, "create", {"n": 5, "cancelled": True})
    found = await states(served)
    assert [state for state, _ in found] == ["discarded"] * 3
    assert ["before 5" in payload for _, payload in found] == [False, False, True]


async def test_many_at_once_leave_one_that_waits(serve: Serve, store_url: str) -> None:
    await make_tables(store_url)
    served = await keyed(serve, f"{PARSE}[store]\nurl = {store_url}\n")
    await asyncio.gather(*(later(served, n=number, delay=60, key="k") for number in range(20)))
    assert sorted(state for state, _ in await states(served)) == ["discarded"] * 19 + ["ready"]
