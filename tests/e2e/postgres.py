"""A PostgreSQL of our own: in a temporary folder, on a free port, gone afterwards."""

from __future__ import annotations

import contextlib
import os
import pwd
import secrets
import shutil
import signal
import subprocess
import tempfile
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from .processes import ChildError, free_port, running
from .tools import find_postgres

START_SECONDS = 30.0
"""How long the server may take to accept connections."""

SETTINGS = {
    "listen_addresses": "127.0.0.1",
    # A socket's path may have about 100 characters, and a temporary folder more.
    "unix_socket_directories": "",
    # The data is thrown away, so nothing need survive a power cut.
    "fsync": "off",
    "synchronous_commit": "off",
    "full_page_writes": "off",
    # Less to start and nothing that wakes up while tests measure time.
    "autovacuum": "off",
    "shared_buffers": "32MB",
}


@dataclass(frozen=True)
class Cluster:
    """Where the private server is and how to get in."""

    programs: Path
    folder: Path
    user: str | None
    port: int = field(default_factory=free_port)
    password: str = field(default_factory=lambda: secrets.token_hex(16))

    @property
    def uri(self) -> str:
        """The database as Parse Server takes it."""
        return f"postgres://parse:{self.password}@127.0.0.1:{self.port}/parse"

    def run(self, program: str, *arguments: str | Path) -> subprocess.CompletedProcess[str]:
        """Run one of PostgreSQL's programs to its end as the owner of the data."""
        return subprocess.run(
            [self.programs / program, *arguments],
            cwd=self.folder,
            env={**os.environ, "PGPASSWORD": self.password, "LC_ALL": "C"},
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            check=False,
            user=self.user,
            group=self.user,
            extra_groups=None if self.user is None else [],
        )

    def must_run(self, program: str, *arguments: str | Path) -> None:
        """Like `run`, but a failure is an error that shows what was printed."""
        done = self.run(program, *arguments)
        if done.returncode != 0:
            raise ChildError(f"{program} failed:\n{done.stdout}")

    def address(self, database: str) -> Sequence[str]:
        """Options that lead a client program to a database of this server."""
        return ["-h", "127.0.0.1", "-p", str(self.port), "-U", "parse", "-d", database]


@contextlib.contextmanager
def postgres(log: Path) -> Iterator[Cluster]:
    """Run a fresh PostgreSQL with an empty database that knows PostGIS."""
    with _owned_folder() as (folder, user):
        cluster = Cluster(find_postgres(), folder, user)
        _create_data(cluster)
        settings = [f"--{name}={value}" for name, value in SETTINGS.items()]
        data = ["-D", str(folder / "data")]
        with running(
            "PostgreSQL",
            [cluster.programs / "postgres", *data, *settings, f"--port={cluster.port}"],
            folder=folder,
            log=log,
            user=user,
            # Immediate shutdown: the server still sees to its own children.
            orphaned=signal.SIGQUIT,
        ) as child:
            child.wait_until(lambda: _accepts(cluster), START_SECONDS)
            _create_database(cluster)
            yield cluster
            # Fast shutdown: it does not wait for Parse Server's pool to go.
            child.stop(signal.SIGINT)


@contextlib.contextmanager
def _owned_folder() -> Iterator[tuple[Path, str | None]]:
    """A temporary folder and the user it belongs to, None being ourselves.

    PostgreSQL refuses to run as root. pytest's own temporary folders are closed
    to everybody else, so this one is made elsewhere.
    """
    user = _unprivileged_user() if os.geteuid() == 0 else None
    folder = Path(tempfile.mkdtemp(prefix="tornado-cc-e2e-"))
    try:
        if user is not None:
            shutil.chown(folder, user, user)
        yield folder, user
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _unprivileged_user() -> str:
    """A user every machine with a PostgreSQL server package has."""
    for name in ("postgres", "nobody"):
        with contextlib.suppress(KeyError):
            return pwd.getpwnam(name).pw_name
    raise ChildError("there is neither a user postgres nor a user nobody to run PostgreSQL as")


def _create_data(cluster: Cluster) -> None:
    """Lay out the data folder, with one super user who needs a password."""
    password_file = cluster.folder / "password"
    password_file.write_text(cluster.password)
    password_file.chmod(0o600)
    if cluster.user is not None:
        shutil.chown(password_file, cluster.user)
    cluster.must_run(
        "initdb",
        *("--pgdata", cluster.folder / "data"),
        *("--username", "parse"),
        *("--pwfile", password_file),
        "--auth=scram-sha-256",
        "--encoding=UTF8",
        "--locale=C",
        "--no-sync",
    )


def _accepts(cluster: Cluster) -> bool:
    """Whether the server takes connections."""
    return cluster.run("pg_isready", *cluster.address("postgres")).returncode == 0


def _create_database(cluster: Cluster) -> None:
    """Create Parse Server's database with the extension it asks for."""
    psql = ["--quiet", "--no-psqlrc", "--set=ON_ERROR_STOP=1", "--command"]
    cluster.must_run("psql", *cluster.address("postgres"), *psql, "CREATE DATABASE parse")
    cluster.must_run("psql", *cluster.address("parse"), *psql, "CREATE EXTENSION postgis")
