"""A stop, a reload and a kill in the middle of a load: nobody who was let in goes without answer.

Small here. `make unshaken` runs them at the size that docs/reliability.md has the figures of.
"""

import asyncio
import os
import signal
import socket
import sys
import time
from pathlib import Path

import pytest

from tests.cli.running import until
from tests.workers.load import ECHO, Load, Unanswered, call
from tests.workers.site import Site, are_gone

FULL = "TORNADO_CC_UNSHAKEN" in os.environ
STOPS = 20 if FULL else 1
RELOADS = 20 if FULL else 3
BROKEN_AT = {5: "conf", 12: "plugin"} if FULL else {1: "conf", 2: "plugin"}
REQUESTS = 20_000 if FULL else 500
SECONDS_OF_KILLS = 60 if FULL else 4
CALLERS = 8


@pytest.mark.parametrize("workers", [1, 2])
async def test_a_stop_under_load_leaves_no_request_without_its_answer(
    site: Site, workers: int
) -> None:
    answered = 0
    for _ in range(STOPS):
        await asyncio.to_thread(site.start, workers=workers)
        pids = site.ready()
        load = Load(site.port, CALLERS)
        load.begin()
        await load.until(100)
        await asyncio.to_thread(site.stop)
        await load.end()
        assert load.unanswered == {}
        assert load.refused > 0
        assert are_gone(pids)
        answered += load.answered
    say(f"{STOPS} stops of {workers}: {answered} answered, 0 not")


async def test_reloads_under_load_cost_no_caller_an_answer(site: Site, tmp_path: Path) -> None:
    await asyncio.to_thread(site.start, workers=2)
    load = Load(site.port, CALLERS)
    load.begin()
    refused = reloaded = 0
    for number in range(RELOADS):
        await load.until(REQUESTS * number // RELOADS)
        broken = BROKEN_AT.get(number)
        site.write(
            more="nosuch = 1" if broken == "conf" else "",
            plugins={"echo": "1 / 0" if broken == "plugin" else ECHO},
        )
        before = site.ready()
        site.reload()
        if broken:
            refused += 1
            await asyncio.to_thread(site.until_logged, "not reloaded, the workers go on", refused)
            assert site.ready() == before
        else:
            reloaded += 1
            await asyncio.to_thread(site.until_logged, "reloaded", reloaded)
    await load.until(REQUESTS)
    await load.end()
    assert load.unanswered == {}
    assert load.refused == 0
    await asyncio.to_thread(site.stop)
    say(f"{reloaded} reloads, {refused} refused: {load.answered} answered, 0 not")


async def test_a_worker_that_is_killed_takes_only_its_own_requests_with_it(site: Site) -> None:
    await asyncio.to_thread(site.start, workers=3)
    load = Load(site.port, CALLERS)
    load.begin()
    until_when = time.monotonic() + SECONDS_OF_KILLS
    kills = 0
    while time.monotonic() < until_when:
        ready = await asyncio.to_thread(site.ready)
        if ready:
            os.kill(ready[kills % len(ready)], signal.SIGKILL)
            kills += 1
        await asyncio.sleep(2)
    await load.end()
    # The port never refuses; a killed worker has at most one request of each caller.
    assert load.refused == 0
    assert sum(load.unanswered.values()) <= kills * CALLERS
    assert load.answered > 100
    await asyncio.to_thread(site.stop)
    say(f"{kills} kills: {load.answered} answered, {sum(load.unanswered.values())} not")


async def test_a_parent_that_is_killed_frees_the_port_whatever_its_workers_do(site: Site) -> None:
    await asyncio.to_thread(site.start, workers=2)
    pids = site.ready()
    blocked = asyncio.create_task(call(site.port, "block", seconds=3600))
    await asyncio.to_thread(site.until_logged, "blocking")
    os.kill(site.child.popen.pid, signal.SIGKILL)
    began = time.monotonic()
    await asyncio.to_thread(until, lambda: can_bind(site.port))
    seconds = time.monotonic() - began
    # A machine that is busy with other tests may take longer.
    assert seconds < (1 if FULL else 10)
    await asyncio.to_thread(until, lambda: are_gone(pids))
    with pytest.raises(Unanswered):
        await blocked
    say(f"parent killed, one of two workers blocked: port free after {seconds:.2f} s")


async def test_a_second_signal_ends_the_drain_of_every_worker(site: Site) -> None:
    await asyncio.to_thread(site.start, workers=2, deadline=3600)
    waiting = asyncio.create_task(call(site.port, "wait"))
    await asyncio.to_thread(site.until_logged, "waiting")
    site.signal(signal.SIGTERM)
    await asyncio.to_thread(site.until_logged, "draining", 3)
    assert site.child.is_running()
    await asyncio.to_thread(site.stop)
    with pytest.raises(Unanswered, match="The server is stopping"):
        await waiting


def say(text: str) -> None:
    """Show a figure, where `make unshaken` has pytest pass it on."""
    sys.stdout.write(f"\n{text}\n")


def can_bind(port: int) -> bool:
    """Whether a server could listen there now."""
    with socket.socket() as one:
        one.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            one.bind(("127.0.0.1", port))
            one.listen()
        except OSError:
            return False
        return True
