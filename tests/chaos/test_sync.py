"""An after-event is answered when it is on the disk, and not before: by the server's system calls.

SQLite writes a commit into its write-ahead log and has the kernel put that on the disk; only then
may the answer go into its socket. Every event has a name of its own, which is found again in what
was written and, by the order of events, in what was answered.
"""

import asyncio
import os
import re
from collections.abc import Iterator, Sequence
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.chaos.ledger import PLUGINS, Ledger
from tests.chaos.site import SQLiteSite
from tests.chaos.storm import Line
from tests.chaos.victim import Victim
from tests.cli.running import until
from tests.tools import MissingToolError, find_strace

EVENTS = 40
_CALLS = "trace=write,pwrite64,fsync,fdatasync,sendto,sendmsg"
_SHOWN = 5000
"""Characters of what is written: a page of the database has 4096."""
_WRITE = r"^pwrite64\(\d+<[^>]*store\.db-wal>"
_SYNC = r"^(fsync|fdatasync)\(\d+<[^>]*store\.db-wal>.*= 0$"
_ANSWER = r"^(write|sendto|sendmsg)\(\d+<(socket|TCP)[^>]*>, .*HTTP/1\.1 200 OK"


@dataclass(frozen=True)
class Call:
    """A system call, and on which lines of the trace it began and ended."""

    text: str
    began: int
    ended: int

    def has(self, pattern: str) -> bool:
        """Whether a pattern is found in it."""
        return re.search(pattern, self.text) is not None


@pytest.fixture
def strace() -> str:
    """Where it is. The test is skipped where there is none, but nowhere in CI."""
    try:
        return find_strace()
    except MissingToolError as missing:
        if os.environ.get("CI"):
            raise
        pytest.skip(str(missing))


def test_an_after_event_is_answered_after_a_sync_of_what_holds_it(
    strace: str, tmp_path: Path
) -> None:
    trace, url = tmp_path / "trace", SQLiteSite(tmp_path).url
    under = (strace, "-f", "--seccomp-bpf", "-y", "-s", str(_SHOWN), "-e", _CALLS, "-o", str(trace))
    victim = Victim(tmp_path / "server", url, PLUGINS, Ledger(tmp_path).conf, under=under)
    try:
        victim.spawn()
        until(lambda: victim.is_ready)
        if "ptrace" in victim.log.lower():
            pytest.skip("strace may not trace here: ptrace is not permitted")
        asyncio.run(post(victim.port))
        victim.stop()
    finally:
        victim.end()
    calls = list(read(trace.read_text(errors="replace")))
    check(calls)
    # A check that passes without the syncs would be none.
    with pytest.raises(AssertionError, match="event 1 was answered before"):
        check([call for call in calls if not call.has(_SYNC)])


async def post(port: int) -> None:
    """Tell of one object after the other, each when the one before was answered."""
    with closing(Line(port)) as line:
        assert await line.connect()
        for number in range(1, EVENTS + 1):
            saved = {"className": "Event", "objectId": name_of(number), "number": number}
            assert await line.post("/triggers/Event/afterSave", {"object": saved}) == {}


def name_of(number: int) -> str:
    """A text that is nowhere else."""
    return f"event-{number:05}-traced"


def check(calls: Sequence[Call]) -> None:
    """Between the write that holds an event and its answer there is a sync that was in time."""
    answers = [call for call in calls if call.has(_ANSWER)]
    syncs = [call for call in calls if call.has(_SYNC)]
    assert len(answers) == EVENTS
    for number, answer in enumerate(answers, 1):
        writes = (call for call in calls if call.has(_WRITE) and name_of(number) in call.text)
        written = next(writes)
        assert written.ended < answer.began, f"event {number} was answered before it was written"
        in_time = (written.ended < one.began and one.ended < answer.began for one in syncs)
        assert any(in_time), f"event {number} was answered before it was on the disk"


def read(trace: str) -> Iterator[Call]:
    """The calls, in the order they ended: strace splits those that another thread's cut across."""
    begun: dict[str, tuple[str, int]] = {}
    for number, line in enumerate(trace.splitlines()):
        thread, text = line.split(maxsplit=1)
        if text.endswith("<unfinished ...>"):
            begun[thread] = text, number
        elif text.startswith("<... "):
            start, began = begun.pop(thread)
            yield Call(start + text, began, number)
        else:
            yield Call(text, number, number)
