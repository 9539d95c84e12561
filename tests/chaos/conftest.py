"""Where servers are killed: on both engines, PostgreSQL with fsync on."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.chaos.site import PostgreSQLSite, Site, SQLiteSite
from tests.postgres import Cluster
from tests.store.conftest import own_cluster, postgres_programs

__all__ = ["own_cluster", "postgres_programs"]


@pytest.fixture
def shared(own_cluster: Cluster) -> Iterator[PostgreSQLSite]:
    """An empty PostgreSQL with tables, for one server or several."""
    with own_cluster.database() as url:
        yield PostgreSQLSite(own_cluster, url)


@pytest.fixture(params=["sqlite", "postgresql"])
def site(request: pytest.FixtureRequest, tmp_path: Path) -> Site:
    """An empty database with tables, on one engine after the other."""
    if request.param == "sqlite":
        return SQLiteSite(tmp_path)
    found: Site = request.getfixturevalue("shared")
    return found
