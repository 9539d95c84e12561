"""The servers of the end-to-end tests, started once for all of them."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.postgres import Cluster, postgres
from tests.tools import find_postgis

from . import hooks
from .parse import ParseServer, Person, parse_server, sign_up
from .product import TornadoCC, tornado_cc
from .rest import Client
from .third_party import ThirdParty
from .third_party import third_party as running_third_party


@pytest.fixture(scope="session")
def logs(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder for what the servers write."""
    return tmp_path_factory.mktemp("e2e-logs")


@pytest.fixture(scope="session")
def cluster(logs: Path) -> Iterator[Cluster]:
    """A PostgreSQL of our own that has PostGIS."""
    with postgres(find_postgis(), logs / "postgres.log") as running:
        yield running


@pytest.fixture(scope="session")
def database_uri(cluster: Cluster) -> Iterator[str]:
    """An empty database that knows PostGIS."""
    with cluster.database("postgis") as url:
        yield url


@pytest.fixture(scope="session")
def bare_server(database_uri: str, logs: Path) -> Iterator[ParseServer]:
    """A Parse Server without any hook."""
    with parse_server(database_uri, logs / "parse_server.log") as server:
        yield server


@pytest.fixture(scope="session")
def alice(bare_server: ParseServer) -> Person:
    """Somebody who paid. She signs up before there are hooks, which need her id."""
    return sign_up(bare_server.anyone)


@pytest.fixture(scope="session")
def bob(bare_server: ParseServer) -> Person:
    """Somebody who did not pay."""
    return sign_up(bare_server.anyone)


@pytest.fixture(scope="session")
def third_party() -> Iterator[ThirdParty]:
    """The service that plugins ask."""
    with running_third_party() as service:
        yield service


@pytest.fixture(scope="session")
def product(
    bare_server: ParseServer,
    alice: Person,
    third_party: ThirdParty,
    tmp_path_factory: pytest.TempPathFactory,
) -> Iterator[TornadoCC]:
    """The tornado_cc that answers the hooks."""
    folder = tmp_path_factory.mktemp("tornado_cc")
    key, paid_up = bare_server.keys.webhook, alice.object_id
    with tornado_cc(folder, key, paid_up, third_party.url, bare_server) as running:
        yield running


@pytest.fixture(scope="session")
def server(bare_server: ParseServer, bob: Person, product: TornadoCC) -> ParseServer:
    """The Parse Server with every hook registered; `bob` is there before them."""
    hooks.register_all(bare_server, product)
    return bare_server


@pytest.fixture(scope="session")
def choosy(server: ParseServer, database_uri: str, logs: Path) -> Iterator[ParseServer]:
    """A second Parse Server on the same database, whose clients may choose their objects' ids."""
    log = logs / "choosy.log"
    with parse_server(database_uri, log, keys=server.keys, custom_ids=True) as choosy:
        yield choosy


@pytest.fixture
def anyone(server: ParseServer) -> Client:
    """A client that is not logged in."""
    return server.anyone


@pytest.fixture
def master(server: ParseServer) -> Client:
    """A client with the master key, which sees what is really stored."""
    return server.master


@pytest.fixture(autouse=True)
def still_alive(server: ParseServer, request: pytest.FixtureRequest) -> Iterator[None]:
    """Fail the very test that crashes the Parse Server, and run none after it."""
    yield
    if not server.is_alive():
        request.session.shouldfail = "the Parse Server is gone"
        raise server.child.error("did not survive this test")


@pytest.fixture
def stranger(server: ParseServer, tmp_path: Path) -> Iterator[TornadoCC]:
    """A tornado_cc that expects another webhook key than the Parse Server sends."""
    with tornado_cc(tmp_path, webhook_key="not the key of this Parse Server") as running:
        hooks.register_locked(server, running)
        yield running
