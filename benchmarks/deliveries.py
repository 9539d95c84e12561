"""The outbox: deliveries a second, after-events answered a second, a start with a backlog.

The targets are 2,000 deliveries claimed and ended a second on either engine; 1,000 durable
after-events answered a second on SQLite, by a server that runs their hooks meanwhile; and 5 s from
the start of a process to its first delivery when a million are waiting, in no more memory than
without them. PostgreSQL is measured when its programs are there, in the same temporary folder and
with its own defaults, fsync on.
"""

import asyncio
import json
import os
import platform
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import AsyncIterator, Iterator
from contextlib import ExitStack, asynccontextmanager, closing, contextmanager
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT))

from sqlalchemy import text  # noqa: E402 - found by the line above

from tests.chaos.storm import Line  # noqa: E402
from tests.postgres import postgres  # noqa: E402
from tests.processes import free_port  # noqa: E402
from tests.tools import MissingToolError, find_postgres  # noqa: E402
from tornado_cc.core.meter import Unmetered  # noqa: E402
from tornado_cc.flows import Deliverer  # noqa: E402
from tornado_cc.flows.attempt import Attempt  # noqa: E402
from tornado_cc.settings import Database, DeliveriesSettings, StoreSettings  # noqa: E402
from tornado_cc.store import Store  # noqa: E402
from tornado_cc.store.outbox import Claimed  # noqa: E402

DELIVERIES = 20_000
BACKLOG = 1_000_000
OF_A_LANE = 10
CALLERS = (8, 16, 32)
SECONDS = 6.0
CLAIMS, ANSWERS, START = 2000, 1000, 5.0
"""The targets: a second, a second, seconds."""
CONF = """
[server]
bind = 127.0.0.1:{port}
[admin]
bind = 127.0.0.1:0
[plugins]
dir = plugins.d
enable = counted
[dialect:parse]
webhook_key = test-key
[store]
url = {url}
"""
PLUGIN = """
from tornado_cc import Plugin

plugin = Plugin("counted")
ran = 0


@plugin.after_save("Review")
async def count(call):
    global ran
    ran += 1


@plugin.cloud_function("ran")
async def how_many(call):
    return ran
"""
TARGET = "after_save Review tornado_cc_file_counted.count"
REVIEW = {"className": "Review", "stars": 4, "comment": "A comment of ordinary length"}
KEPT = {"dialect": "parse", "hook": "after_save", "claim": ["Review"], "trigger": "afterSave"}
FILL = (
    "INSERT INTO deliveries (id, kind, plugin, target, lane, payload, state, attempts, due_at,"
    " created_at, failures) SELECT {id}, 'hook', 'counted', :target, 'lane ' || (n / :of_a_lane),"
    " :payload, CASE n % :of_a_lane WHEN 0 THEN 'ready' ELSE 'waiting' END, 0, n, n, '[]' FROM {n}"
)
FILL_ON = {
    "sqlite": FILL.format(
        id="lower(hex(randomblob(13)))",
        n="(WITH RECURSIVE one(n) AS (SELECT 0 UNION ALL SELECT n + 1 FROM one"
        " WHERE n < :count - 1) SELECT n FROM one)",
    ),
    "postgresql": FILL.format(
        id="gen_random_uuid()", n="generate_series(0, CAST(:count AS integer) - 1) AS n"
    ),
}


class Nothing:
    """Does nothing, and counts how often."""

    def __init__(self) -> None:
        self.count = 0

    async def perform(self, claimed: Claimed) -> Attempt:
        """Have it done."""
        self.count += 1
        return Attempt()


class Serving:
    """A server in a process of its own."""

    def __init__(self, popen: subprocess.Popen[bytes], port: int) -> None:
        self.began = time.perf_counter()
        self._popen = popen
        self._port = port

    async def line(self) -> Line:
        """A connection, once it listens."""
        line = Line(self._port)
        while not await line.connect():
            assert self._popen.poll() is None, "the server has ended"
            await asyncio.sleep(0.01)
        return line

    def memory(self, name: str) -> float:
        """MiB: `VmRSS` is what it has now, `VmHWM` the most it has had."""
        status = Path(f"/proc/{self._popen.pid}/status").read_text()
        return int(status.partition(f"{name}:")[2].split()[0]) / 1024


@contextmanager
def serving(folder: Path, url: str) -> Iterator[Serving]:
    """A server for as long as the block lasts."""
    (folder / "plugins.d").mkdir(exist_ok=True)
    (folder / "plugins.d" / "counted.py").write_text(PLUGIN)
    port, conf = free_port(), folder / "bench.ini"
    conf.write_text(CONF.format(port=port, url=url))
    command = [sys.executable, "-m", "tornado_cc", "--conf", str(conf)]
    with (folder / "log").open("ab") as log:
        popen = subprocess.Popen(command, cwd=ROOT, stderr=log)
    try:
        yield Serving(popen, port)
    finally:
        popen.terminate()
        popen.wait()


@asynccontextmanager
async def opened(url: str) -> AsyncIterator[Store]:
    """A store with its tables made."""
    store = Store(StoreSettings(url=Database.parse(url), timeout=300))
    await store.engine.open()
    try:
        await store.migrate()
        yield store
    finally:
        await store.close()


async def fill(store: Store, count: int, of_a_lane: int) -> None:
    """Add deliveries, all of them due; of a lane the first is ready and the others wait."""
    shown = {**KEPT, "class_name": "Review", "object": {**REVIEW, "objectId": "backlog"}}
    names = {
        "count": count,
        "of_a_lane": of_a_lane,
        "target": TARGET,
        "payload": json.dumps(shown),
    }

    def write(connection: Any) -> None:
        connection.execute(text(FILL_ON[connection.dialect.name]), names)

    await store.engine.write(write, 300)


async def claims(url: str) -> float:
    """Deliveries a second that a worker claims and ends when there is nothing to do in them."""
    async with opened(url) as store:
        await fill(store, DELIVERIES, 1)
        nothing = Nothing()
        deliverer = Deliverer(store, {"hook": nothing}, DeliveriesSettings(), Unmetered())
        began = time.perf_counter()
        deliverer.start()
        while nothing.count < DELIVERIES:
            await asyncio.sleep(0.01)
        await deliverer.drain(10)
        took = time.perf_counter() - began
        await deliverer.close()
    return DELIVERIES / took


async def answers(server: Serving, callers: int) -> float:
    """After-events answered a second, each of another object."""
    with ExitStack() as stack:
        lines = [stack.enter_context(closing(await server.line())) for _ in range(callers)]
        took: list[float] = []
        until = time.perf_counter() + SECONDS

        async def call(number: int) -> None:
            while (began := time.perf_counter()) < until:
                review = {**REVIEW, "objectId": f"{number}.{len(took)}"}
                answer = await lines[number].post("/triggers/Review/afterSave", {"object": review})
                assert answer == {}, answer
                took.append(time.perf_counter() - began)

        await asyncio.gather(*(call(number) for number in range(callers)))
        ran = await until_ran(lines[0], 0)
        await until_ran(lines[0], len(took))
        late = time.perf_counter() - until
    slow = statistics.quantiles(took, n=100)[98] * 1000
    print(
        f"  {f'answered, {callers} callers':<34}{len(took) / SECONDS:8,.0f}/s"
        f"   p50 {statistics.median(took) * 1000:6.2f} ms   p99 {slow:6.2f} ms;"
        f" run meanwhile {ran / SECONDS:,.0f}/s, the last {late:.1f} s after"
    )
    return len(took) / SECONDS


async def until_ran(line: Line, count: int) -> int:
    """Wait until a server has run so many hooks; how many it has."""
    while (ran := (await line.post("/functions/ran", {}))["success"]) < count:
        await asyncio.sleep(0.005)
    return int(ran)


async def start(server: Serving, waiting: int) -> float:
    """Seconds from the start of a process to its first delivery."""
    with closing(await server.line()) as line:
        listens = time.perf_counter() - server.began
        if not waiting:
            await line.post("/triggers/Review/afterSave", {"object": REVIEW})
        await until_ran(line, 1)
        first, now = time.perf_counter() - server.began, server.memory("VmRSS")
        await asyncio.sleep(SECONDS)
        ran, most = await until_ran(line, 1), server.memory("VmHWM")
    print(
        f"  {f'start, {waiting:,} waiting':<34}{listens:8.2f} s until it listens,"
        f" {first:.2f} s until the first has run; {now:.0f} MiB then,"
        f" {most:.0f} MiB at most until {ran:,} had"
    )
    return first


def measure(url: str, folder: Path) -> float:
    """Everything on one database; the most after-events answered a second."""
    rate = asyncio.run(claims(url))
    print(f"  {'claimed and ended, 8 at a time':<34}{rate:8,.0f}/s")
    print(f"  {CLAIMS:,} deliveries/s: {said(rate >= CLAIMS)}")
    rates = []
    for callers in CALLERS:
        with serving(folder, url) as server:
            rates.append(asyncio.run(answers(server, callers)))
    with serving(folder, url) as server:
        asyncio.run(start(server, 0))
    asyncio.run(add_backlog(url))
    with serving(folder, url) as server:
        first = asyncio.run(start(server, BACKLOG))
    print(f"  {START:.0f} s to the first delivery: {said(first <= START)}")
    return max(rates)


async def add_backlog(url: str) -> None:
    """Let a million wait."""
    async with opened(url) as store:
        await fill(store, BACKLOG, OF_A_LANE)


def said(is_reached: bool) -> str:
    """Whether a target is reached."""
    return "reached" if is_reached else "missed"


def main() -> None:
    """Measure both engines, and print whether the targets are reached and the machine."""
    with tempfile.TemporaryDirectory(dir=os.environ.get("TORNADO_CC_BENCH_DIR")) as name:
        folder = Path(name)
        print("SQLite")
        rate = measure(f"sqlite:///{folder}/store.db", folder)
        print(f"  {ANSWERS:,} after-events/s: {said(rate >= ANSWERS)}")
        try:
            programs = find_postgres()
        except MissingToolError as missing:
            print(f"PostgreSQL not measured: {missing}")
        else:
            print("PostgreSQL")
            with (
                postgres(programs, folder / "postgres.log", durable=True) as cluster,
                cluster.database() as url,
            ):
                measure(url, folder)
    print(f"{platform.machine()}, {os.cpu_count()} cores, Python {platform.python_version()}")
    print(f"others running meanwhile: a load of {os.getloadavg()[0]:.1f} over the last minute")


if __name__ == "__main__":
    main()
