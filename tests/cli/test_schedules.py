"""Schedules where several server processes share a database: each due time is run once."""

import asyncio
import contextlib
import signal
from collections import Counter
from pathlib import Path

from tests.cli.running import Running, serving, until
from tests.store.opened import make_tables

PROCESSES = 4
SCHEDULES = 20
SECONDS = 3
TIMES = 3

TICKS = f"""
from tornado_cc import Plugin, ScheduleCall

plugin = Plugin("ticks")


async def tick(call: ScheduleCall) -> None:
    call.log.info("tick", extra={{"schedule": call.name, "due": int(call.due_at.timestamp())}})


for number in range({SCHEDULES}):
    plugin.every({SECONDS}, name=f"tick{{number}}")(tick)
"""


def runs(servers: list[Running]) -> Counter[tuple[str, int]]:
    """How often each schedule ran for each due time, in whichever process."""
    lines = [line for one in servers for line in one.logged("tick")]
    return Counter((line["schedule"], line["due"]) for line in lines)


def test_sixty_runs_that_are_due_for_four_processes_happen_sixty_times(
    tmp_path: Path, postgres_url: str
) -> None:
    asyncio.run(make_tables(postgres_url))
    conf = (
        f"[server]\n[log]\nformat = json\n[store]\nurl = {postgres_url}\n[hooks]\ndeadline = 60\n"
    )
    with contextlib.ExitStack() as stack:
        servers = []
        for number in range(PROCESSES):
            folder = tmp_path / str(number)
            folder.mkdir()
            servers.append(stack.enter_context(serving(folder, conf, {"ticks": TICKS})))
        begun = max((due for _, due in runs(servers)), default=0)
        until(lambda: max((due for _, due in runs(servers)), default=0) > begun)
        first = max(due for _, due in runs(servers)) + SECONDS
        # One more, so that whoever would run the last of them again has had the time.
        after = first + TIMES * SECONDS
        until(lambda: len({name for name, due in runs(servers) if due == after}) == SCHEDULES)
        for one in servers:
            one.signal(signal.SIGTERM)
        assert [one.end() for one in servers] == [0] * PROCESSES
        counted = {key: times for key, times in runs(servers).items() if first <= key[1] < after}
        wanted = [first + SECONDS * number for number in range(TIMES)]
        assert counted == {
            (f"tick{number}", due): 1 for number in range(SCHEDULES) for due in wanted
        }
        assert all(times == 1 for times in runs(servers).values())
        # A machine that is busy elsewhere may block a loop, and nothing else may be wrong.
        wrong = {
            line["message"] for one in servers for line in one.lines if line["level"] == "error"
        }
        assert wrong <= {"the event loop is blocked"}
