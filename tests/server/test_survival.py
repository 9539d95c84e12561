"""A server outlives its plugins: each misdeed gets a clear answer and the next request works."""

import re

import pytest

from tests.serving import PARSE, Serve

MISCHIEF = """
    import asyncio, sys, time
    from tornado_cc import Plugin, Refusal, inline

    plugin = Plugin("mischief")

    @plugin.cloud_function("raises")
    async def raises(call):
        raise RuntimeError("boom")

    @plugin.cloud_function("raisesInThread")
    def raises_in_thread(call):
        raise StopIteration

    @plugin.cloud_function("exits")
    async def exits(call):
        sys.exit("bye")

    @plugin.cloud_function("exitsInThread")
    def exits_in_thread(call):
        sys.exit("bye")

    @plugin.cloud_function("exitsInline")
    @inline
    def exits_inline(call):
        sys.exit("bye")

    @plugin.cloud_function("exitsInTask")
    async def exits_in_task(call):
        async def exit():
            sys.exit("bye")
        task = asyncio.create_task(exit())
        await asyncio.sleep(0.01)
        return type(task.exception()).__name__

    @plugin.cloud_function("interrupts")
    async def interrupts(call):
        raise KeyboardInterrupt

    @plugin.cloud_function("cancels")
    async def cancels(call):
        raise asyncio.CancelledError

    @plugin.cloud_function("cancelsItself")
    async def cancels_itself(call):
        asyncio.current_task().cancel()
        await asyncio.sleep(1)

    @plugin.cloud_function("ignoresCancellation")
    async def ignores_cancellation(call):
        for _ in range(20):
            try:
                await asyncio.sleep(0.2)
            except asyncio.CancelledError:
                pass

    @plugin.cloud_function("sleepsInThread")
    def sleeps_in_thread(call):
        time.sleep(1)

    @plugin.cloud_function("returnsSet")
    async def returns_set(call):
        return {1, 2}

    @plugin.cloud_function("returnsNan")
    async def returns_nan(call):
        return {"deep": [float("nan")]}

    @plugin.cloud_function("recurses")
    async def recurses(call):
        value = []
        value.append(value)
        return value

    @plugin.cloud_function("refuses")
    async def refuses(call):
        raise Refusal("Not today")

    @plugin.cloud_function("works")
    async def works(call):
        return "still here"
"""
CONF = f"{PARSE}\n[hooks]\ndeadline = 0.3\n"


@pytest.mark.parametrize(
    "name",
    [
        "raises",
        "raisesInThread",
        "exits",
        "exitsInThread",
        "exitsInline",
        "interrupts",
        "cancels",
        "cancelsItself",
        "ignoresCancellation",
        "sleepsInThread",
        "returnsSet",
        "returnsNan",
        "recurses",
    ],
)
async def test_a_misdeed_is_answered_with_an_error_id_and_the_next_request_works(
    serve: Serve, name: str
) -> None:
    served = await serve(CONF, {"mischief": MISCHIEF})
    answer = await served.webhook(f"/functions/{name}", {})
    assert re.fullmatch(r"internal error \(id [0-9a-f]{12}\)", answer["error"])
    (record,) = served.logged("hook failed")
    facts = vars(record)
    assert facts["plugin"] == "mischief"
    assert facts["error_id"] in answer["error"]
    assert facts["cause"]
    assert await served.webhook("/functions/works", {}) == {"success": "still here"}


async def test_a_task_that_a_plugin_made_cannot_end_the_process(serve: Serve) -> None:
    served = await serve(CONF, {"mischief": MISCHIEF})
    assert await served.webhook("/functions/exitsInTask", {}) == {"success": "PluginExit"}
    assert await served.webhook("/functions/works", {}) == {"success": "still here"}


async def test_a_refusal_is_shown_and_is_no_failure(serve: Serve) -> None:
    served = await serve(CONF, {"mischief": MISCHIEF})
    assert await served.webhook("/functions/refuses", {}) == {"error": "Not today"}
    assert served.logged("hook failed") == []


async def test_a_wrong_key_runs_no_hook(serve: Serve) -> None:
    served = await serve(CONF, {"mischief": MISCHIEF})
    answer = await served.webhook("/functions/works", {}, {"X-Parse-Webhook-Key": "wrong"})
    assert answer == {"error": "Request Unauthorized"}
    assert served.fired == []
