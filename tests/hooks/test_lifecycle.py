"""Plugins open what they need before the server listens and close it when it has drained."""

import asyncio
from pathlib import Path

import pytest

from tests.serving import PARSE, Serve, read_answer, write_conf
from tornado_cc.server import Server, StartError, build

LIFE = """
    from tornado_cc import Plugin, Settings
    class Mine(Settings):
        greeting: str = "hi"
    plugin = Plugin("life", settings=Mine)
    @plugin.on_start
    async def start(app):
        app.log.info("start %s", app.settings.greeting)
    @plugin.on_stop()
    def stop(app):
        app.log.info("stop")
        raise RuntimeError("late")
"""


async def test_on_start_comes_before_listening_and_on_stop_after_draining(serve: Serve) -> None:
    served = await serve(f"{PARSE}\n[plugin:life]\ngreeting = hello\n", {"life": LIFE})
    await served.server.stop()
    told = [record.getMessage() for record in served.records]
    assert told.index("start hello") < told.index("listening")
    assert told.index("draining") < told.index("stop") < told.index("stopped")
    assert served.fired == ["on_start (life)", "on_stop (life)"]


async def test_a_failing_on_start_keeps_the_server_from_listening(tmp_path: Path) -> None:
    source = """
        from tornado_cc import Plugin
        plugin = Plugin("life")
        @plugin.on_start
        async def start(app):
            raise RuntimeError("no database")
    """
    server = Server(build(write_conf(tmp_path, PARSE, {"life": source}), {}))
    with pytest.raises(StartError, match=r"plugin life: on_start .* raised RuntimeError"):
        await server.start()
    assert server.addresses == []


SLOW = """
    import asyncio
    from tornado_cc import Plugin
    plugin = Plugin("slow")
    @plugin.cloud_function("slow")
    async def slow(call):
        await asyncio.sleep(0.3)
        return "done"
    @plugin.after_save("A")
    async def after(call):
        await asyncio.sleep(0.3)
        call.log.info("after done")
"""


async def test_a_drain_finishes_what_runs_and_says_that_the_connection_ends(serve: Serve) -> None:
    served = await serve(PARSE, {"slow": SLOW})
    head = {"X-Parse-Webhook-Key": "test-key"}
    running = asyncio.create_task(
        served.request("POST", "/webhooks/functions/slow", head, b'{"params": {}}')
    )
    saved = {"object": {"className": "A"}}
    assert await served.webhook("/triggers/A/afterSave", saved) == {}
    await asyncio.sleep(0.05)
    await served.server.stop()
    answer = await running
    assert answer.json() == {"success": "done"}
    assert answer.header("Connection") == "close"
    assert served.logged("after done")


async def test_what_outlasts_the_drain_is_counted_and_answered(serve: Serve) -> None:
    served = await serve(f"{PARSE}\n[server]\ndrain_timeout = 0.05\n", {"slow": SLOW})
    head = {"X-Parse-Webhook-Key": "test-key"}
    running = asyncio.create_task(
        served.request("POST", "/webhooks/functions/slow", head, b'{"params": {}}')
    )
    await asyncio.sleep(0.05)
    await served.server.stop()
    assert (await running).json() == {"error": "The server is stopping"}
    (record,) = served.logged("calls lost at the stop")
    assert vars(record)["calls"] == 1


async def test_a_drain_waits_for_a_request_that_is_still_arriving(serve: Serve) -> None:
    served = await serve(PARSE, {"slow": SLOW})
    reader, writer = await asyncio.open_connection("127.0.0.1", served.port)
    body = b'{"params": {}}'
    head = "POST /webhooks/functions/slow HTTP/1.1\r\nHost: x\r\nX-Parse-Webhook-Key: test-key\r\n"
    writer.write(f"{head}Content-Length: {len(body)}\r\n\r\n".encode() + body[:5])
    await asyncio.sleep(0.05)
    stopping = asyncio.create_task(served.server.stop())
    await asyncio.sleep(0.1)
    writer.write(body[5:])
    assert (await read_answer(reader)).json() == {"success": "done"}
    await stopping
    writer.close()
