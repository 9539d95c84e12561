"""Servers of several workers, on a PostgreSQL that is fast and forgetful."""

import asyncio
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.postgres import Cluster
from tests.store.conftest import cluster, postgres_programs
from tests.store.opened import make_tables
from tests.workers.site import Site

__all__ = ["cluster", "postgres_programs"]


@pytest.fixture(scope="session")
def database(cluster: Cluster) -> Iterator[str]:
    """The URL of a database with tables. Nobody here looks at what is in it, so all may have it."""
    with cluster.database() as url:
        asyncio.run(make_tables(url))
        yield url


@pytest.fixture
def site(tmp_path: Path, database: str) -> Iterator[Site]:
    """A server that is not started."""
    found = Site(tmp_path, database)
    yield found
    found.end()
