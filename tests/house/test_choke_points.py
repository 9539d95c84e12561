"""One choke point per danger: a second one is a mistake."""

import ast

import pytest

from tests.house.source import Module, modules

CLOCK = "tornado_cc/core/clock.py"
SECRET = "tornado_cc/core/secret.py"
HEADERS = "tornado_cc/server/headers.py"
POOL = "tornado_cc/outbound/pool.py"

CLOCKS = [
    "time.time",
    "time.time_ns",
    "time.monotonic",
    "time.monotonic_ns",
    "time.perf_counter",
    "datetime.now",
    "datetime.utcnow",
    "datetime.today",
    "datetime.datetime.now",
    "datetime.datetime.utcnow",
    "date.today",
    "datetime.date.today",
]
COMPARES = ["hmac.compare_digest", "secrets.compare_digest"]
CONNECTORS = ["aiohttp.ClientSession", "aiohttp.TCPConnector", "aiohttp.request"]


def others(*owners: str) -> list[Module]:
    """Every module but the owners of something."""
    assert {*owners} <= {module.file for module in modules()}
    return [module for module in modules() if module.file not in owners]


@pytest.mark.parametrize("module", others(CLOCK), ids=lambda module: module.name)
def test_only_the_clock_asks_what_time_it_is(module: Module) -> None:
    assert list(module.mentions(*CLOCKS)) == []


@pytest.mark.parametrize("module", others(SECRET), ids=lambda module: module.name)
def test_only_a_secret_compares_secrets(module: Module) -> None:
    assert list(module.mentions(*COMPARES)) == []


@pytest.mark.parametrize("module", others(SECRET), ids=lambda module: module.name)
def test_no_revealed_secret_is_compared_by_hand(module: Module) -> None:
    for node in ast.walk(module.tree):
        if isinstance(node, ast.Compare):
            assert "reveal()" not in ast.unparse(node), f"{module.file}:{node.lineno}"


@pytest.mark.parametrize("module", others(POOL), ids=lambda module: module.name)
def test_only_a_pool_makes_connections_which_its_guard_lets_through(module: Module) -> None:
    assert list(module.mentions(*CONNECTORS)) == []


def test_a_pool_makes_none_without_its_guard() -> None:
    (pool,) = (module for module in modules() if module.file == POOL)
    made = [
        {argument.arg for argument in node.keywords}
        for node in ast.walk(pool.tree)
        if isinstance(node, ast.Call) and ast.unparse(node.func) == "aiohttp.TCPConnector"
    ]
    assert made
    assert all("socket_factory" in arguments for arguments in made)


@pytest.mark.parametrize("module", others(HEADERS), ids=lambda module: module.name)
def test_only_the_header_writer_makes_response_headers(module: Module) -> None:
    made = [
        node.lineno
        for node in ast.walk(module.tree)
        if isinstance(node, ast.Call)
        and ast.unparse(node.func).rpartition(".")[2] in ("HTTPHeaders", "ResponseStartLine")
    ]
    assert made == []
