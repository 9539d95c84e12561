"""A database that outlives its servers, as it is found between them."""

import asyncio
import shutil
import sqlite3
import tempfile
from contextlib import closing
from pathlib import Path
from typing import Protocol

from tests.postgres import SUPERUSER, Cluster
from tests.store.opened import make_tables

_RUNNING = "SELECT id, leased_by FROM deliveries WHERE leased_by IS NOT NULL"


class Site(Protocol):
    """One database.

    Attributes:
        name: the engine's.
        url: how a server opens it.
    """

    name: str
    url: str

    def running(self) -> dict[str, str]:
        """Whose the deliveries are that are claimed and not ended, while no server is there."""
        ...

    def check(self) -> None:
        """Raise unless the database is whole."""
        ...


class SQLiteSite:
    """A SQLite file in a folder."""

    name = "SQLite"

    def __init__(self, folder: Path) -> None:
        self._file = folder / "store.db"
        self.url = f"sqlite:///{self._file}"
        asyncio.run(make_tables(self.url))

    def running(self) -> dict[str, str]:
        """Those of a copy: whoever opens the file itself would recover it in the server's place."""
        with tempfile.TemporaryDirectory() as name:
            copy = Path(name) / "store.db"
            for suffix in ("", "-wal"):
                file = self._file.with_name(self._file.name + suffix)
                if file.exists():
                    shutil.copy(file, copy.with_name(copy.name + suffix))
            _check(copy)
            with closing(sqlite3.connect(copy)) as connection:
                return dict(connection.execute(_RUNNING).fetchall())

    def check(self) -> None:
        """Have SQLite look through it."""
        _check(self._file)


def _check(file: Path) -> None:
    with closing(sqlite3.connect(file)) as connection:
        assert connection.execute("PRAGMA integrity_check").fetchall() == [("ok",)]
        assert connection.execute("PRAGMA foreign_key_check").fetchall() == []


class PostgreSQLSite:
    """A database of a cluster."""

    name = "PostgreSQL"

    def __init__(self, cluster: Cluster, url: str) -> None:
        self._cluster = cluster
        self.url = url
        self._database = url.rpartition("/")[2]
        asyncio.run(make_tables(self.url))

    def sql(self, statement: str) -> str:
        """What a statement prints."""
        return self._cluster.sql(statement, database=self._database)

    def running(self) -> dict[str, str]:
        """Those that are claimed; what a killed server had sent is either done or never will be."""
        return dict(line.split("|") for line in self.sql(_RUNNING).splitlines())

    def check(self) -> None:
        """Have PostgreSQL compare every index with its table; without amcheck, read everything."""
        server = ("--host", "127.0.0.1", "--port", str(self._cluster.port), "--username", SUPERUSER)
        program, *options = "pg_amcheck", "--install-missing", "--heapallindexed", "--parent-check"
        if not (self._cluster.programs / program).exists():
            program, *options = "pg_dump", "--file=/dev/null"
        assert self._cluster.run(program, *options, *server, self._database) == ""
