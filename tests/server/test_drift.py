"""A running server looks whether its webhooks are registered; `/readyz` says how that is."""

import asyncio
from collections.abc import Callable, Mapping
from typing import Any

from tests.hooks_api import HooksApi
from tests.serving import Serve, Served

ROOT = "https://cc.example/webhooks"
HOOKS = """
from tornado_cc import Plugin

plugin = Plugin("two")

@plugin.cloud_function("hello")
async def hello(call): ...

@plugin.before_save("Review")
async def check(call): ...
"""


def conf(api: HooksApi, more: str = "") -> str:
    return f"""
        [dialect:parse]
        webhook_key = test-key
        [parse_server]
        url = {api.url}
        application_id = app
        master_key = CANARY-4711
        public_url = https://cc.example
        keep_hooks_every = 1
        {more}
        """


async def page(served: Served) -> Mapping[str, Any]:
    answer = await served.request("GET", "/readyz")
    assert answer.status == 200
    found: Mapping[str, Any] = answer.json()
    return found


async def until_it_says(served: Served, fact: str) -> None:
    async with asyncio.timeout(20):
        while (await page(served)) != {"status": "ready", "parse_hooks": fact}:
            await asyncio.sleep(0.02)


async def until(is_so: Callable[[], bool]) -> None:
    async with asyncio.timeout(20):
        while not is_so():
            await asyncio.sleep(0.02)


async def test_what_has_drifted_is_told_and_left_as_it_is(
    serve: Serve, hooks_api: HooksApi
) -> None:
    hooks_api.hooks = {("hello",): "https://other.example/", ("old",): f"{ROOT}/functions/old"}
    served = await serve(conf(hooks_api), {"two": HOOKS})
    await until_it_says(served, "1 missing, 1 registered elsewhere, 1 of no plugin")
    assert hooks_api.written == []
    (line,) = served.logged("registered webhooks")
    assert line.levelname == "WARNING"


async def test_what_is_missing_is_registered_and_what_is_anothers_is_not(
    serve: Serve, hooks_api: HooksApi
) -> None:
    hooks_api.hooks = {("hello",): "https://other.example/"}
    served = await serve(conf(hooks_api, "keep_hooks = on"), {"two": HOOKS})
    await until_it_says(served, "1 registered elsewhere")
    assert hooks_api.hooks == {
        ("hello",): "https://other.example/",
        ("Review", "beforeSave"): f"{ROOT}/triggers/Review/beforeSave",
    }
    (line,) = served.logged("webhooks registered again")
    assert vars(line)["hooks"] == ["trigger Review beforeSave"]
    hooks_api.hooks["hello",] = f"{ROOT}/functions/hello"
    await until_it_says(served, "registered")


async def test_what_is_registered_is_told_again_every_time(
    serve: Serve, hooks_api: HooksApi
) -> None:
    served = await serve(conf(hooks_api, "keep_hooks = on"), {"two": HOOKS})
    await until_it_says(served, "registered")
    await until(lambda: hooks_api.written.count("PUT functions/hello") >= 2)
    assert hooks_api.at_once == 1


async def test_of_two_servers_on_one_store_one_at_a_time_registers(
    serve: Serve, hooks_api: HooksApi
) -> None:
    first = await serve(conf(hooks_api, "keep_hooks = on"), {"two": HOOKS})
    drift = first.server._drift
    assert drift is not None
    await until_it_says(first, "registered")
    await first.server.drain()
    # Both looks are after the turn that the server itself had.
    await asyncio.sleep(1)
    del hooks_api.asked[:]
    await asyncio.gather(*(drift.look() for _ in range(5)))
    assert sorted(hooks_api.written) == ["PUT functions/hello", "PUT triggers/Review/beforeSave"]


async def test_one_that_cannot_be_asked_is_unknown_until_it_can(
    serve: Serve, hooks_api: HooksApi
) -> None:
    hooks_api.down = 502
    served = await serve(conf(hooks_api, "keep_hooks = on"), {"two": HOOKS})
    await until_it_says(served, "unknown: the Parse Server cannot be asked")
    await until(lambda: len(hooks_api.asked) > 2)
    assert len(served.logged("registered webhooks")) == 1
    hooks_api.down = 0
    await until_it_says(served, "registered")
    assert "CANARY" not in str([vars(record) for record in served.records])


async def test_what_is_refused_is_logged(serve: Serve, hooks_api: HooksApi) -> None:
    hooks_api.refused.add(("hello",))
    served = await serve(conf(hooks_api, "keep_hooks = on"), {"two": HOOKS})
    await until_it_says(served, "1 missing")
    line = served.logged("webhook not registered")[0]
    facts = vars(line)
    assert (facts["webhook"], facts["cause"]) == ("function hello", "Internal server error.")


async def test_without_a_public_url_nothing_is_looked_at(serve: Serve, hooks_api: HooksApi) -> None:
    text = conf(hooks_api).replace("public_url = https://cc.example", "")
    served = await serve(text, {"two": HOOKS})
    assert await page(served) == {"status": "ready"}
    assert hooks_api.asked == []
