"""Durable saves, token lookups and player loads a second, with 8 callers at once.

The target is 1,000 saves/s on SQLite with a p99 of at most 20 times that of a synced append of
4 KiB to a file beside it, measured before and after: the disk's own best. PostgreSQL is measured
when its programs are there, in the same temporary folder and with its own defaults, fsync on.
"""

import asyncio
import os
import platform
import statistics
import sys
import tempfile
import time
from collections.abc import Awaitable, Callable
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT))

from tests.postgres import postgres  # noqa: E402 - found by the line above
from tests.tools import MissingToolError, find_postgres  # noqa: E402
from tornado_cc.server import Server, build  # noqa: E402
from tornado_cc.store import Store  # noqa: E402

CALLERS = 8
SECONDS = 4.0
SAVES = 1000
RATIO = 20
CONF = """
[server]
bind = 127.0.0.1:0
[admin]
bind = 127.0.0.1:0
[plugins]
enable = hello
[dialect:parse]
webhook_key = benchmark-key
[store]
url = {url}
"""
FIELDS = {"title": "A comment of ordinary length", "stars": 4, "tags": ["one", "two"]}

Once = Callable[[], Awaitable[object]]


async def measured(name: str, once: Once) -> tuple[float, float]:
    """Print how often a second it went and how long it took; the rate and the p99 in ms."""
    took: list[float] = []
    until = time.perf_counter() + SECONDS

    async def caller() -> None:
        while (began := time.perf_counter()) < until:
            await once()
            took.append(time.perf_counter() - began)

    await asyncio.gather(*(caller() for _ in range(CALLERS)))
    rate, slow = len(took) / SECONDS, percentile(took)
    print(f"  {name:<34}{rate:8,.0f}/s   p50 {median(took):6.2f} ms   p99 {slow:6.2f} ms")
    return rate, slow


def percentile(took: list[float]) -> float:
    """The 99th, in milliseconds."""
    return statistics.quantiles(took, n=100)[98] * 1000


def median(took: list[float]) -> float:
    """In milliseconds."""
    return statistics.median(took) * 1000


def sync_times(folder: Path) -> list[float]:
    """Seconds of each synced append of 4 KiB, for half of `SECONDS`."""
    took: list[float] = []
    with (folder / "appends").open("ab", buffering=0) as file:
        until = time.perf_counter() + SECONDS / 2
        while (began := time.perf_counter()) < until:
            file.write(b"x" * 4096)
            os.fdatasync(file.fileno())
            took.append(time.perf_counter() - began)
    return took


async def measure_all(url: str, folder: Path) -> tuple[float, float]:
    """Everything on one database; the rate and the p99 of saves."""
    conf = folder / "bench.ini"
    conf.write_text(CONF.format(url=url))
    await migrate(conf)
    server = Server(build(conf, {}))
    await server.start()
    store = server.store
    try:
        numbers = iter(range(10**9))
        saves = await measured(
            "saves, store.objects.insert",
            lambda: store.objects.insert("Comment", f"a{next(numbers)}", FIELDS),
        )
        # As a hook has it; nothing public leads there without a hook's call.
        records = server._runtime.runner._services.store(None).objects("Comment")
        await measured("saves, call.store without hooks", lambda: records.create(FIELDS))
        player = await store.players.create("somebody")
        player.private_data["wallet"] = {"coins": 5}
        player.script_data["level"] = 3
        await player.persist()
        session = await store.users.issue("somebody")
        await measured("users by token", lambda: store.users.by_token(session.token))
        await measured("players loaded", lambda: store.players.load("somebody"))
    finally:
        await server.stop()
    return saves


async def migrate(conf: Path) -> None:
    """Make the tables, as the command does."""
    store = Store(build(conf, {}).configuration.store)
    await store.engine.open()
    await store.migrate()
    await store.close()


def main() -> None:
    """Measure both engines and print whether the target is reached."""
    with tempfile.TemporaryDirectory(dir=os.environ.get("TORNADO_CC_BENCH_DIR")) as name:
        folder = Path(name)
        print(f"SQLite, {CALLERS} callers")
        before = sync_times(folder)
        rate, slow = asyncio.run(measure_all(f"sqlite:///{folder}/store.db", folder))
        # What the disk gives changes while others use it: half is measured after.
        alone = percentile(before + sync_times(folder))
        print(f"  {'fdatasync of 4 KiB appends':<34}{'':12}p99 {alone:6.2f} ms")
        print(f"  p99 of a save is {slow / alone:.1f} x that of fdatasync: {_said(slow, alone)}")
        print(f"  {SAVES:,} saves/s: {'reached' if rate >= SAVES else 'missed'}")
        try:
            programs = find_postgres()
        except MissingToolError as missing:
            print(f"PostgreSQL not measured: {missing}")
        else:
            print(f"PostgreSQL, {CALLERS} callers")
            with (
                postgres(programs, folder / "log", durable=True) as cluster,
                cluster.database() as url,
            ):
                asyncio.run(measure_all(url, folder))
    print(f"{platform.machine()}, {os.cpu_count()} cores, Python {platform.python_version()}")
    print(f"others running meanwhile: a load of {os.getloadavg()[0]:.1f} over the last minute")


def _said(slow: float, alone: float) -> str:
    return f"at most {RATIO} is {'reached' if slow <= RATIO * alone else 'missed'}"


if __name__ == "__main__":
    main()
