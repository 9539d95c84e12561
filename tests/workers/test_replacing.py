"""Workers that have grown, served long enough or hang are replaced, and nobody notices."""

import asyncio
from pathlib import Path
from typing import Any

import pytest

from tests.serving import PARSE, Serve
from tests.workers.load import ECHO, Load, Unanswered, call
from tests.workers.site import Site

LIMITS = "max_memory = 256 MiB\nmax_requests = 400\n"
BLOCKS = "max_stall = 3"
HANGS = """
    import time
    from pathlib import Path
    from tornado_cc import Plugin
    plugin = Plugin("hangs")

    @plugin.cloud_function("hang")
    def hang(call):
        while not Path(__file__).with_name("go").exists():
            time.sleep(0.01)
"""
TWO_MAY = "\n[hooks]\ndeadline = 0.1\nstuck_threads = 2\n"
FAILS_AT_START = (
    ECHO
    + """
@plugin.on_start
def begin(app): raise OSError("no disk")
"""
)


async def test_a_worker_over_a_limit_serves_until_its_successor_is_ready(site: Site) -> None:
    await asyncio.to_thread(site.start, workers=2, more=LIMITS)
    # One may hang in each of two; of three, two hang in the same.
    for _ in range(3):
        with pytest.raises(Unanswered):
            await call(site.port, "hang")
    assert (await retired(site, 1))["reason"] == "stuck_threads"
    await call(site.port, "grow")
    assert (await retired(site, 2))["reason"] == "max_memory"
    load = Load(site.port, 4)
    load.begin()
    assert (await retired(site, 3))["reason"] == "max_requests"
    await load.end()
    assert (load.unanswered, load.refused) == ({}, 0)
    asked = [line["reason"] for line in site.logged("this worker asks to be replaced")]
    assert asked[:3] == ["stuck_threads", "max_memory", "max_requests"]


async def retired(site: Site, times: int) -> dict[str, Any]:
    """The line about the last worker that was replaced, once so many were."""
    line = await asyncio.to_thread(site.until_logged, "worker retired", times)
    await asyncio.to_thread(site.until_ready, lambda pids: len(pids) == 2)
    return line


async def test_a_worker_whose_loop_is_blocked_is_killed_and_the_plugin_is_named(
    site: Site,
) -> None:
    await asyncio.to_thread(site.start, workers=2, more=BLOCKS)
    before = site.ready()
    with pytest.raises(Unanswered):
        await call(site.port, "block", seconds=3600)
    line = await asyncio.to_thread(site.until_logged, "worker killed")
    assert line["worker"] in before
    assert line["plugin"] == "echo"
    assert line["function"] == "block"
    assert "time.sleep" in ECHO.splitlines()[line["line"] - 1]
    after = await asyncio.to_thread(site.until_ready, lambda pids: len(pids) == 2)
    assert len({*before} & {*after}) == 1
    assert site.figure("worker_ends_total", how="failed") == 1
    # A plugin that passes the check and does not start is found out by the first new worker.
    site.write(plugins={"echo": FAILS_AT_START})
    site.reload()
    await asyncio.to_thread(site.until_logged, "reload given up, the workers go on")
    assert site.ready() == after


async def test_a_process_alone_with_too_many_threads_that_hang_is_not_ready(
    serve: Serve, tmp_path: Path
) -> None:
    served = await serve(PARSE + TWO_MAY, {"hangs": HANGS})
    for _ in range(2):
        await served.webhook("/functions/hang", {})
    assert (await served.request("GET", "/readyz")).status == 200
    await served.webhook("/functions/hang", {})
    answer = await served.request("GET", "/readyz")
    told = {"status": "unavailable", "threads": "3 are stuck, 2 may be"}
    assert (answer.status, answer.json()) == (503, told)
    last = served.logged("a thread is stuck beyond its deadline")[-1]
    assert (last.levelname, vars(last)["stuck_threads"]) == ("ERROR", 3)
    (tmp_path / "0" / "plugins.d" / "go").touch()
    async with asyncio.timeout(10):
        while (await served.request("GET", "/readyz")).status != 200:
            await asyncio.sleep(0.01)
