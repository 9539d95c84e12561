"""Stores with their tables made, on either engine, and what tests ask of them."""

from __future__ import annotations

import asyncio
import contextlib
import json
import logging
import shutil
from collections import Counter
from collections.abc import AsyncIterator, Awaitable, Callable, Coroutine, Iterator, Sequence
from pathlib import Path
from typing import Any, TypeVar

import pytest

from tests.postgres import Cluster
from tornado_cc.settings import Database, StoreSettings
from tornado_cc.store import Store, StoreError
from tornado_cc.store.tables import metadata

T = TypeVar("T")

ENGINES = ("sqlite", "postgresql")


def unopened(url: str, *, timeout: float = 30) -> Store:
    """A store of this database. Its deadline is one that a busy machine does not miss."""
    return Store(StoreSettings(url=Database.parse(url), timeout=timeout))


@contextlib.asynccontextmanager
async def opened(url: str, *, command: bool = False) -> AsyncIterator[Store]:
    """A store of a database whose tables are there, as a server or as a command opens it."""
    store = unopened(url)
    try:
        await (store.open_for_command() if command else store.open())
        assert store.problem is None
        yield store
    finally:
        await store.close()


async def make_tables(url: str) -> bool:
    """What the command `migrate` does; whether anything was to be done."""
    store = unopened(url)
    try:
        await store.engine.open()
        return await store.migrate()
    finally:
        await store.close()


async def outcomes(*calls: Awaitable[T]) -> Counter[str]:
    """How calls made all at once end: how often each as `ok` or as a class of exception."""
    ended: Sequence[T | BaseException] = await asyncio.gather(*calls, return_exceptions=True)
    return Counter(type(one).__name__ if isinstance(one, BaseException) else "ok" for one in ended)


async def answer(call: Awaitable[Any]) -> Any:
    """What a call returns, or the class of the `StoreError` that it raises."""
    try:
        return await call
    except StoreError as error:
        return type(error)


def spelt(value: Any) -> str:
    """Tells 1 from 1.0 and True, but not one order of keys from another."""
    return json.dumps(value, sort_keys=True, default=repr)


class Statements(logging.Handler):
    """What SQLAlchemy logs while the block lasts: every statement, and what it says of values."""

    def __init__(self) -> None:
        super().__init__(logging.INFO)
        self.texts: list[str] = []
        self._logger = logging.getLogger("sqlalchemy.engine")

    def __enter__(self) -> Statements:
        self._level = self._logger.level
        self._logger.setLevel(logging.INFO)
        self._logger.addHandler(self)
        return self

    def __exit__(self, *_: object) -> None:
        self._logger.removeHandler(self)
        self._logger.setLevel(self._level)

    def emit(self, record: logging.LogRecord) -> None:
        self.texts.append(record.getMessage())

    def of(self, table: str) -> int:
        """How many statements there were that read a table."""
        return sum(f"FROM {table}" in text.replace("\n", " ") for text in self.texts)


@pytest.fixture(scope="session")
def migrated_file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A SQLite file with tables, to be copied."""
    file = tmp_path_factory.mktemp("migrated") / "store.db"
    asyncio.run(make_tables(f"sqlite:///{file}"))
    return file


@pytest.fixture(scope="session")
def migrated_server(cluster: Cluster) -> Iterator[str]:
    """The url of a PostgreSQL database with tables, which each test finds empty."""
    with cluster.database() as url:
        asyncio.run(make_tables(url))
        yield url


@pytest.fixture(params=ENGINES)
def migrated_url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """The url of a database with empty tables, on one engine after the other."""
    if request.param == "sqlite":
        shutil.copy(request.getfixturevalue("migrated_file"), tmp_path / "store.db")
        return f"sqlite:///{tmp_path}/store.db"
    url: str = request.getfixturevalue("migrated_server")
    cluster: Cluster = request.getfixturevalue("cluster")
    tables = ", ".join(table.name for table in metadata.sorted_tables)
    cluster.sql(f"TRUNCATE {tables}", database=url.rpartition("/")[2])
    return url


@pytest.fixture
async def store(migrated_url: str) -> AsyncIterator[Store]:
    """An open store with nothing in it, on one engine after the other."""
    async with opened(migrated_url) as one:
        yield one


class Beside:
    """Stores on both engines with a loop of their own, for tests that hypothesis runs."""

    def __init__(self, runner: asyncio.Runner) -> None:
        self._runner = runner
        self.stores: list[Store] = []

    def run(self, call: Coroutine[Any, Any, T]) -> T:
        """What a coroutine returns."""
        return self._runner.run(call)

    def on_both(self, ask: Callable[[Store], Coroutine[Any, Any, Any]]) -> Any:
        """What both engines answer alike: a value, or the refusal they raise."""
        answers = [self.run(answer(ask(store))) for store in self.stores]
        assert spelt(answers[0]) == spelt(answers[1]), "the engines differ"
        return answers[0]


@pytest.fixture(scope="module")
def beside(cluster: Cluster, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Beside]:
    """Both engines at once, with whatever the examples before have left in them."""
    file = tmp_path_factory.mktemp("beside") / "store.db"
    with cluster.database() as url, asyncio.Runner() as runner:
        one = Beside(runner)
        try:
            for each in (f"sqlite:///{file}", url):
                one.run(make_tables(each))
                one.stores.append(unopened(each))
                one.run(one.stores[-1].open())
            yield one
        finally:
            for store in one.stores:
                one.run(store.close())
