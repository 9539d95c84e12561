"""Schedules in a server, from the due time to the end of the run."""

import asyncio
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from tests.flows.test_deliveries import until_state
from tests.serving import PARSE, Serve, Served, write_conf
from tests.store.opened import make_tables
from tornado_cc.core import clock
from tornado_cc.core.json_value import parse
from tornado_cc.flows import BadSchedules
from tornado_cc.server import build

TICKS = """
import asyncio
import time

from tornado_cc import Plugin, ScheduleCall

plugin = Plugin("ticks")


def told(call: ScheduleCall) -> None:
    facts = {name: getattr(call, name) for name in FACTS}
    call.log.info("tick", extra={"facts": facts})


FACTS = ("name", "due_at", "user_id", "master", "player", "attempt", "delivery_id", "hook")
"""
EVERY = """
@plugin.every(1)
async def tick(call: ScheduleCall) -> None:
    told(call)
    await call.store.objects("Tick").create({"due": call.due_at})
"""
PLAIN = """
@plugin.every(1, name="plain one")
def tick(call: ScheduleCall) -> None:
    told(call)
    call.store.objects("Tick").create({"due": call.due_at})
"""
SLOW = """
running = []

@plugin.every(1)
async def tick(call: ScheduleCall) -> None:
    told(call)
    running.append(1)
    assert len(running) == 1, "two at once"
    await asyncio.sleep(2.2)
    running.pop()
"""
FAILS = """
@plugin.every(1)
async def tick(call: ScheduleCall) -> None:
    told(call)
    raise RuntimeError("broken")
"""
YEARLY = """
@plugin.every("@yearly")
async def tick(call: ScheduleCall) -> None:
    told(call)
    if call.attempt == 1:
        raise RuntimeError("broken")
"""


def facts(served: Served) -> list[dict[str, Any]]:
    return [vars(record)["facts"] for record in served.logged("tick")]


async def ticks(served: Served, count: int) -> list[dict[str, Any]]:
    """What the runs were given, once there are so many."""
    async with asyncio.timeout(30):
        while len(facts(served)) < count:
            await asyncio.sleep(0.02)
    return facts(served)


@pytest.mark.parametrize(("source", "name"), [(EVERY, "tick"), (PLAIN, "plain one")])
async def test_a_schedule_runs_whenever_it_is_due(
    serve: Serve, store_url: str, source: str, name: str
) -> None:
    await make_tables(store_url)
    conf = f"{PARSE}[store]\nurl = {store_url}\n"
    served = await serve(conf, {"ticks": TICKS + source})
    found = await ticks(served, 3)
    assert {(one["name"], one["hook"]) for one in found} == {(name, "on_schedule")}
    assert {(one["user_id"], one["player"], one["master"]) for one in found} == {(None, None, True)}
    times = [one["due_at"] for one in found]
    assert times == sorted(set(times))
    assert all(one.tzinfo is UTC and one.microsecond == 0 for one in times)
    assert len({one["delivery_id"] for one in found}) == len(found)
    assert served.fired[0] == f"on_schedule ticks.{name} (ticks)"
    await served.server.stop()
    await served.again()
    made = await served.store.objects.find("Tick")
    assert len(made) >= 3


async def test_no_two_runs_of_one_schedule_run_at_the_same_time(serve: Serve) -> None:
    served = await serve(PARSE, {"ticks": TICKS + SLOW})
    await ticks(served, 3)
    assert served.logged("hook failed") == []
    left_out = served.logged("schedule still runs, so its next run is left out")
    assert {vars(one)["schedule"] for one in left_out} == {"ticks tick"}


async def test_a_run_that_cannot_be_tried_again_before_the_next_is_given_up(serve: Serve) -> None:
    served = await serve(PARSE, {"ticks": TICKS + FAILS})
    dead = await until_state(served, "dead", 2)
    assert {(one.kind, one.attempts, one.failures[0]["error"]) for one in dead} == {
        ("schedule", 1, "raised RuntimeError: broken")
    }
    assert {one["attempt"] for one in facts(served)} == {1}


async def test_one_that_can_is_and_a_clock_that_jumps_is_noticed(
    serve: Serve, monkeypatch: pytest.MonkeyPatch
) -> None:
    served = await serve(f"{PARSE}[deliveries]\nretry = 1s\n", {"ticks": TICKS + YEARLY})
    await asyncio.sleep(0.1)
    jump = timedelta(days=400)
    monkeypatch.setattr(clock, "utc_now", lambda: datetime.now(UTC) + jump)
    (done,) = await until_state(served, "done")
    assert (done.attempts, [one["error"] for one in done.failures]) == (
        2,
        ["raised RuntimeError: broken"],
    )
    due_at = datetime.fromisoformat(parse(done.payload.encode())["due_at"])
    assert timedelta(0) <= clock.utc_now() - due_at < timedelta(days=366)
    assert [one["due_at"] for one in facts(served)] == [due_at] * 2


async def test_nothing_is_made_any_more_while_a_server_drains(serve: Serve) -> None:
    source = TICKS + EVERY + "\n@plugin.cloud_function('slow')\nasync def slow(call):\n"
    served = await serve(PARSE, {"ticks": f"{source}    await asyncio.sleep(2.5)\n"})
    await ticks(served, 1)
    asked = asyncio.create_task(served.webhook("/functions/slow", {"params": {}}))
    await asyncio.sleep(0.2)
    await served.server.drain()
    assert await asked == {"success": None}
    made = await served.store.deliveries.find(kind="schedule")
    assert len(made) <= len(facts(served)) + 1


@pytest.mark.parametrize(
    ("when", "why"),
    [("60 * * * *", "Bad minute"), ("0 0 */31 * 1#2", "no such day comes in fifty years")],
)
def test_every_schedule_that_is_never_due_is_named_at_the_start(
    tmp_path: Path, when: str, why: str
) -> None:
    source = f"{TICKS}\n@plugin.every('{when}')\ndef tick(call): ...\n"
    other = 'from tornado_cc import Plugin\nplugin = Plugin("other")\n'
    other += '@plugin.every("* * 99 * *")\ndef tock(call): ...\n'
    conf = write_conf(tmp_path, PARSE, {"ticks": source, "other": other})
    with pytest.raises(BadSchedules) as raised:
        build(conf, {})
    assert str(raised.value).splitlines() == [
        'plugin other: tornado_cc_file_other.tock is to run every "* * 99 * *": Bad day-of-month',
        f'plugin ticks: tornado_cc_file_ticks.tick is to run every "{when}": {why}',
    ]


def test_a_schedule_needs_no_dialect_to_fire_it(tmp_path: Path) -> None:
    conf = write_conf(tmp_path, PARSE, {"ticks": TICKS + EVERY})
    assert build(conf, {}).warnings() == []
