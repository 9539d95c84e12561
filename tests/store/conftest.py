"""The databases the store is tested on."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.postgres import Cluster, needed_programs, postgres


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Say why tests were skipped: `pytest -q` counts them only, and `-rs` has a line for each."""
    skipped = terminalreporter.stats.get("skipped", [])
    reasons = Counter(report.longrepr[2] for report in skipped)
    for reason, times in reasons.items():
        terminalreporter.write_line(f"{times} x {reason}", yellow=True)


@pytest.fixture(scope="session")
def postgres_programs() -> Path:
    """The folder of PostgreSQL's programs; without them the test is skipped, in CI it fails."""
    return needed_programs()


@pytest.fixture(scope="session")
def cluster(postgres_programs: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Cluster]:
    """A PostgreSQL for all tests, fast and forgetful, which therefore no test may stop or kill."""
    log = tmp_path_factory.mktemp("postgres") / "log"
    with postgres(postgres_programs, log) as running:
        yield running


@pytest.fixture
def own_cluster(postgres_programs: Path, tmp_path: Path) -> Iterator[Cluster]:
    """A PostgreSQL for this test, with fsync; the test may stop, kill and start it."""
    with postgres(postgres_programs, tmp_path / "postgres.log", durable=True) as running:
        yield running


@pytest.fixture
def postgres_url(cluster: Cluster) -> Iterator[str]:
    """The url of an empty PostgreSQL database, opened as its owner."""
    with cluster.database() as url:
        yield url


@pytest.fixture(params=["sqlite", "postgresql"])
def store_url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """The url of an empty database, on one engine after the other."""
    if request.param == "sqlite":
        return f"sqlite:///{tmp_path}/store.db"
    url: str = request.getfixturevalue("postgres_url")
    return url
