"""A PostgreSQL of our own: in a temporary folder, on a free port, gone afterwards."""

from __future__ import annotations

import contextlib
import itertools
import os
import pwd
import secrets
import shutil
import signal
import subprocess
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from tests.processes import Child, ChildError, free_port, start
from tests.tools import MissingToolError, find_postgres

START_SECONDS = 30.0
"""How long the server may take to accept connections."""

SETTINGS = {
    "listen_addresses": "127.0.0.1",
    # A socket's path may have about 100 characters, and a temporary folder more.
    "unix_socket_directories": "",
    # Less to start and nothing that wakes up while tests measure time.
    "autovacuum": "off",
    "shared_buffers": "32MB",
}

FORGETFUL = {
    # The data is thrown away, so nothing need survive a crash or a power cut.
    "fsync": "off",
    "synchronous_commit": "off",
    "full_page_writes": "off",
    # Every new database is written to the log, 7 MB each.
    "max_wal_size": "64MB",
}
"""Settings of a server that nobody kills. Any other has PostgreSQL's own."""

SUPERUSER = "postgres"

KEEPER = """
read -r done || { read -r server < "$1/data/postmaster.pid" && kill -QUIT "$server"; }
for attempt in $(seq 100); do
    rm -rf "$1" && exit
    sleep 0.1
done
exit 1
"""
"""Removes the folder, and ends the server first should we be gone without a word: its input ends
even when we are killed. The server's own processes may write for a moment yet, so it tries again.
An immediate shutdown lets the server see to those itself."""


@dataclass
class Cluster:
    """A private server: where it is and how to get in. It can be stopped and started again."""

    programs: Path
    folder: Path
    log: Path
    user: str | None
    durable: bool
    port: int = field(default_factory=free_port)
    password: str = field(default_factory=lambda: secrets.token_hex(16))
    _child: Child | None = None
    _numbers: Iterator[int] = field(default_factory=itertools.count)

    @property
    def data(self) -> Path:
        """Its data, which only its user may read."""
        return self.folder / "data"

    def url(self, database: str) -> str:
        """A database as its owner opens it; the owner has the same name and is no superuser."""
        return f"postgresql://{database}:{self.password}@127.0.0.1:{self.port}/{database}"

    def is_running(self) -> bool:
        """Whether the server has not ended."""
        return self._child is not None and self._child.is_running()

    def start(self) -> None:
        """Start the server, on the same port and data every time, and wait until it can be used."""
        assert not self.is_running(), "it runs already"
        settings = {**SETTINGS, **({} if self.durable else FORGETFUL), "port": self.port}
        child = start(
            "PostgreSQL",
            [
                self.programs / "postgres",
                *("-D", self.data),
                *(f"--{name}={value}" for name, value in settings.items()),
            ],
            folder=self.folder,
            log=self.log,
            user=self.user,
        )
        self._child = child
        try:
            child.wait_until(lambda: self._is_ready(child.popen.pid), START_SECONDS)
        except BaseException:
            child.kill()
            raise

    def stop(self) -> None:
        """Shut it down properly: running statements fail, connections are closed, data is saved."""
        if self._child is not None:
            self._child.stop(signal.SIGINT)

    def kill(self) -> None:
        """Kill all of its processes at once, as a crash of the machine would end them."""
        if self._child is not None:
            self._child.kill()

    @contextlib.contextmanager
    def database(self, *extensions: str) -> Iterator[str]:
        """The url of an empty database for as long as the block lasts.

        A server that is down at its end keeps the database.
        """
        name = f"database_{next(self._numbers)}"
        self.sql(
            f"CREATE ROLE {name} LOGIN PASSWORD '{self.password}'",
            f"CREATE DATABASE {name} OWNER {name} TEMPLATE template0",
        )
        if extensions:
            self.sql(*(f"CREATE EXTENSION {each}" for each in extensions), database=name)
        try:
            yield self.url(name)
        finally:
            if self.is_running():
                self.sql(f"DROP DATABASE {name} WITH (FORCE)", f"DROP ROLE {name}")

    def sql(self, *statements: str, database: str = "postgres") -> str:
        """Run statements as the superuser, one transaction each, and return what they print."""
        return self.run(
            "psql",
            *("--host", "127.0.0.1", "--port", str(self.port)),
            *("--username", SUPERUSER, "--dbname", database),
            *("--quiet", "--no-psqlrc", "--no-align", "--tuples-only", "--set=ON_ERROR_STOP=1"),
            *(f"--command={statement}" for statement in statements),
        )

    def run(self, program: str, *arguments: str | Path) -> str:
        """Run one of PostgreSQL's programs to its end as the owner of the data.

        Returns what it prints; a failure is an error that shows it.
        """
        ours = {name: value for name, value in os.environ.items() if not name.startswith("PG")}
        done = subprocess.run(
            [self.programs / program, *arguments],
            cwd=self.folder,
            env={**ours, "PGPASSWORD": self.password, "LC_ALL": "C"},
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            check=False,
            user=self.user,
            group=self.user,
            extra_groups=None if self.user is None else [],
        )
        if done.returncode != 0:
            raise ChildError(f"{program} failed:\n{done.stdout}")
        return done.stdout.strip()

    def _is_ready(self, pid: int) -> bool:
        """Whether the server has said so itself: somebody else may listen on its port."""
        try:
            lines = (self.data / "postmaster.pid").read_text().splitlines()
        except OSError:
            return False
        return len(lines) > 7 and lines[0] == str(pid) and lines[7].strip() == "ready"


@contextlib.contextmanager
def postgres(programs: Path, log: Path, *, durable: bool = False) -> Iterator[Cluster]:
    """Run a fresh PostgreSQL. Only a durable one keeps what it acknowledged when it is killed."""
    with _owned_folder() as (folder, user):
        cluster = Cluster(programs, folder, log, user, durable)
        _create_data(cluster)
        cluster.start()
        try:
            yield cluster
        finally:
            cluster.stop()


def needed_programs() -> Path:
    """PostgreSQL's programs. A test is skipped where there are none, but nowhere in CI."""
    try:
        return find_postgres()
    except MissingToolError as missing:
        if os.environ.get("CI"):
            raise
        pytest.skip(str(missing))


@contextlib.contextmanager
def _owned_folder() -> Iterator[tuple[Path, str | None]]:
    """A temporary folder and the user it belongs to, None being ourselves.

    PostgreSQL refuses to run as root. pytest's own temporary folders are closed
    to everybody else, so this one is made elsewhere.
    """
    user = _unprivileged_user() if os.geteuid() == 0 else None
    folder = Path(tempfile.mkdtemp(prefix="tornado-cc-postgres-"))
    with subprocess.Popen(
        ["sh", "-c", KEEPER, "keeper", folder],
        cwd="/",
        stdin=subprocess.PIPE,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        start_new_session=True,
    ) as keeper:
        try:
            if user is not None:
                shutil.chown(folder, user, user)
            yield folder, user
        finally:
            keeper.communicate(b"done\n")
    if folder.exists():
        raise ChildError(f"{folder} could not be removed")


def _unprivileged_user() -> str:
    """A user every machine with a PostgreSQL server package has."""
    for name in ("postgres", "nobody"):
        with contextlib.suppress(KeyError):
            return pwd.getpwnam(name).pw_name
    raise ChildError("there is neither a user postgres nor a user nobody to run PostgreSQL as")


def _create_data(cluster: Cluster) -> None:
    """Lay out the data folder, with one superuser who needs a password."""
    password_file = cluster.folder / "password"
    password_file.write_text(cluster.password)
    password_file.chmod(0o600)
    if cluster.user is not None:
        shutil.chown(password_file, cluster.user)
    cluster.run(
        "initdb",
        *("--pgdata", cluster.data),
        *("--username", SUPERUSER),
        *("--pwfile", password_file),
        "--auth=scram-sha-256",
        "--encoding=UTF8",
        "--locale=C",
        "--no-sync",
    )
