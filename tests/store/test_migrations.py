"""The tables of a database and those of this code."""

import asyncio
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

import pytest
from alembic.autogenerate import compare_metadata
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Connection, text

from tests.postgres import Cluster
from tests.store.opened import make_tables, opened, outcomes, unopened
from tornado_cc.settings import Database
from tornado_cc.store import SchemaError, Store, schema
from tornado_cc.store.move import migrate
from tornado_cc.store.tables import metadata, on

SECONDS = 30.0
LOCK = schema._ADVISORY_LOCK


def differences(connection: Connection) -> list[Any]:
    options = {"compare_type": True, "include_object": on(connection.dialect.name)}
    context = MigrationContext.configure(connection, opts=options)
    found: list[Any] = compare_metadata(context, metadata)
    return found


async def make_newer(store: Store) -> None:
    newer = text("UPDATE alembic_version SET version_num = '9999'")
    await store.engine.write(lambda connection: connection.execute(newer) and None, SECONDS)


async def test_the_migrations_make_the_tables_of_this_code(store_url: str) -> None:
    await make_tables(store_url)
    async with opened(store_url, command=True) as store:
        assert await store.engine.read(differences, SECONDS) == []


async def test_migrating_twice_does_nothing_the_second_time(store_url: str) -> None:
    assert await make_tables(store_url) is True
    async with opened(store_url) as store:
        ada = await store.users.add("ada")
        assert await store.migrate() is False
        assert await store.users.all() == [ada]
    assert await make_tables(store_url) is False


async def test_migrations_at_once_end_well_and_one_does_it(store_url: str) -> None:
    done = await asyncio.gather(*(make_tables(store_url) for _ in range(4)))
    assert sorted(done) == [False, False, False, True]
    async with opened(store_url) as store:
        assert await store.engine.read(differences, SECONDS) == []


@pytest.mark.parametrize("way", [Store.open, Store.open_for_command, Store.migrate])
async def test_a_newer_database_is_refused_and_left_alone(
    store_url: str, way: Callable[[Store], Awaitable[Any]]
) -> None:
    await make_tables(store_url)
    async with opened(store_url) as store:
        await make_newer(store)
    store = unopened(store_url)
    try:
        if way is Store.migrate:
            await store.engine.open()
        with pytest.raises(SchemaError, match=r"made by a newer tornado_cc than this one"):
            await way(store)
        assert await store.engine.read(differences, SECONDS) == []
    finally:
        await store.close()


@pytest.mark.parametrize("way", [Store.open, Store.open_for_command])
async def test_a_postgresql_without_tables_is_refused_with_the_command_that_makes_them(
    postgres_url: str, way: Callable[[Store], Awaitable[None]]
) -> None:
    store = unopened(postgres_url)
    try:
        with pytest.raises(SchemaError, match=r"python -m tornado_cc --conf FILE migrate"):
            await way(store)
    finally:
        await store.close()


@pytest.mark.parametrize("way", [Store.open, Store.open_for_command])
async def test_a_sqlite_file_gets_its_tables_when_it_is_opened(
    tmp_path: Any, way: Callable[[Store], Awaitable[None]]
) -> None:
    store = unopened(f"sqlite:///{tmp_path}/folder/store.db")
    try:
        await way(store)
        assert await store.engine.read(differences, SECONDS) == []
    finally:
        await store.close()


async def test_a_migration_may_take_longer_than_a_query(postgres_url: str) -> None:
    waiting, holding = unopened(postgres_url, timeout=0.5), unopened(postgres_url)
    try:
        held = asyncio.Event()
        loop = asyncio.get_running_loop()

        def hold(connection: Connection) -> None:
            connection.execute(text("SELECT pg_advisory_xact_lock(:key)"), {"key": LOCK})
            loop.call_soon(held.set)
            connection.execute(text("SELECT pg_sleep(1.5)"))

        holder = asyncio.create_task(holding.engine.write(hold, SECONDS))
        await held.wait()
        assert await waiting.migrate() is True
        await holder
    finally:
        await waiting.close()
        await holding.close()


async def test_names_sort_by_code_point_whatever_the_language_of_the_database(
    cluster: Cluster, postgres_url: str
) -> None:
    if int(cluster.sql("SHOW server_version_num")) < 150_000:
        pytest.skip("a database with a language of its own needs PostgreSQL 15")
    name = postgres_url.rpartition("/")[2]
    cluster.sql(
        f"CREATE DATABASE {name}_en OWNER {name} TEMPLATE template0"
        " LOCALE_PROVIDER icu ICU_LOCALE 'en-US'"
    )
    url = f"{postgres_url}_en"
    try:
        await make_tables(url)
        names = ["B", "a", "C", "_b", "1"]
        async with opened(url) as store:
            for one in names[:3]:
                await store.users.add(one, user_id=one)
                await store.config.save({one: 1})
            for one in names:
                await store.objects.insert("C", one, {})
            assert [user.id for user in await store.users.all()] == ["B", "C", "a"]
            assert list(await store.config.get()) == ["B", "C", "a"]
            found = await store.objects.find("C", order="objectId")
            assert [one["objectId"] for one in found] == sorted(names)
    finally:
        cluster.sql(f"DROP DATABASE {name}_en WITH (FORCE)")


def test_the_newest_revision_is_the_one_the_code_says() -> None:
    assert ScriptDirectory.from_config(schema._config()).get_current_head() == schema.HEAD


async def test_commands_that_find_no_tables_at_once_all_work(tmp_path: Path) -> None:
    async def command(number: int) -> None:
        async with opened(f"sqlite:///{tmp_path}/store.db", command=True) as store:
            await store.users.add(f"u{number}")
            # The first keeps its lock until it ends.
            await asyncio.sleep(0.2)

    database = Database.parse(f"sqlite:///{tmp_path}/store.db")
    calls = [*(command(number) for number in range(5)), migrate(database), migrate(database)]
    assert await outcomes(*calls) == {"ok": 7}
