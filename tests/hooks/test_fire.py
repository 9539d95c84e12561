"""Running one implementation: always within its deadline, always to a value."""

import asyncio
import functools
import math
import threading
import time
from collections.abc import AsyncIterator, Callable
from pathlib import Path
from typing import Any

import pytest

from tests.hooks import making
from tests.hooks.making import implementation
from tornado_cc.core.call import TriggerCall
from tornado_cc.core.errors import Failure, HookExit, Refusal
from tornado_cc.core.json_value import NotJson
from tornado_cc.core.message import Headers, Request
from tornado_cc.hooks import App, Fired, Runner, inline, install
from tornado_cc.outbound import HttpClient
from tornado_cc.settings import HooksSettings, OutboundSettings, Settings


@pytest.fixture
async def runner(tmp_path: Path) -> AsyncIterator[Runner]:
    install(asyncio.get_running_loop())
    settings = HooksSettings(deadline=0.2, deadlines={"after_save": 0.05}, threads=2)
    made = making.runner(tmp_path, settings, HttpClient(OutboundSettings()))
    yield made
    made.close()


async def fire(runner: Runner, function: Callable[..., Any], hook: str = "before_save") -> Fired:
    one = implementation("tested", "A", hook=hook, function=function)
    return await runner.run(one, App("tested", Settings(), one.log))


def cause(fired: Fired) -> str:
    assert isinstance(fired.refusal, Failure)
    return fired.refusal.log


async def test_an_async_hook_is_awaited(runner: Runner) -> None:
    async def hook(call: App) -> str:
        await asyncio.sleep(0)
        return call.plugin

    assert (await fire(runner, hook)).value == "tested"


async def test_a_plain_hook_runs_in_a_thread_of_its_own(runner: Runner) -> None:
    fired = await fire(runner, lambda call: threading.current_thread())
    assert fired.value is not threading.main_thread()
    assert fired.value.daemon


async def test_an_inline_hook_runs_on_the_loop(runner: Runner) -> None:
    @inline
    def hook(call: App) -> object:
        return asyncio.get_running_loop()

    assert (await fire(runner, hook)).value is asyncio.get_running_loop()


async def test_inline_is_refused_on_an_async_function() -> None:
    async def hook(call: App) -> None: ...

    with pytest.raises(TypeError, match="is async"):
        inline(hook)


async def test_a_partial_and_a_callable_object_are_recognised_as_async(runner: Runner) -> None:
    async def hook(answer: int, call: App) -> int:
        return answer

    class Hook:
        async def __call__(self, call: App) -> int:
            return 2

    assert (await fire(runner, functools.partial(hook, 1))).value == 1
    assert (await fire(runner, Hook())).value == 2


async def test_what_a_plain_hook_returns_may_be_awaited(runner: Runner) -> None:
    async def later() -> str:
        return str(asyncio.get_running_loop() is loop)

    loop = asyncio.get_running_loop()
    assert (await fire(runner, lambda call: later())).value == "True"


async def test_a_refusal_is_a_value_and_not_a_failure(runner: Runner) -> None:
    async def hook(call: App) -> None:
        raise Refusal("no", code=7)

    refusal = (await fire(runner, hook)).refusal
    assert refusal is not None
    assert not isinstance(refusal, Failure)
    assert (refusal.message, refusal.code) == ("no", 7)


@pytest.mark.parametrize(
    "error", [ValueError("x"), SystemExit(3), KeyboardInterrupt(), GeneratorExit(), StopIteration()]
)
async def test_every_exception_becomes_a_failure_with_an_id(
    runner: Runner, error: BaseException
) -> None:
    async def in_task(call: App) -> None:
        raise error

    def in_thread(call: App) -> None:
        raise error

    for hook in (in_task, in_thread, inline(lambda call: in_thread(call))):
        fired = await fire(runner, hook)
        assert cause(fired).startswith("raised ")
        assert isinstance(fired.refusal, Failure)
        assert fired.refusal.message == f"internal error (id {fired.refusal.error_id})"


async def test_a_plain_hook_may_exit_as_if_it_had_returned_nothing(runner: Runner) -> None:
    def deeper() -> None:
        try:
            raise HookExit
        except Exception as error:
            raise AssertionError from error

    def hook(call: App) -> str:
        deeper()
        return "after"

    for one in (hook, inline(lambda call: hook(call))):
        fired = await fire(runner, one)
        assert (fired.value, fired.refusal) == (None, None)


async def test_a_hook_knows_how_much_time_it_has_left(runner: Runner) -> None:
    call = TriggerCall(
        dialect="store",
        hook="before_save",
        claim=("A",),
        request=Request("", "", "", Headers(), b""),
        trigger="beforeSave",
        class_name="A",
    )

    async def hook(call: TriggerCall) -> list[float]:
        first = call.remaining
        await asyncio.sleep(0.01)
        return [first, call.remaining]

    assert call.remaining == math.inf
    one = implementation("tested", "A", function=hook)
    first, second = (await runner.run(one, call.given_to("tested", Settings(), one.log))).value
    assert 0.2 >= first > second > 0
    assert call.remaining == math.inf


async def test_the_deadline_is_answered_without_awaiting_the_cancelled_task(
    runner: Runner,
) -> None:
    cancelled = asyncio.Event()
    release = asyncio.Event()

    async def hook(call: App) -> None:
        try:
            await asyncio.sleep(30)
        except asyncio.CancelledError:
            cancelled.set()
            await release.wait()

    fired = await fire(runner, hook)
    assert isinstance(fired.refusal, Failure)
    assert fired.refusal.timed_out
    assert cause(fired) == "passed its deadline of 0.2 s"
    await cancelled.wait()
    release.set()


async def test_each_kind_of_hook_may_have_its_own_deadline(runner: Runner) -> None:
    async def hook(call: App) -> None:
        await asyncio.sleep(0.1)

    assert (await fire(runner, hook, "before_save")).refusal is None
    assert cause(await fire(runner, hook, "after_save")) == "passed its deadline of 0.05 s"


async def test_a_thread_stuck_beyond_its_deadline_is_replaced_at_once(runner: Runner) -> None:
    release = threading.Event()

    def stuck(call: App) -> None:
        release.wait(10)

    # The pool has two threads: without replacement the third would find none.
    fired = await asyncio.gather(*(fire(runner, stuck) for _ in range(4)))
    assert all(isinstance(one.refusal, Failure) for one in fired)
    assert (await fire(runner, lambda call: "served")).value == "served"
    release.set()


async def test_time_in_the_queue_counts_and_what_is_late_never_starts(runner: Runner) -> None:
    started: list[float] = []

    def slow(call: App) -> None:
        started.append(time.monotonic())
        time.sleep(0.15)

    fired = await asyncio.gather(*(fire(runner, slow) for _ in range(6)))
    late = [one for one in fired if one.refusal is not None]
    assert len(late) >= 2
    await asyncio.sleep(0.3)
    assert len(started) <= 4


async def test_an_unanswerable_value_is_the_plugins_failure(runner: Runner) -> None:
    def settle(given: App, value: object) -> object:
        raise NotJson("value is a set, which JSON cannot carry")

    one = implementation("tested", "A", function=inline(lambda call: {1}))
    fired = await runner.run(one, App("tested", Settings(), one.log), settle)
    assert cause(fired).endswith("cannot be answered: value is a set, which JSON cannot carry")


async def test_a_plain_wrapper_of_an_async_function_runs_in_a_thread(runner: Runner) -> None:
    async def wrapped(call: App) -> str:
        return "awaited"

    @functools.wraps(wrapped)
    def wrapper(call: App) -> Any:
        return wrapped(call) if call.plugin == "tested" else "cached"

    assert (await fire(runner, wrapper)).value == "awaited"


async def test_the_callers_own_cancellation_passes_through(runner: Runner) -> None:
    async def hook(call: App) -> None:
        await asyncio.sleep(30)

    task = asyncio.create_task(fire(runner, hook))
    await asyncio.sleep(0.01)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task


async def test_what_is_awaited_for_a_plain_hook_has_the_awaitable_client(runner: Runner) -> None:
    async def later(call: App) -> str:
        return type(call.http).__name__

    assert (await fire(runner, lambda call: later(call))).value == "BoundHttp"


async def test_what_an_inline_hook_returns_may_be_awaited(runner: Runner) -> None:
    async def later() -> str:
        return "awaited"

    assert (await fire(runner, inline(lambda call: later()))).value == "awaited"


async def test_a_traceback_begins_with_the_plugins_own_code(
    runner: Runner, caplog: pytest.LogCaptureFixture
) -> None:
    def fails(call: App) -> None:
        raise ValueError("mine")

    await fire(runner, fails)
    (record,) = [one for one in caplog.records if one.getMessage() == "hook failed"]
    assert record.exc_info is not None
    trace = record.exc_info[1].__traceback__ if record.exc_info[1] else None
    assert trace is not None
    assert trace.tb_frame.f_code.co_name == "fails"
