"""PostgreSQL: deadlines, retries, and what is said when it is not there."""

import asyncio
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest
from sqlalchemy import Connection, text

from tests.postgres import Cluster
from tests.standstill import held
from tornado_cc.core.secret import Secret
from tornado_cc.store.engine import CannotOpen, StatementFailed, Transaction
from tornado_cc.store.errors import DuplicateValue, StoreUnavailable
from tornado_cc.store.postgresql import PostgreSQL

LONG = 30.0
"""Seconds that nothing here takes."""


@asynccontextmanager
async def opened(url: str, pool: int = 4, connecting: float = 2) -> AsyncIterator[PostgreSQL]:
    """An engine, closed at the end; nothing it started runs on."""
    before = asyncio.all_tasks()
    engine = PostgreSQL(Secret(url), "place", connecting, pool)
    await engine.open()
    try:
        yield engine
    finally:
        await engine.close()
        assert asyncio.all_tasks() <= before


def run(*statements: str) -> Transaction[None]:
    """A function that runs statements."""

    def write(connection: Connection) -> None:
        for one in statements:
            connection.execute(text(one))

    return write


def count(connection: Connection) -> int:
    return int(connection.execute(text("SELECT count(*) FROM rows")).scalar_one())


async def test_a_function_that_fails_leaves_nothing(postgres_url: str) -> None:
    def fails(connection: Connection) -> None:
        run("INSERT INTO rows VALUES (1)")(connection)
        raise DuplicateValue("taken")

    async with opened(postgres_url) as engine:
        await engine.write(run("CREATE TABLE rows (id int PRIMARY KEY)"), LONG)
        with pytest.raises(DuplicateValue):
            await engine.write(fails, LONG)
        assert await engine.read(count, LONG) == 0


@pytest.mark.parametrize(
    "statement",
    [
        "INSERT INTO rows VALUES (4711), (4711)",
        "INSERT INTO nothing VALUES (1)",
        "INSRT",
        "SELECT '4711'::json -> 'a' -> 'b', 'x4711'::int",
        "SELECT (SELECT generate_series(4711, 4712))",
    ],
)
async def test_a_statement_of_ours_that_is_wrong_is_no_outage_and_quotes_no_value(
    statement: str, postgres_url: str
) -> None:
    async with opened(postgres_url) as engine:
        await engine.write(run("CREATE TABLE rows (id int PRIMARY KEY)"), LONG)
        with pytest.raises(StatementFailed) as failed:
            await engine.write(run(statement), LONG)
        # The statement is ours and names no value when it has parameters.
        assert "4711" not in str(failed.value).replace(statement, "")
        assert failed.value.__suppress_context__
        assert await engine.read(count, LONG) == 0


async def test_a_read_cannot_write_and_sees_one_moment(postgres_url: str) -> None:
    async with opened(postgres_url) as engine:
        await engine.write(run("CREATE TABLE rows (id int)"), LONG)
        with pytest.raises(StoreUnavailable) as refused:
            await engine.read(run("INSERT INTO rows VALUES (1)"), LONG)
        assert "25006" in refused.value.log
        slow = asyncio.ensure_future(
            engine.read(lambda c: (count(c), run("SELECT pg_sleep(0.3)")(c), count(c)), LONG)
        )
        await asyncio.sleep(0.1)
        await engine.write(run("INSERT INTO rows VALUES (1)"), LONG)
        assert await slow == (0, None, 0)


async def test_a_deadlock_is_tried_again(postgres_url: str) -> None:
    tried: list[int] = []

    def crosswise(first: int, second: int) -> Transaction[None]:
        def write(connection: Connection) -> None:
            tried.append(first)
            run(f"UPDATE rows SET n = n + 1 WHERE id = {first}")(connection)
            run("SELECT pg_sleep(0.2)")(connection)
            run(f"UPDATE rows SET n = n + 1 WHERE id = {second}")(connection)

        return write

    async with opened(postgres_url) as engine:
        await engine.write(
            run("CREATE TABLE rows (id int, n int)", "INSERT INTO rows VALUES (1, 0), (2, 0)"), LONG
        )
        await asyncio.gather(
            engine.write(crosswise(1, 2), LONG), engine.write(crosswise(2, 1), LONG)
        )
        added = await engine.read(
            lambda c: c.execute(text("SELECT sum(n) FROM rows")).scalar_one(), LONG
        )
        assert added == 4
        assert len(tried) == 3


async def test_what_cannot_be_serialised_is_given_up_after_a_few_tries(postgres_url: str) -> None:
    tried: list[int] = []

    def never(connection: Connection) -> None:
        tried.append(1)
        run("DO $$ BEGIN RAISE SQLSTATE '40001'; END $$")(connection)

    async with opened(postgres_url) as engine:
        with pytest.raises(StoreUnavailable):
            await engine.write(never, LONG)
    assert len(tried) == 4


async def test_a_slow_query_is_given_up_at_the_deadline_and_ended_there(
    postgres_url: str,
) -> None:
    async with opened(postgres_url, pool=2) as engine:
        started = time.monotonic()
        slow = (engine.write(run("SELECT pg_sleep(20)"), 0.3) for _ in range(4))
        outcomes = await asyncio.gather(*slow, return_exceptions=True)
        assert time.monotonic() - started < 0.8
        for outcome in outcomes:
            assert isinstance(outcome, StoreUnavailable)
            # None of them got as far as its commit.
            assert not outcome.maybe_done
        await asyncio.gather(*(engine.read(run("SELECT 1"), 3) for _ in range(4)))
        sleeping = "SELECT count(*) FROM pg_stat_activity WHERE query LIKE '%pg_sleep(20)'"
        sleeping += " AND state = 'active' AND datname = current_database()"
        assert await engine.read(lambda c: c.execute(text(sleeping)).scalar_one(), 3) == 0


async def test_a_locked_row_holds_a_caller_up_until_the_deadline_only(postgres_url: str) -> None:
    async with opened(postgres_url) as engine:
        await engine.write(run("CREATE TABLE rows (id int)", "INSERT INTO rows VALUES (1)"), LONG)
        holding = asyncio.ensure_future(
            engine.write(run("UPDATE rows SET id = 2", "SELECT pg_sleep(1)"), LONG)
        )
        await asyncio.sleep(0.2)
        started = time.monotonic()
        with pytest.raises(StoreUnavailable) as refused:
            await engine.write(run("UPDATE rows SET id = 3"), 0.2)
        assert time.monotonic() - started < 0.7
        assert not refused.value.maybe_done
        await holding
        found = await engine.read(lambda c: c.execute(text("SELECT id FROM rows")).scalar(), LONG)
        assert found == 2


async def test_a_cancelled_caller_leaves_no_query_behind(postgres_url: str) -> None:
    async with opened(postgres_url, pool=1) as engine:
        slow = asyncio.ensure_future(engine.write(run("SELECT pg_sleep(20)"), LONG))
        await asyncio.sleep(0.2)
        slow.cancel()
        await asyncio.wait({slow})
        assert slow.cancelled()
        await engine.read(run("SELECT 1"), 3)


async def test_a_server_that_stands_still_is_given_up_in_time_and_used_again(
    own_cluster: Cluster,
) -> None:
    with own_cluster.database() as url:
        async with opened(url, pool=3) as engine:
            await engine.write(run("CREATE TABLE rows (id int)"), LONG)
            with held(own_cluster):
                started = time.monotonic()
                writes = (engine.write(run("INSERT INTO rows VALUES (1)"), 0.5) for _ in range(9))
                outcomes = await asyncio.gather(*writes, return_exceptions=True)
                assert time.monotonic() - started < 1
                assert {type(one) for one in outcomes} == {StoreUnavailable}
            together = (engine.read(run("SELECT pg_sleep(0.1)"), 5) for _ in range(3))
            await asyncio.gather(*together)
            assert await engine.read(count, LONG) <= 9


async def test_closing_finishes_what_was_asked_for(postgres_url: str) -> None:
    async with opened(postgres_url) as engine:
        await engine.write(run("CREATE TABLE rows (id int)"), LONG)
        last = asyncio.ensure_future(
            engine.write(run("INSERT INTO rows VALUES (1)", "SELECT pg_sleep(0.3)"), LONG)
        )
        await asyncio.sleep(0.1)
        await engine.close()
        await last


async def test_a_restarted_server_is_used_again_without_a_failure(own_cluster: Cluster) -> None:
    with own_cluster.database() as url:
        async with opened(url) as engine:
            await engine.read(run("SELECT 1"), LONG)
            own_cluster.stop()
            with pytest.raises(StoreUnavailable) as refused:
                await engine.write(run("SELECT 1"), LONG)
            assert refused.value.log == "Connection refused"
            assert not refused.value.maybe_done
            own_cluster.start()
            await engine.write(run("SELECT 1"), LONG)


async def test_nothing_that_is_told_names_the_password(postgres_url: str) -> None:
    password = postgres_url.split(":")[2].split("@")[0]
    wrong = postgres_url.replace(password, "wr0ng-pa55word")
    async with opened(wrong) as engine:
        with pytest.raises(
            CannotOpen, match="does not know this user name and password"
        ) as refused:
            await engine.read(run("SELECT 1"), LONG)
        told = f"{refused.value!r} {refused.value} {engine!r} {vars(engine)!r}"
        assert "wr0ng" not in told
        assert "wr0ng" not in repr(refused.value.__context__)


async def test_a_database_that_does_not_exist_stops_the_start(postgres_url: str) -> None:
    async with opened(f"{postgres_url}_none") as engine:
        with pytest.raises(CannotOpen, match="does not exist; create the database first"):
            await engine.read(run("SELECT 1"), LONG)


async def test_connections_that_died_since_their_last_use_fail_nobody(
    own_cluster: Cluster,
) -> None:
    with own_cluster.database() as url:
        async with opened(url, pool=3) as engine:
            await engine.write(run("CREATE TABLE rows (id int)"), LONG)
            await asyncio.gather(*(engine.read(run("SELECT 1"), LONG) for _ in range(3)))
            own_cluster.stop()
            own_cluster.start()
            changes = (engine.write(run("INSERT INTO rows VALUES (1)"), LONG) for _ in range(6))
            await asyncio.gather(*changes)
            count = text("SELECT count(*) FROM rows")
            assert await engine.read(lambda c: c.execute(count).scalar_one(), LONG) == 6


async def test_a_url_that_cannot_be_used_stops_the_start(postgres_url: str) -> None:
    async with opened(f"{postgres_url}?sslmode=nonsense") as engine:
        with pytest.raises(CannotOpen, match="URL cannot be used: ClientConfigurationError"):
            await engine.read(run("SELECT 1"), LONG)


async def test_the_parameters_of_the_url_are_those_of_postgresql(postgres_url: str) -> None:
    async with opened(f"{postgres_url}?sslmode=disable&options=-c%20work_mem=5MB") as engine:
        memory = await engine.read(lambda c: c.execute(text("SHOW work_mem")).scalar(), LONG)
        assert memory == "5MB"
    async with opened(f"{postgres_url}?sslmode=require") as engine:
        with pytest.raises(StoreUnavailable):
            await engine.read(run("SELECT 1"), LONG)
