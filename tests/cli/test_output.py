"""Output that cannot be written: one line on standard error, exit 74, and nothing half done."""

import os
import subprocess
from pathlib import Path

import pytest

from tests.cli.running import command, done, environment, run, write_conf
from tests.store.opened import opened

FULL = Path("/dev/full")
SAID = "tornado_cc: cannot write the output: No space left on device\n"

pytestmark = pytest.mark.skipif(not FULL.exists(), reason="there is no /dev/full here")


@pytest.fixture
def conf(tmp_path: Path) -> Path:
    """A conf whose store knows alice."""
    path = write_conf(tmp_path, "[server]\n[dialect:parse]\nwebhook_key = test-key\n")
    done("--conf", path, "users", "add", "alice", "--id", "a1")
    return path


def ended(conf: Path, *arguments: str, stdout: int) -> tuple[int, str]:
    """Exit code and complaints, in a process whose own end is Python's, flush of output and all."""
    ran = subprocess.run(
        command("--conf", conf, *arguments),
        env=environment(),
        stdin=subprocess.DEVNULL,
        stdout=stdout,
        stderr=subprocess.PIPE,
        text=True,
        check=False,
    )
    return ran.returncode, ran.stderr


@pytest.mark.parametrize(
    "arguments",
    [
        ("users", "add", "bob"),
        ("users", "list"),
        ("users", "list", "--json"),
        ("config", "list", "--json"),
        ("requests", "list", "--json"),
        ("deliveries", "list", "--json"),
        ("deliveries", "redrive", "--all"),
        ("migrate",),
        ("--check",),
    ],
    ids=" ".join,
)
def test_a_full_disk_is_said_in_one_line(conf: Path, arguments: tuple[str, ...]) -> None:
    with FULL.open("wb") as full:
        assert ended(conf, *arguments, stdout=full.fileno()) == (74, SAID)
    # What was asked for is done all the same.
    assert ("bob" in done("--conf", conf, "users", "list")) == ("add" in arguments)


@pytest.mark.parametrize("nobody_reads", [False, True])
async def test_a_token_that_nobody_saw_is_ended_and_no_other(
    conf: Path, tmp_path: Path, nobody_reads: bool
) -> None:
    token = run("--conf", conf, "users", "token", "alice").stdout.strip()
    if nobody_reads:
        reading, stdout = os.pipe()
        os.close(reading)
    else:
        stdout = os.open(FULL, os.O_WRONLY)
    try:
        code, said = ended(conf, "users", "token", "alice", stdout=stdout)
    finally:
        os.close(stdout)
    assert (code, said) == ((1, "") if nobody_reads else (74, SAID))
    async with opened(f"sqlite:///{tmp_path}/store.db", command=True) as store:
        rows = await store.engine.read(
            lambda connection: connection.exec_driver_sql(
                "SELECT revoked_at IS NULL FROM sessions ORDER BY created_at"
            ).all(),
            10,
        )
        assert [row[0] for row in rows] == [1, 0]
        owner = await store.users.by_token(token)
        assert owner is not None
        assert owner.id == "a1"
