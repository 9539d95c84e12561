"""A server from its start to its end: what a signal does, and what it writes meanwhile."""

import json
import signal
from http.client import HTTPConnection
from pathlib import Path
from typing import Any

import pytest

from tests.cli.running import Running, serving

TEXT = "[server]\n{more}\n[dialect:parse]\nwebhook_key = CANARY-q41\n[log]\nlevel = debug\n"
SLOW = """
import asyncio
from pathlib import Path
from tornado_cc import Plugin

plugin = Plugin("slow")

@plugin.cloud_function("slow")
async def slow(call):
    call.log.info("slow began")
    while not Path(call.params["until"]).exists():
        await asyncio.sleep(0.01)
    return "done"

@plugin.cloud_function("noisy")
def noisy(call):
    call.log.info("first\\nsecond %s", "x" * 200, extra={"fact": "a\\nb", "where": Path("p")})
    call.log.info("%d", "CANARY-q41")
    call.log.info("surrogate \\udce9", extra={"big": 2**70, "nan": float("nan")})
    call.log.info("key is CANARY-q41 or %s", "434e41")
    raise ValueError("CANARY-q41 does not fit")

@plugin.on_stop
def ended(app): app.log.info("on_stop ran")
"""


def ask(connection: HTTPConnection, name: str, params: dict[str, Any] | None = None) -> None:
    """Send a call without waiting for its answer."""
    connection.request(
        "POST",
        f"/webhooks/functions/{name}",
        json.dumps({"params": params or {}, "master": False, "functionName": name}),
        {"X-Parse-Webhook-Key": "CANARY-q41", "Content-Type": "application/json"},
    )


def answer(connection: HTTPConnection) -> Any:
    """The JSON of the answer."""
    response = connection.getresponse()
    return response.status, json.loads(response.read())


def begin_slow_call(running: Running, until: Path) -> HTTPConnection:
    """A call that is being run and ends when the file is there."""
    connection = running.connect()
    ask(connection, "slow", {"until": str(until)})
    running.wait_for("slow began")
    return connection


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_signal_lets_the_running_call_finish(tmp_path: Path, number: signal.Signals) -> None:
    with serving(tmp_path, TEXT.format(more=""), {"slow": SLOW}) as running:
        connection = begin_slow_call(running, tmp_path / "go")
        running.signal(number)
        running.wait_for('"draining"')
        assert running.popen.poll() is None
        (tmp_path / "go").touch()
        assert answer(connection) == (200, {"success": "done"})
        connection.close()
        assert running.end() == 0
        assert not running.logged("calls lost at the stop")
        assert running.logged("on_stop ran")


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_signal_ends_an_idle_server(tmp_path: Path, number: signal.Signals) -> None:
    with serving(tmp_path, TEXT.format(more="")) as running:
        connection = running.connect()
        running.signal(number)
        assert running.end() == 0
        assert "Traceback" not in running.stderr
        connection.close()


def test_a_draining_server_says_that_it_is_not_ready_and_takes_nobody_new(tmp_path: Path) -> None:
    with serving(tmp_path, TEXT.format(more=""), {"slow": SLOW}) as running:
        kept = running.connect()
        kept.request("GET", "/readyz")
        assert answer(kept) == (200, {"status": "ready"})
        connection = begin_slow_call(running, tmp_path / "go")
        running.signal(signal.SIGTERM)
        running.wait_for('"draining"')
        with pytest.raises(ConnectionRefusedError):
            running.connect()
        kept.request("GET", "/readyz")
        response = kept.getresponse()
        assert (response.status, response.getheader("Connection")) == (503, "close")
        assert json.loads(response.read()) == {"status": "draining"}
        (tmp_path / "go").touch()
        assert answer(connection)[0] == 200
        assert running.end() == 0
        kept.close()
        connection.close()


def test_a_call_that_outlasts_the_drain_is_answered_and_given_up(tmp_path: Path) -> None:
    with serving(tmp_path, TEXT.format(more="drain_timeout = 0.2"), {"slow": SLOW}) as running:
        connection = begin_slow_call(running, tmp_path / "never")
        running.signal(signal.SIGTERM)
        status, body = answer(connection)
        assert (status, body) == (200, {"error": "The server is stopping"})
        assert running.end() == 0
        assert running.logged("calls lost at the stop")[0]["calls"] == 1
        assert running.logged("on_stop ran")
        connection.close()


def test_a_second_signal_ends_the_drain(tmp_path: Path) -> None:
    with serving(tmp_path, TEXT.format(more=""), {"slow": SLOW}) as running:
        connection = begin_slow_call(running, tmp_path / "never")
        running.signal(signal.SIGTERM)
        running.wait_for('"draining"')
        running.signal(signal.SIGTERM)
        assert running.end() == 0
        connection.close()


def test_every_line_of_the_log_is_json_without_a_secret(tmp_path: Path) -> None:
    with serving(tmp_path, TEXT.format(more=""), {"slow": SLOW}) as running:
        connection = running.connect()
        ask(connection, "noisy")
        assert "internal error" in answer(connection)[1]["error"]
        connection.close()
        running.signal(signal.SIGTERM)
        assert running.end() == 0
        lines = running.lines
    assert all({"time", "level", "logger", "message"} <= set(line) for line in lines)
    noisy = [line for line in lines if line["logger"] == "tornado_cc.plugin.slow"]
    assert noisy[0]["message"] == f"first\nsecond {'x' * 200}"
    assert (noisy[0]["fact"], noisy[0]["where"]) == ("a\nb", "PosixPath('p')")
    assert noisy[1]["message"].startswith("%d")
    assert (noisy[2]["message"], noisy[2]["big"]) == ("surrogate \\udce9", str(2**70))
    assert noisy[3]["message"] == "key is [redacted] or 434e41"
    assert "CANARY" not in running.stderr


def test_the_log_for_people_has_one_line_for_a_record(tmp_path: Path) -> None:
    text = TEXT.format(more="") + "format = human\n"
    with serving(tmp_path, text, {"slow": SLOW}) as running:
        port = running.stderr.rpartition("address=127.0.0.1:")[2].split()[0]
        connection = HTTPConnection("127.0.0.1", int(port))
        ask(connection, "noisy")
        answer(connection)
        connection.close()
        running.signal(signal.SIGTERM)
        assert running.end() == 0
        stderr = running.stderr
    records = [line for line in stderr.splitlines() if not line.startswith("    ")]
    (noisy,) = [line for line in records if "second" in line]
    assert noisy.endswith(
        rf"INFO tornado_cc.plugin.slow: first\nsecond {'x' * 200}"
        r" fact=a\nb where=p"
    )
    assert all(line.startswith("20") for line in records)
    assert "ValueError: [redacted] does not fit" in stderr
    assert "CANARY" not in stderr
    assert "\x1b" not in stderr


def test_a_skipped_optional_plugin_is_in_the_log(tmp_path: Path) -> None:
    plugins = {"slow": SLOW, "broken": "import nosuch_module"}
    text = TEXT.format(more="") + (
        "[plugins]\ndir = plugins.d\nenable = slow, broken\noptional = broken\n"
    )
    with serving(tmp_path, text, plugins) as running:
        (line,) = [line for line in running.lines if line["message"].startswith("skipped, since")]
    assert line["level"] == "warning"
    assert "nosuch_module" in line["message"]


ENDS = """
    import asyncio, sys, threading, time
    from tornado_cc import Plugin
    plugin = Plugin("ends")

    async def exiting():
        sys.exit(7)

    @plugin.cloud_function("end")
    async def end(call):
        loop = asyncio.get_running_loop()
        how = call.params["how"]
        if how == "callback":
            loop.call_soon(sys.exit, 3)
        if how == "done":
            task = asyncio.create_task(asyncio.sleep(0))
            task.add_done_callback(lambda _: sys.exit(4))
        if how == "thread":
            run = asyncio.run_coroutine_threadsafe
            threading.Thread(target=lambda: run(exiting(), loop)).start()
        if how == "stop":
            loop.stop()
        await asyncio.sleep(0.05)
        return "still here"

    @plugin.cloud_function("stubborn")
    async def stubborn(call):
        while True:
            try:
                await asyncio.sleep(3600)
            except asyncio.CancelledError:
                pass

    @plugin.cloud_function("stuck")
    async def stuck(call):
        await asyncio.to_thread(time.sleep, 3600)

    @plugin.cloud_function("tell")
    async def tell(call):
        secret = call.params["password"]
        def boom():
            call.log.warning("in a thread %s", secret)
            raise ValueError(call.settings, secret)
        threading.Thread(target=boom).start()
        asyncio.get_running_loop().call_soon(boom)
        await asyncio.to_thread(call.log.warning, "in the executor %s", secret)
        await asyncio.sleep(0.05)
"""
ENDING = TEXT.format(more="") + (
    "[hooks]\ndeadline = 0.2\n[plugins]\ndir = plugins.d\nenable = ends\n"
)


@pytest.mark.parametrize("how", ["callback", "done", "thread", "stop"])
def test_nothing_a_plugin_does_to_the_loop_ends_the_process(tmp_path: Path, how: str) -> None:
    with serving(tmp_path, ENDING, {"ends": ENDS}) as running:
        connection = running.connect()
        for _ in range(2):
            ask(connection, "end", {"how": how})
            assert answer(connection) == (200, {"success": "still here"})
        connection.close()
        running.signal(signal.SIGTERM)
        assert running.end() == 0


@pytest.mark.parametrize("name", ["stubborn", "stuck"])
def test_what_goes_on_regardless_is_left_behind_at_the_stop(tmp_path: Path, name: str) -> None:
    with serving(tmp_path, ENDING, {"ends": ENDS}) as running:
        connection = running.connect()
        ask(connection, name)
        assert "internal error" in answer(connection)[1]["error"]
        connection.close()
        running.signal(signal.SIGTERM)
        assert running.end() == 0
        assert running.logged("a plugin's task or thread goes on and is left behind")


def test_an_executor_that_was_used_and_is_idle_is_nothing_left_behind(tmp_path: Path) -> None:
    with serving(tmp_path, ENDING, {"ends": ENDS}) as running:
        connection = running.connect()
        ask(connection, "tell", {"password": "long enough"})
        assert answer(connection) == (200, {"success": None})
        connection.close()
        running.signal(signal.SIGTERM)
        assert running.end() == 0
        assert running.lines[-1]["message"] == "stopped"


def test_a_secret_is_masked_in_threads_and_callbacks_of_a_plugins_own(tmp_path: Path) -> None:
    with serving(tmp_path, ENDING, {"ends": ENDS}) as running:
        connection = running.connect()
        ask(connection, "tell", {"password": "CANARY-q42"})
        assert answer(connection) == (200, {"success": None})
        connection.close()
        running.wait_for("in the executor [redacted]")
        running.wait_for("in a thread [redacted]")
        running.wait_for("a thread failed")
        assert "CANARY" not in running.stderr


def test_at_its_first_start_it_says_nothing_that_is_not_its_own(tmp_path: Path) -> None:
    with serving(tmp_path, TEXT.format(more=""), {"slow": SLOW}) as running:
        running.wait_for('"listening"')
        assert {line["logger"].partition(".")[0] for line in running.lines} == {"tornado_cc"}
