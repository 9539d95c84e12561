"""What was acknowledged is on the disk: after kill -9, with a full disk, by the system calls."""

import asyncio
import re
import shutil
import signal
import sqlite3
import subprocess
import sys
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, closing
from pathlib import Path

import pytest

from tests.postgres import Cluster
from tornado_cc.settings import Database, StoreSettings
from tornado_cc.store import Store

ROOT = Path(__file__).resolve().parents[2]
WRITER = """
import asyncio, os, sys
from tornado_cc.settings import Database, StoreSettings
from tornado_cc.store import Store, StoreUnavailable

async def write(store, first, fields, callers):
    for number in range(first, first + 80_000, callers):
        try:
            await store.objects.insert("Row", str(number), fields)
        except StoreUnavailable:
            os.write(1, b"failed %d\\n" % number)
            await asyncio.sleep(0.01)
        else:
            os.write(1, b"done %d\\n" % number)

async def main():
    prepare()
    store = Store(StoreSettings(url=Database.parse(sys.argv[1])))
    await store.open()
    first, fields = int(sys.argv[2]), {"text": "x" * int(sys.argv[3])}
    callers = int(sys.argv[4])
    await asyncio.gather(*(write(store, first + one, fields, callers) for one in range(callers)))

def prepare():
    pass
"""
RUN = "\nasyncio.run(main())\n"
NARROW = """
import resource, signal
def prepare():
    # Files cannot grow beyond: a write fails as on a full disk.
    signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    resource.setrlimit(resource.RLIMIT_FSIZE, (1_500_000, resource.RLIM_INFINITY))
def widen(*_):
    resource.setrlimit(resource.RLIMIT_FSIZE, (resource.RLIM_INFINITY, resource.RLIM_INFINITY))
signal.signal(signal.SIGUSR1, widen)
"""


class Storm:
    """A child process that writes rows and says of each whether it was acknowledged."""

    def __init__(self, url: str, first: int = 0, size: int = 10, code: str = WRITER) -> None:
        command = [sys.executable, "-c", code + RUN, url, str(first), str(size), "8"]
        self.child = subprocess.Popen(command, stdout=subprocess.PIPE, cwd=ROOT)
        self.done: list[str] = []
        self.failed: list[str] = []

    def read(self, done: int = 0, failed: int = 0) -> None:
        """Read until this many more rows were acknowledged, and this many failed."""
        done, failed = done + len(self.done), failed + len(self.failed)
        while len(self.done) < done or len(self.failed) < failed:
            assert self._read_one(), "it has ended"

    def kill(self) -> list[str]:
        """Kill it at once; the rows it had acknowledged until then."""
        self.child.kill()
        while self._read_one():
            pass
        self.child.wait()
        assert self.child.stdout is not None
        self.child.stdout.close()
        return self.done

    def _read_one(self) -> bool:
        assert self.child.stdout is not None
        line = self.child.stdout.readline().decode()
        if line.endswith("\n"):
            how, number = line.split()
            (self.done if how == "done" else self.failed).append(number)
        return line.endswith("\n")


def settings(url: str) -> StoreSettings:
    return StoreSettings(url=Database.parse(url))


@asynccontextmanager
async def opened(url: str) -> AsyncIterator[Store]:
    """A store, migrated, and closed at the end."""
    store = Store(settings(url))
    await store.engine.open()
    try:
        await store.migrate()
        yield store
    finally:
        await store.close()


async def stored(url: str) -> set[str]:
    async with opened(url) as store:
        found: set[str] = set()
        while True:
            page = await store.objects.find("Row", limit=1000, skip=len(found))
            found |= {one["objectId"] for one in page}
            if len(page) < 1000:
                return found


def check_intact(path: Path) -> None:
    with closing(sqlite3.connect(path)) as connection:
        assert connection.execute("PRAGMA integrity_check").fetchall() == [("ok",)]


def test_a_killed_server_leaves_every_acknowledged_row_in_its_sqlite_file(tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path}/store.db"
    acknowledged: set[str] = set()
    for number, rows in enumerate((1, 150, 400)):
        storm = Storm(url, first=number * 100_000)
        storm.read(done=rows)
        acknowledged |= set(storm.kill())
        assert storm.failed == []
        assert acknowledged <= asyncio.run(stored(url))
        check_intact(tmp_path / "store.db")


def test_a_killed_server_leaves_every_acknowledged_row_in_its_postgresql(postgres_url: str) -> None:
    asyncio.run(stored(postgres_url))
    acknowledged: set[str] = set()
    for number, rows in enumerate((1, 200)):
        storm = Storm(postgres_url, first=number * 100_000)
        storm.read(done=rows)
        acknowledged |= set(storm.kill())
        assert acknowledged <= asyncio.run(stored(postgres_url))


def test_a_killed_postgresql_has_every_acknowledged_row_when_it_is_back(
    own_cluster: Cluster,
) -> None:
    with own_cluster.database() as url:
        asyncio.run(stored(url))
        storm = Storm(url)
        try:
            storm.read(done=100)
            own_cluster.kill()
            storm.read(failed=8)
            own_cluster.start()
            storm.read(done=20)
        finally:
            acknowledged = set(storm.kill())
        assert acknowledged <= asyncio.run(stored(url))


def test_a_full_disk_acknowledges_nothing_false_and_loses_nothing(tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path}/store.db"
    storm = Storm(url, size=5000, code=WRITER + NARROW)
    try:
        storm.read(failed=30)
        before = set(storm.done)
        storm.child.send_signal(signal.SIGUSR1)
        storm.read(done=30)
    finally:
        storm.kill()
    found = asyncio.run(stored(url))
    assert before
    assert set(storm.done) <= found
    assert not set(storm.failed) & found
    check_intact(tmp_path / "store.db")


def test_each_acknowledgement_comes_after_a_sync_of_what_was_written(tmp_path: Path) -> None:
    strace = shutil.which("strace")
    if strace is None:
        pytest.skip("strace was not found. On Debian: apt-get install strace")
    trace = tmp_path / "trace"
    (tmp_path / "code.py").write_text(WRITER.replace("80_000", "80") + RUN)
    calls = "trace=write,pwrite64,fsync,fdatasync"
    command = [strace, "-f", "-y", "-e", calls, "-o", str(trace)]
    command += [sys.executable, str(tmp_path / "code.py"), f"sqlite:///{tmp_path}/store.db"]
    # One caller: nothing of another's is on its way when a row is acknowledged.
    done = subprocess.run(
        [*command, "0", "10", "1"],
        cwd=ROOT,
        env={"PYTHONPATH": str(ROOT)},
        capture_output=True,
        check=False,
    )
    if b"PTRACE" in done.stderr or b"ptrace" in done.stderr:
        pytest.skip("strace may not trace here: ptrace is not permitted")
    assert done.stdout.count(b"done") == 80, done.stderr
    check_trace(trace.read_text())


def check_trace(text: str) -> None:
    """Nothing in the write-ahead log is without a sync when a row is acknowledged."""
    unsynced, acknowledged, synced = False, 0, 0
    for line in whole_calls(text):
        if re.search(r"pwrite64\(\d+<[^>]*store\.db-wal>", line):
            unsynced = True
        elif re.search(r"(fsync|fdatasync)\(\d+<[^>]*store\.db-wal>.*\) += 0", line):
            unsynced, synced = False, synced + 1
        elif re.search(r'write\(1<[^>]*>, "done', line):
            acknowledged += 1
            assert not unsynced, f"row {acknowledged} was acknowledged before it was synced"
            assert synced >= acknowledged
    assert acknowledged == 80


def whole_calls(text: str) -> Iterator[str]:
    """The calls in the order they ended: strace splits those that another thread's cut across."""
    begun: dict[str, str] = {}
    for line in text.splitlines():
        thread, _, call = line.partition(" ")
        if "<unfinished ...>" in call:
            begun[thread] = call.partition("<unfinished ...>")[0]
        elif "resumed>" in call:
            yield begun.pop(thread) + call.partition("resumed>")[2]
        else:
            yield call
