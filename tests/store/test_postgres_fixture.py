"""The PostgreSQL of the tests: each test has its own data, and nothing stays behind."""

from __future__ import annotations

import asyncio
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import asyncpg
import pytest

from tests import tools
from tests.postgres import Cluster, needed_programs, postgres
from tests.processes import is_alive

ROOT = Path(__file__).parents[2]

STARTED = """
import signal, sys, time
from pathlib import Path
from tests.postgres import postgres

# A shell's background job starts with Ctrl-C ignored.
signal.signal(signal.SIGINT, signal.default_int_handler)
with postgres(Path(sys.argv[1]), Path(sys.argv[2])) as cluster:
    print(cluster.folder, flush=True)
    time.sleep(60)
"""


async def fetch(url: str, *statements: str) -> list[tuple[object, ...]]:
    """Run statements on a connection of their own and return the rows of the last."""
    connection = await asyncpg.connect(url)
    try:
        for statement in statements[:-1]:
            await connection.execute(statement)
        return [tuple(row) for row in await connection.fetch(statements[-1])]
    finally:
        await connection.close()


def processes(folder: Path) -> list[int]:
    """Every process that works in a folder: the server and all of its children."""
    return [int(link.parent.name) for link in Path("/proc").glob("[0-9]*/cwd") if _in(link, folder)]


def _in(link: Path, folder: Path) -> bool:
    try:
        where = Path(os.readlink(link).removesuffix(" (deleted)"))
        return where.is_relative_to(folder) and is_alive(int(link.parent.name))
    except OSError:
        return False


def until(is_so: Callable[[], bool]) -> None:
    deadline = time.monotonic() + 20
    while not is_so():
        assert time.monotonic() < deadline, "it never was"
        time.sleep(0.02)


async def test_databases_share_nothing(postgres_url: str, cluster: Cluster) -> None:
    await fetch(postgres_url, "CREATE TABLE kept (name text)", "SELECT 1")
    with cluster.database() as other:
        assert await fetch(other, "SELECT to_regclass('kept')") == [(None,)]
    assert await fetch(postgres_url, "SELECT count(*) FROM kept") == [(0,)]


async def test_the_owner_of_a_database_is_no_superuser(postgres_url: str) -> None:
    setting = "SELECT current_setting('is_superuser')"
    assert await fetch(postgres_url, setting) == [("off",)]


async def test_a_database_goes_though_somebody_is_connected(cluster: Cluster) -> None:
    with cluster.database() as url:
        connection = await asyncpg.connect(url)
    with pytest.raises(asyncpg.PostgresError):
        await connection.execute("SELECT 1")
    connection.terminate()
    with pytest.raises(
        (asyncpg.InvalidPasswordError, asyncpg.InvalidAuthorizationSpecificationError)
    ):
        await asyncpg.connect(url)


async def test_a_stopped_server_refuses_and_comes_back_with_its_rows(own_cluster: Cluster) -> None:
    with own_cluster.database() as url:
        await fetch(
            url, "CREATE TABLE kept (number int)", "INSERT INTO kept VALUES (1)", "SELECT 1"
        )
        own_cluster.stop()
        with pytest.raises(ConnectionRefusedError):
            await asyncpg.connect(url)
        own_cluster.start()
        assert await fetch(url, "SELECT number FROM kept") == [(1,)]


async def test_a_killed_server_keeps_every_acknowledged_row(own_cluster: Cluster) -> None:
    acknowledged = 0

    async def write(url: str) -> None:
        nonlocal acknowledged
        connection = await asyncpg.connect(url)
        try:
            while True:
                await connection.execute("INSERT INTO kept VALUES (1)")
                acknowledged += 1
        finally:
            connection.terminate()

    with own_cluster.database() as url:
        await fetch(url, "CREATE TABLE kept (number int)", "SELECT 1")
        writers = [asyncio.create_task(write(url)) for _ in range(4)]
        async with asyncio.timeout(20):
            while acknowledged < 20:
                await asyncio.sleep(0.001)
        own_cluster.kill()
        assert processes(own_cluster.folder) == []
        ends = await asyncio.gather(*writers, return_exceptions=True)
        assert not any(isinstance(end, AssertionError) for end in ends)
        own_cluster.start()
        ((rows,),) = await fetch(url, "SELECT count(*) FROM kept")
        # One more of each writer may have been stored and not acknowledged.
        assert isinstance(rows, int)
        assert acknowledged <= rows <= acknowledged + len(writers)


@pytest.mark.parametrize(("durable", "setting"), [(True, "on"), (False, "off")])
def test_only_a_durable_server_waits_for_the_disk(
    postgres_programs: Path, tmp_path: Path, durable: bool, setting: str
) -> None:
    with postgres(postgres_programs, tmp_path / "log", durable=durable) as server:
        for name in ("fsync", "synchronous_commit", "full_page_writes"):
            assert server.sql(f"SHOW {name}") == setting


def test_nothing_is_left_of_a_server_whose_test_fails(
    postgres_programs: Path, tmp_path: Path
) -> None:
    with (
        pytest.raises(ZeroDivisionError),
        postgres(postgres_programs, tmp_path / "log") as server,
    ):
        raise ZeroDivisionError
    assert not server.folder.exists()
    assert processes(server.folder) == []


@pytest.mark.parametrize("how", [signal.SIGINT, signal.SIGTERM, signal.SIGKILL])
def test_nothing_is_left_of_a_server_whose_tests_are_ended(
    postgres_programs: Path, tmp_path: Path, how: signal.Signals
) -> None:
    command = [sys.executable, "-c", STARTED, str(postgres_programs), str(tmp_path / "log")]
    with subprocess.Popen(
        command, cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL
    ) as tests:
        assert tests.stdout is not None
        folder = Path(tests.stdout.readline().decode().strip())
        assert len(processes(folder)) > 1
        tests.send_signal(how)
    until(lambda: not folder.exists() and not processes(folder))


def test_without_postgres_a_test_is_skipped_and_says_what_to_install(
    no_postgres: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("CI", raising=False)
    with pytest.raises(pytest.skip.Exception, match=r"apt-get install postgresql$"):
        needed_programs()


def test_without_postgres_a_test_fails_in_ci(
    no_postgres: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("CI", "true")
    with pytest.raises(tools.MissingToolError, match=r"apt-get install postgresql$"):
        needed_programs()


@pytest.fixture
def no_postgres(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """A machine on which nobody installed PostgreSQL."""
    monkeypatch.setattr(tools, "DEBIAN_POSTGRES", tmp_path)
    monkeypatch.setenv("PATH", str(tmp_path))
