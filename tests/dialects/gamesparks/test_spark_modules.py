"""Modules: shared between scripts, put off to run later, and run by the clock (rows 93 to 95)."""

import asyncio
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from tests.dialects.gamesparks.test_spark import CONF, HEAD, failures, run, script, scripted
from tests.serving import Serve, Served
from tornado_cc.core import clock

MODULE = """
@plugin.job("M")
def module(call):
    spark = Spark(call)
    player = spark.getPlayer()
    facts = [spark.getData(), player and player.getPlayerId(), call.attempt]
    call.log.info("module", extra={"facts": facts})
"""


def facts(served: Served) -> list[Any]:
    return [vars(record)["facts"] for record in served.logged("module")]


async def until_run(served: Served, count: int) -> list[Any]:
    async with asyncio.timeout(15):
        while len(facts(served)) < count:
            await asyncio.sleep(0.01)
    return facts(served)


async def jobs(served: Served) -> list[Any]:
    """The jobs there are, the oldest first."""
    return list(reversed(await served.store.deliveries.find(kind="job")))


async def test_row_93_a_module_is_loaded_once_also_when_two_need_each_other(
    serve: Serve, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "row_93_prices.py").write_text(
        "import row_93_items\nLOADED = []\nLOADED.append('prices')\n"
        "def price_of(item):\n    return row_93_items.PRICES[item]\n"
    )
    (tmp_path / "row_93_items.py").write_text(
        "import row_93_prices\nPRICES = {'sword': 5}\n"
        "def cheapest():\n    return min(map(row_93_prices.price_of, PRICES))\n"
    )
    monkeypatch.syspath_prepend(tmp_path)
    body = (
        "import row_93_items, row_93_prices\nfrom row_93_prices import LOADED, price_of\n"
        "spark = Spark(call)\nspark.setScriptData('loaded', LOADED)\n"
        "spark.setScriptData('price', price_of(spark.getData().item))\n"
        "spark.setScriptData('cheapest', row_93_items.cheapest())\n"
    )
    served = await scripted(serve, script(body))
    for _ in range(2):
        answer = await run(served, query="item=sword")
        assert answer.json() == {"loaded": ["prices"], "price": 5, "cheapest": 5}


async def test_row_94_a_module_runs_later_with_its_data_and_the_same_player(serve: Serve) -> None:
    body = (
        "Spark(call).setScriptData('done', Spark(call).getScheduler().inSeconds('M', 1, {'x': 1}))"
    )
    served = await scripted(serve, script(body) + MODULE)
    await served.know("p1")
    began = asyncio.get_running_loop().time()
    assert (await run(served, "p1")).json() == {"done": True}
    assert await until_run(served, 1) == [[{"x": 1}, "p1", 1]]
    assert asyncio.get_running_loop().time() - began >= 1


async def test_row_94_a_module_runs_though_the_script_fails_after_it(serve: Serve) -> None:
    body = "Spark(call).getScheduler().inSeconds('M', 0)\nraise RuntimeError('no luck')"
    served = await scripted(serve, script(body) + MODULE)
    assert (await run(served)).status == 500
    assert await until_run(served, 1) == [[{}, None, 1]]


async def test_row_94_a_module_may_put_itself_off(serve: Serve) -> None:
    again = (
        "\n@plugin.job('AGAIN')\n"
        "def again(call):\n"
        "    spark = Spark(call)\n"
        "    left = spark.getData().left\n"
        "    call.log.info('module', extra={'facts': left})\n"
        "    if left > 0:\n"
        "        spark.getScheduler().inSeconds('AGAIN', 0, {'left': left - 1}, 'again')\n"
    )
    body = "Spark(call).getScheduler().inSeconds('AGAIN', 0, {'left': 2}, 'again')"
    served = await scripted(serve, script(body) + again)
    await run(served)
    assert await until_run(served, 3) == [2, 1, 0]


async def test_a_key_is_replaced_and_cancelled(serve: Serve) -> None:
    body = (
        "spark = Spark(call)\nscheduler = spark.getScheduler()\ndata = spark.getData()\n"
        "if data.cancel:\n    scheduler.cancel('k-' + data.cancel)\n"
        "else:\n    scheduler.inSeconds('M', float(data.seconds), {'x': data.x}, 'k-' + data.key)\n"
    )
    served = await scripted(serve, script(body) + MODULE)
    for query in ("seconds=60&x=1&key=a", "seconds=60&x=2&key=b", "seconds=0.2&x=3&key=a"):
        assert (await run(served, query=query)).status == 200
    assert (await run(served, query="cancel=b")).status == 200
    assert await until_run(served, 1) == [[{"x": "3"}, None, 1]]
    await served.until_idle()
    assert [one.state for one in await jobs(served)] == ["discarded", "discarded", "done"]


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        ("'NOBODY', 1, {}", "no plugin has a job 'NOBODY'"),
        ("'M', -1, {}", "a delay is 0 to 365 days"),
        ("'M', '1', {}", "a delay is a number of seconds"),
        ("'M', 1, {'a': {1}}", "value['a'] is a set"),
        ("'M', 1, {'password': 'hunter2'}", "its payload holds a secret"),
        ("'M', 1, {}, ''", "the key of a job is a text that is not empty"),
    ],
)
async def test_what_cannot_be_scheduled_is_an_error_at_once(
    serve: Serve, arguments: str, words: str
) -> None:
    body = f"Spark(call).getScheduler().inSeconds({arguments})"
    served = await scripted(serve, script(body) + MODULE)
    assert (await run(served)).status == 500
    assert words in failures(served)[0]
    assert await jobs(served) == []


@pytest.mark.parametrize(
    ("every", "jump", "on"),
    [
        ("minute", timedelta(minutes=1), ("second", "microsecond")),
        ("hour", timedelta(hours=1), ("minute", "second", "microsecond")),
        ("day", timedelta(days=1), ("hour", "minute", "second", "microsecond")),
    ],
)
async def test_row_95_a_system_script_runs_on_the_minute_the_hour_and_at_midnight(
    serve: Serve,
    monkeypatch: pytest.MonkeyPatch,
    every: str,
    jump: timedelta,
    on: tuple[str, ...],
) -> None:
    source = HEAD + (
        f"@plugin.every({every!r})\n"
        "def system(call):\n"
        "    spark = Spark(call)\n"
        "    spark.setScriptData('unheard', True)\n"
        "    left = spark.getRemainingMilliseconds() > 0\n"
        "    facts = [spark.getData(), spark.getPlayer(), left, call.due_at]\n"
        "    call.log.info('module', extra={'facts': facts})\n"
    )
    served = await scripted(serve, source, CONF)
    # Its first due time is the one that comes next.
    await asyncio.sleep(0.2)
    monkeypatch.setattr(clock, "utc_now", lambda: datetime.now(UTC) + jump)
    data, player, left, due = (await until_run(served, 1))[0]
    assert (data, player, left) == ({}, None, True)
    assert [getattr(due, name) for name in on] == [0] * len(on)
    assert due.tzinfo is UTC
