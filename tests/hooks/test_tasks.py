"""The task in which a hook runs."""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Callable, Coroutine
from contextvars import ContextVar
from pathlib import Path
from typing import Any

import pytest

from tests.hooks import making
from tests.hooks.making import implementation
from tornado_cc.core.errors import Failure
from tornado_cc.hooks import App, Fired, Runner, install
from tornado_cc.hooks.tasks import running_plugin
from tornado_cc.outbound import HttpClient
from tornado_cc.settings import HooksSettings, OutboundSettings, Settings

Hook = Callable[[App], Coroutine[Any, Any, Any]]
VARIABLE: ContextVar[str] = ContextVar("variable", default="untouched")


@pytest.fixture
async def runner(tmp_path: Path) -> AsyncIterator[Runner]:
    install(asyncio.get_running_loop())
    settings = HooksSettings(deadline=0.2, threads=2)
    made = making.runner(tmp_path, settings, HttpClient(OutboundSettings()))
    yield made
    made.close()


async def fire(runner: Runner, function: Hook) -> Fired:
    one = implementation("tested", "A", hook="before_save", function=function)
    return await runner.run(one, App("tested", Settings(), one.log))


async def test_a_hook_has_a_task_of_its_own_from_its_first_step_on(runner: Runner) -> None:
    async def hook(call: App) -> list[object]:
        tasks = [asyncio.current_task()]
        await asyncio.sleep(0)
        return [*tasks, asyncio.current_task()]

    first, later = (await fire(runner, hook)).value
    assert first is later
    assert first not in (None, asyncio.current_task())


async def test_a_timeout_that_is_set_in_the_first_step_ends_the_hook_and_not_its_caller(
    runner: Runner,
) -> None:
    async def hook(call: App) -> str:
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(0.01):
                await asyncio.Event().wait()
        return "went on"

    assert (await fire(runner, hook)).value == "went on"


async def test_what_a_hook_sets_in_its_context_stays_there(runner: Runner) -> None:
    async def hook(call: App) -> str:
        VARIABLE.set("touched")
        await asyncio.sleep(0)
        return VARIABLE.get()

    assert (await fire(runner, hook)).value == "touched"
    assert VARIABLE.get() == "untouched"


@pytest.mark.parametrize("then", ["returns", "waits", "obeys"])
async def test_a_hook_that_cancels_its_own_task_has_failed(runner: Runner, then: str) -> None:
    async def hook(call: App) -> None:
        task = asyncio.current_task()
        assert task is not None
        task.cancel()
        if then == "waits":
            await asyncio.sleep(0)
        if then == "obeys":
            raise asyncio.CancelledError

    refusal = (await fire(runner, hook)).refusal
    assert isinstance(refusal, Failure)
    assert refusal.log == "cancelled itself"


async def test_a_caller_that_is_cancelled_at_once_cancels_what_the_hook_waits_for(
    runner: Runner,
) -> None:
    seen: list[str] = []
    waited_for = asyncio.get_running_loop().create_future()

    async def hook(call: App) -> None:
        try:
            await waited_for
        except asyncio.CancelledError:
            seen.append("cancelled")
            raise

    async def caller() -> None:
        asyncio.get_running_loop().call_soon(calling.cancel)
        await fire(runner, hook)

    calling = asyncio.create_task(caller())
    with pytest.raises(asyncio.CancelledError):
        await calling
    await asyncio.sleep(0)
    await asyncio.sleep(0)
    assert seen == ["cancelled"]
    assert waited_for.cancelled()


async def test_the_watchdog_finds_the_plugin_while_a_hook_has_the_loop_and_nobody_after_it(
    runner: Runner,
) -> None:
    async def hook(call: App) -> str | None:
        return running_plugin()

    assert (await fire(runner, hook)).value == "tested"
    assert running_plugin() is None


async def test_a_hook_cannot_end_the_process(runner: Runner) -> None:
    async def hook(call: App) -> None:
        raise SystemExit(3)

    assert isinstance((await fire(runner, hook)).refusal, Failure)
