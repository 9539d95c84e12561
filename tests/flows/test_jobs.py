"""What hooks put off: on the disk before they go on, run on its own, in the same name."""

import asyncio
from typing import Any

import pytest
from sqlalchemy import text

from tests.flows.test_deliveries import FAST, until_failed, until_state
from tests.flows.writing import WRITER, called, started_on, stored, write
from tests.serving import KEY, PARSE, Serve, Served
from tests.store.opened import make_tables
from tornado_cc.store.deliveries import Delivery

PUTS_OFF = """
from datetime import timedelta

from tornado_cc import App, FunctionCall, JobCall, Plugin, Refusal

plugin = Plugin("off")
KINDS = {"timedelta": timedelta(hours=1), "set": {1}, "nan": float("nan"), "text": "5"}


def real(value):
    return KINDS.get(value, value) if isinstance(value, str) else value


@plugin.cloud_function("later")
async def later(call: FunctionCall) -> str:
    args = [real(one) for one in call.params["args"]]
    return await call.later(*args, delay=real(call.params.get("delay", 0)))


@plugin.cloud_function("plainly")
def plainly(call: FunctionCall) -> str:
    return call.later("note", {"plain": True}, delay=0.2)


@plugin.job("note")
async def note(call: JobCall) -> None:
    facts = {
        "name": call.name,
        "params": call.params,
        "who": (call.user_id, call.client, call.master, call.dialect),
        "player": call.player and call.player.id,
        "delivery": call.delivery_id,
        "attempt": call.attempt,
        "depth": call.depth,
        "asked": (call.request.path, call.request.body),
    }
    call.log.info("noted", extra={"facts": facts})


@plugin.job("fail")
async def fail(call: JobCall) -> None:
    call.log.info("noted", extra={"facts": {"attempt": call.attempt}})
    if call.params == "refuse":
        raise Refusal("I will not")
    raise RuntimeError("broken")


@plugin.job("plain")
def plain(call: JobCall) -> None:
    call.store.objects("Note").create({"n": call.params})
    call.later("note", call.params)
"""

WRITES = """
import asyncio

from tornado_cc import Plugin, Refusal

plugin = Plugin("writes")
tasks = []


@plugin.before_save("Thing", tryfirst=True, on_timeout="allow")
async def first(call):
    if call.object.get("slow"):
        await call.later("note", "slow")
        await asyncio.sleep(60)
    if call.object.get("afterwards"):
        tasks.append(asyncio.create_task(on_its_own(call)))


async def on_its_own(call):
    await asyncio.sleep(0.2)
    await call.later("note", "afterwards")


@plugin.before_save("Thing")
@plugin.before_delete("Thing")
async def put_off(call):
    call.object["job"] = await call.later("note", call.object.get("n"))


@plugin.before_save("Thing", trylast=True)
@plugin.before_delete("Thing", trylast=True)
async def refuse(call):
    if call.object.get("refused"):
        raise Refusal("No")
"""


def facts(served: Served) -> list[dict[str, Any]]:
    return [vars(record)["facts"] for record in served.logged("noted")]


async def noted(served: Served, count: int = 1) -> list[Any]:
    """What the jobs were given, once there are so many."""
    async with asyncio.timeout(15):
        while len(facts(served)) < count:
            await asyncio.sleep(0.01)
    return facts(served)


async def later(served: Served, *args: Any, **body: Any) -> Any:
    """What the function answers that puts off."""
    params = {"args": args, **body.pop("params", {})}
    return await served.webhook("/functions/later", {"params": params, **body})


async def jobs(served: Served) -> list[Delivery]:
    return await served.store.deliveries.find(kind="job")


async def test_a_job_runs_with_what_it_was_given(serve: Serve) -> None:
    served = await serve(PARSE, {"off": PUTS_OFF})
    payload = {"a": [1, 2.5, None, "ä\u0000"], "b": {}}
    answer = await later(served, "note", payload)
    (one,) = await noted(served)
    assert (one["name"], one["params"]) == ("note", payload)
    assert (one["delivery"], one["attempt"]) == (answer["success"], 1)
    assert served.fired == ["cloud_function later (off)", "job note (off)"]
    await served.until_idle()
    (job,) = await jobs(served)
    assert (job.state, job.plugin, job.target, job.lane) == ("done", "off", "note", None)


async def test_a_job_may_be_given_nothing(serve: Serve) -> None:
    served = await serve(PARSE, {"off": PUTS_OFF})
    await later(served, "note")
    assert (await noted(served))[0]["params"] is None


async def test_a_job_runs_in_the_name_of_the_caller(serve: Serve) -> None:
    served = await serve(PARSE, {"off": PUTS_OFF})
    await served.know("u1")
    user = {"objectId": "u1", "sessionToken": "r:0123456789abcdef0123456789abcdef"}
    await later(served, "note", user=user, master=False, ip="192.0.2.7")
    await noted(served)
    await later(served, "note", master=True)
    first, second = await noted(served, 2)
    assert (first["who"], first["player"]) == (("u1", "192.0.2.7", False, "parse"), "u1")
    assert (second["who"][0], second["who"][2], second["player"]) == (None, True, None)
    assert all("r:0123" not in one.payload for one in await jobs(served))


async def test_a_job_knows_the_request_that_led_to_it_where_requests_are_kept(
    serve: Serve, store_url: str
) -> None:
    await make_tables(store_url)
    conf = f"{PARSE}[store]\nurl = {store_url}\n[journal]\nrecord = all\n"
    served = await serve(conf, {"off": PUTS_OFF})
    await later(served, "plain", "from a job")
    await later(served, "note", "from a function")
    asked = {one["params"]: one["asked"] for one in await noted(served, 2)}
    assert [path for path, _ in asked.values()] == ["/webhooks/functions/later"] * 2
    assert b'"plain"' in asked["from a job"][1]
    assert b'"note"' in asked["from a function"][1]


@pytest.mark.parametrize(
    ("delay", "milliseconds"),
    [(7, 7000), (7.25, 7250), ("timedelta", 3_600_000), (31_536_000, 31_536_000_000)],
)
async def test_a_job_is_due_after_its_delay(serve: Serve, delay: Any, milliseconds: int) -> None:
    served = await serve(PARSE, {"off": PUTS_OFF})
    answer = await later(served, "note", params={"delay": delay})
    job = await served.store.deliveries.get(answer["success"])
    assert job is not None
    assert (job.state, job.due_at - job.created_at) == ("ready", milliseconds)


async def test_a_job_does_not_run_before_it_is_due(serve: Serve) -> None:
    served = await serve(PARSE, {"off": PUTS_OFF})
    began = asyncio.get_running_loop().time()
    await later(served, "note", 1, params={"delay": 1})
    await later(served, "note", 2)
    assert [one["params"] for one in await noted(served, 2)] == [2, 1]
    assert asyncio.get_running_loop().time() - began >= 1


async def test_a_plain_function_puts_off_and_is_put_off_without_await(serve: Serve) -> None:
    served = await serve(PARSE, {"off": PUTS_OFF})
    answer = await served.webhook("/functions/plainly", {"params": {}})
    (one,) = await noted(served)
    assert (one["params"], one["delivery"]) == ({"plain": True}, answer["success"])
    await later(served, "plain", 5)
    assert (await noted(served, 2))[1]["params"] == 5
    assert [one["n"] for one in await served.store.objects.find("Note")] == [5]


@pytest.mark.parametrize(
    ("args", "delay", "cause"),
    [
        (["nobody"], 0, "no plugin has a job 'nobody'; @plugin.job declares one"),
        ([7], 0, "no plugin has a job 7"),
        (["note", "set"], 0, "job note cannot be put off: its payload: value is a set"),
        (["note", {"a": "x" * (1 << 20)}], 0, "its payload is larger than 1 MiB"),
        (["note", {"password": "hunter2"}], 0, "its payload holds a secret"),
        (["note", {"a": "the key is test-key"}], 0, "its payload holds a secret"),
        (["note", "r:0123456789abcdef0123456789abcdef"], 0, "its payload holds a secret"),
        (["note"], -1, "a delay is 0 to 365 days, not -1 seconds"),
        (["note"], 31_536_001, "a delay is 0 to 365 days"),
        (["note"], "nan", "a delay is 0 to 365 days, not nan"),
        (["note"], "text", "a delay is a number of seconds or a timedelta, not '5'"),
        (["note"], True, "a delay is a number of seconds or a timedelta, not True"),
    ],
)
async def test_what_cannot_be_put_off_is_a_failure_at_once(
    serve: Serve, args: list[Any], delay: Any, cause: str
) -> None:
    served = await serve(PARSE + "max_body = 4MiB\n", {"off": PUTS_OFF})
    answer = await later(served, *args, params={"delay": delay})
    assert answer["error"].startswith("internal error (id ")
    (line,) = served.logged("hook failed")
    assert line.exc_info is not None
    assert cause in str(line.exc_info[1])
    assert "hunter2" not in str(line.exc_info[1])
    assert await jobs(served) == []


async def test_a_job_that_fails_is_tried_again_and_then_given_up(serve: Serve) -> None:
    served = await serve(PARSE + FAST, {"off": PUTS_OFF})
    await later(served, "fail")
    (dead,) = await until_state(served, "dead")
    assert [one["attempt"] for one in facts(served)] == [1, 2, 3]
    assert [one["error"] for one in dead.failures] == ["raised RuntimeError: broken"] * 3
    assert len(served.logged("delivery is dead, `deliveries` shows and redrives it")) == 1


async def test_a_job_that_refuses_is_not_tried_again(serve: Serve) -> None:
    served = await serve(PARSE + FAST, {"off": PUTS_OFF})
    await later(served, "fail", "refuse")
    (done,) = await until_state(served, "done")
    assert (done.attempts, done.failures) == (1, [])
    (line,) = served.logged("a job refused, and is not tried again")
    assert vars(line)["refusal"] == "I will not"


async def test_a_job_survives_the_server(serve: Serve) -> None:
    served = await serve(PARSE, {"off": PUTS_OFF})
    answer = await later(served, "note", 1, params={"delay": 1})
    await served.server.stop()
    await served.again()
    (one,) = await noted(served)
    assert (one["delivery"], one["params"]) == (answer["success"], 1)


async def test_a_job_whose_plugin_is_gone_waits_for_it_to_come_back(serve: Serve) -> None:
    served = await serve(PARSE, {"off": PUTS_OFF})
    await later(served, "note", 1, params={"delay": 1})
    await served.server.stop()
    file = served.conf.parent / "plugins.d" / "off.py"
    file.write_text(PUTS_OFF.replace('job("note")', 'job("remark")'))
    await served.again()
    (job,) = await until_failed(served)
    assert [one["error"] for one in job.failures] == ["no plugin has a job note now"]
    await served.server.stop()
    file.write_text(PUTS_OFF)
    await served.again()
    await served.store.deliveries.retry(job.id)
    assert (await noted(served))[0]["params"] == 1


async def test_a_plugin_puts_off_when_it_starts_and_stops(serve: Serve) -> None:
    source = PUTS_OFF + (
        "\n@plugin.on_start\nasync def begin(app: App): await app.later('note', 'start')\n"
        "\n@plugin.on_stop\ndef end(app: App): app.later('note', 'stop')\n"
    )
    served = await serve(PARSE, {"off": source})
    (one,) = await noted(served)
    assert (one["params"], one["who"]) == ("start", (None, "", False, "store"))
    await served.server.stop()
    await served.again()
    told = await noted(served, 3)
    assert sorted(one["params"] for one in told) == ["start", "start", "stop"]


async def test_a_job_that_the_disk_does_not_take_is_refused(serve: Serve) -> None:
    served = await serve(PARSE, {"off": PUTS_OFF})
    await served.store.engine.write(lambda one: one.execute(text("DROP TABLE deliveries")), 10)
    answer = await later(served, "note")
    assert answer["error"].startswith("internal error")
    assert facts(served) == []


async def writing(serve: Serve, url: str) -> Served:
    return await started_on(serve, url, off=PUTS_OFF, writes=WRITES)


async def test_what_a_before_hook_puts_off_is_stored_with_the_object(
    serve: Serve, store_url: str
) -> None:
    served = await writing(serve, store_url)
    made = await write(served, "create", {"n": 1})
    (one,) = await noted(served)
    assert (one["params"], one["delivery"]) == (1, made["job"])
    changed = await write(served, "update", made["objectId"], {"n": 2})
    assert changed["job"] != made["job"]
    await write(served, "delete", made["objectId"])
    assert sorted(one["params"] for one in await noted(served, 3)) == [1, 2, 2]
    assert [one["depth"] for one in facts(served)] == [1, 1, 1]


async def test_a_save_that_is_refused_leaves_no_job(serve: Serve, store_url: str) -> None:
    served = await writing(serve, store_url)
    assert (await write(served, "create", {"refused": True}))["message"] == "No"
    await write(served, "create", {"n": 1}, object_id="t1")
    again = await write(served, "create", {"n": 2}, object_id="t1")
    assert again["refused"] == "DuplicateValue"
    await write(served, "update", "t1", {"refused": True})
    await write(served, "update", "t1", {"n": {"__op": "AddUnique", "objects": [1]}})
    await write(served, "update", "t1", {"n": 5}, where={"n": 7})
    await write(served, "delete", "t1", where={"n": 7})
    await noted(served)
    await served.until_idle()
    assert [one["params"] for one in facts(served)] == [1]
    assert len(await jobs(served)) == 1


async def test_a_save_whose_job_cannot_be_kept_is_none(serve: Serve, store_url: str) -> None:
    served = await writing(serve, store_url)
    rename = text("ALTER TABLE deliveries RENAME TO elsewhere")
    await served.store.engine.write(lambda one: one.execute(rename) and None, 10)
    answer = await served.webhook("", called("create", {"n": 1}))
    assert answer["error"].startswith("internal error")
    assert await stored(served) == []


async def test_what_a_hook_puts_off_that_is_passed_over_is_none(serve: Serve) -> None:
    conf = f"{PARSE}[hooks]\ndeadlines = before_save=0.3\n"
    served = await serve(conf, {"off": PUTS_OFF, "writes": WRITES, "writer": WRITER})
    made = await write(served, "create", {"n": 1, "slow": True})
    assert made["n"] == 1
    assert [one["params"] for one in await noted(served)] == [1]
    await served.until_idle()
    assert len(await jobs(served)) == 1


async def test_what_is_put_off_after_the_hook_has_ended_is_kept_on_its_own(serve: Serve) -> None:
    served = await serve(PARSE, {"off": PUTS_OFF, "writes": WRITES, "writer": WRITER})
    await write(served, "create", {"n": 1, "afterwards": True, "refused": True})
    assert [one["params"] for one in await noted(served)] == ["afterwards"]


async def test_a_before_hook_of_somebody_elses_object_does_not_wait_for_it(serve: Serve) -> None:
    served = await serve(PARSE, {"off": PUTS_OFF, "writes": WRITES})
    body = {"object": {"n": 1, "refused": True}}
    assert await served.webhook("/triggers/Thing/beforeSave", body, KEY) == {"error": "No"}
    assert [one["params"] for one in await noted(served)] == [1]


async def test_writes_and_jobs_that_lead_to_one_another_come_to_an_end(serve: Serve) -> None:
    source = PUTS_OFF + (
        "\n@plugin.job('again')\nasync def again(call):\n"
        "    await call.store.objects('Loop').create({})\n"
        "\n@plugin.after_save('Loop')\nasync def loop(call):\n    await call.later('again')\n"
    )
    served = await serve(PARSE + FAST, {"off": source})
    await later(served, "again")
    (dead,) = await until_state(served, "dead")
    assert dead.target == "again"
    assert await served.store.objects.count("Loop") == 8


async def test_one_that_waits_in_between_may_go_on_for_ever(serve: Serve) -> None:
    source = PUTS_OFF + (
        "\n@plugin.job('again')\nasync def again(call):\n"
        "    await call.store.objects('Loop').create({})\n"
        "\n@plugin.after_save('Loop')\nasync def loop(call):\n"
        "    await call.later('again', delay=0.01)\n"
    )
    served = await serve(PARSE + FAST, {"off": source})
    await later(served, "again")
    async with asyncio.timeout(30):
        while await served.store.objects.count("Loop") < 12:
            await asyncio.sleep(0.02)
    assert await served.store.deliveries.find(state="dead") == []
