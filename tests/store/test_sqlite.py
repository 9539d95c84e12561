"""SQLite: what the writer acknowledges is there, whatever else was in the batch."""

import asyncio
import os
import signal
import sqlite3
import subprocess
import sys
import threading
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, closing
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import Connection, text

from tornado_cc.store.engine import CannotOpen, StatementFailed, Transaction
from tornado_cc.store.errors import DuplicateValue, StoreUnavailable
from tornado_cc.store.sqlite import READERS, SQLite

LONG = 30.0
"""Seconds that nothing here takes."""
ENDLESS = "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n) SELECT max(i) FROM n"


@asynccontextmanager
async def opened(path: Path, busy: float = 5) -> AsyncIterator[SQLite]:
    """An engine on a file with a table of rows, whose ids differ."""
    engine = SQLite(path, busy)
    await engine.open()
    try:
        await engine.write(_make_table, LONG)
        yield engine
    finally:
        await engine.close()


def _make_table(connection: Connection) -> None:
    connection.execute(text("CREATE TABLE IF NOT EXISTS rows (id INTEGER PRIMARY KEY)"))


def row(number: int) -> Transaction[int]:
    """A function that adds a row and returns its number."""

    def write(connection: Connection) -> int:
        connection.execute(text("INSERT INTO rows VALUES (:id)"), {"id": number})
        return number

    return write


def and_then(number: int, error: Callable[[], BaseException]) -> Transaction[int]:
    """A function that adds a row and fails."""

    def write(connection: Connection) -> int:
        row(number)(connection)
        raise error()

    return write


def numbers(connection: Connection) -> list[int]:
    return list(connection.execute(text("SELECT id FROM rows ORDER BY id")).scalars())


def on_disk(path: Path) -> list[int]:
    """The rows that another program finds."""
    with closing(sqlite3.connect(path)) as connection:
        return [one for (one,) in connection.execute("SELECT id FROM rows ORDER BY id")]


def lose(path: Path, is_replaced: bool) -> None:
    """Delete the file and those beside it, and perhaps put an empty one in its place."""
    for file in path.parent.iterdir():
        file.unlink()
    if is_replaced:
        path.touch()


def names_in(folder: Path) -> list[str]:
    return sorted(one.name for one in folder.iterdir())


async def in_one_batch(engine: SQLite, functions: list[Transaction[Any]]) -> list[Any]:
    """What each came to, when all waited while the writer was busy."""
    busy = threading.Event()
    first = asyncio.ensure_future(engine.write(lambda _: busy.wait(LONG), LONG))
    await asyncio.sleep(0.01)
    waiting = [asyncio.ensure_future(_outcome(engine, one)) for one in functions]
    await asyncio.sleep(0.005)
    busy.set()
    await first
    return await asyncio.gather(*waiting)


async def _outcome(engine: SQLite, function: Transaction[Any]) -> Any:
    # A task that ends with SystemExit ends the loop.
    try:
        return await engine.write(function, LONG)
    except BaseException as error:
        return error


def _breaks_the_transaction(connection: Connection) -> None:
    """As SQLite itself does when the disk is full."""
    connection.exec_driver_sql("ROLLBACK")
    raise RuntimeError("after the fact")


def _hides_a_broken_transaction(connection: Connection) -> None:
    connection.exec_driver_sql("ROLLBACK")


FAILURES: dict[str, tuple[Transaction[Any], type[BaseException]]] = {
    "RuntimeError": (and_then(50, lambda: RuntimeError("boom")), RuntimeError),
    "SystemExit": (and_then(50, lambda: SystemExit(1)), SystemExit),
    "StopIteration": (and_then(50, StopIteration), RuntimeError),
    "StoreError": (and_then(50, lambda: DuplicateValue("taken")), DuplicateValue),
    "IntegrityError": (lambda c: (row(50)(c), row(50)(c)), StatementFailed),
    "no such table": (lambda c: c.execute(text("INSERT INTO none VALUES (1)")), StatementFailed),
    "not SQL": (lambda c: c.execute(text("INSRT")), StoreUnavailable),
    "gives up the transaction": (_breaks_the_transaction, BaseException),
    "hides that it is given up": (_hides_a_broken_transaction, StoreUnavailable),
    "ends the connection": (lambda connection: connection.close(), BaseException),
}


@pytest.mark.parametrize("name", FAILURES)
async def test_a_failing_function_in_the_middle_of_a_batch_takes_no_other_row_with_it(
    name: str, tmp_path: Path
) -> None:
    function, expected = FAILURES[name]
    async with opened(tmp_path / "store.db") as engine:
        outcomes = await in_one_batch(engine, [row(1), row(2), function, row(3), row(4)])
        assert [outcomes[0], outcomes[1], outcomes[3], outcomes[4]] == [1, 2, 3, 4]
        assert isinstance(outcomes[2], expected)
        assert await engine.write(row(5), LONG) == 5
        assert on_disk(tmp_path / "store.db") == [1, 2, 3, 4, 5]


@pytest.mark.parametrize("name", FAILURES)
async def test_a_failing_function_alone_leaves_nothing_and_the_writer_goes_on(
    name: str, tmp_path: Path
) -> None:
    function, expected = FAILURES[name]
    async with opened(tmp_path / "store.db") as engine:
        assert isinstance(await _outcome(engine, function), expected)
        assert await engine.write(row(5), LONG) == 5
        assert on_disk(tmp_path / "store.db") == [5]


@given(
    st.lists(st.tuples(st.integers(0, 12), st.sampled_from(["well", *FAILURES])), max_size=24),
)
@settings(max_examples=40, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_of_any_batch_exactly_the_acknowledged_rows_are_there(
    tmp_path_factory: pytest.TempPathFactory, wanted: list[tuple[int, str]]
) -> None:
    path = tmp_path_factory.mktemp("any") / "store.db"

    async def run() -> list[Any]:
        functions = [row(one) if how == "well" else FAILURES[how][0] for one, how in wanted]
        async with opened(path) as engine:
            return await in_one_batch(engine, functions)

    outcomes = asyncio.run(run())
    acknowledged = [one for one in outcomes if isinstance(one, int)]
    assert on_disk(path) == sorted(set(acknowledged))
    assert len(acknowledged) == len(set(acknowledged))
    # Of the rows with one number the first is stored: no other failure takes it along.
    assert set(acknowledged) == {one for one, how in wanted if how == "well"}


async def test_a_slow_function_is_finished_after_its_caller_has_left(tmp_path: Path) -> None:
    path = tmp_path / "store.db"

    def slowly(connection: Connection) -> None:
        row(1)(connection)
        time.sleep(0.2)

    async with opened(path) as engine:
        with pytest.raises(StoreUnavailable) as refused:
            await engine.write(slowly, 0.05)
        assert refused.value.maybe_done
        assert await engine.write(row(2), LONG) == 2
        assert on_disk(path) == [1, 2]


async def test_what_was_not_begun_at_the_deadline_is_not_done(tmp_path: Path) -> None:
    path = tmp_path / "store.db"
    async with opened(path) as engine:
        busy = threading.Event()
        first = asyncio.ensure_future(engine.write(lambda _: busy.wait(LONG), LONG))
        await asyncio.sleep(0.01)
        with pytest.raises(StoreUnavailable) as refused:
            await engine.write(row(1), 0.05)
        assert not refused.value.maybe_done
        busy.set()
        await first
        assert await engine.write(row(2), LONG) == 2
        assert on_disk(path) == [2]


async def test_a_cancelled_caller_leaves_the_others_alone(tmp_path: Path) -> None:
    path = tmp_path / "store.db"
    async with opened(path) as engine:
        busy = threading.Event()
        first = asyncio.ensure_future(engine.write(lambda _: busy.wait(LONG), LONG))
        await asyncio.sleep(0.01)
        leaving, staying = (asyncio.ensure_future(engine.write(row(i), LONG)) for i in (1, 2))
        await asyncio.sleep(0.01)
        leaving.cancel()
        await asyncio.sleep(0)
        busy.set()
        assert await staying == 2
        assert leaving.cancelled()
        await first
        assert on_disk(path) == [2]


async def test_closing_writes_what_was_asked_for_and_takes_nothing_more(tmp_path: Path) -> None:
    path = tmp_path / "store.db"
    async with opened(path) as engine:
        asked = [asyncio.ensure_future(engine.write(row(one), LONG)) for one in range(300)]
        await asyncio.sleep(0)
        await engine.close()
        assert await asyncio.gather(*asked) == list(range(300))
        for late in (engine.write(row(301), LONG), engine.read(numbers, LONG)):
            with pytest.raises(StoreUnavailable):
                await late
    assert on_disk(path) == list(range(300))


async def test_a_read_sees_what_was_acknowledged_before_it(tmp_path: Path) -> None:
    async with opened(tmp_path / "store.db") as engine:

        async def write_then_read(number: int) -> None:
            await engine.write(row(number), LONG)
            assert number in await engine.read(numbers, LONG)

        await asyncio.gather(*(write_then_read(number) for number in range(60)))


async def test_a_read_sees_one_moment_however_long_it_takes(tmp_path: Path) -> None:
    async with opened(tmp_path / "store.db") as engine:
        read_once, go_on = threading.Event(), threading.Event()

        def twice(connection: Connection) -> tuple[list[int], list[int]]:
            before = numbers(connection)
            read_once.set()
            go_on.wait(LONG)
            return before, numbers(connection)

        reading = asyncio.ensure_future(engine.read(twice, LONG))
        await asyncio.to_thread(read_once.wait, LONG)
        await engine.write(row(1), LONG)
        go_on.set()
        assert await reading == ([], [])


async def test_a_read_cannot_write(tmp_path: Path) -> None:
    async with opened(tmp_path / "store.db") as engine:
        with pytest.raises((StoreUnavailable, StatementFailed)):
            await engine.read(row(1), LONG)
        assert on_disk(tmp_path / "store.db") == []


async def test_reads_past_their_deadline_are_stopped_and_free_their_threads(
    tmp_path: Path,
) -> None:
    async with opened(tmp_path / "store.db") as engine:
        started = time.monotonic()
        slow = (
            engine.read(lambda c: c.execute(text(ENDLESS)).scalar(), 0.2)
            for _ in range(2 * READERS)
        )
        for outcome in await asyncio.gather(*slow, return_exceptions=True):
            assert isinstance(outcome, StoreUnavailable)
            assert not outcome.maybe_done
        assert time.monotonic() - started < 1
        # Each needs a thread of its own to come to an end.
        together = threading.Barrier(READERS)
        reads = (engine.read(lambda _: together.wait(LONG), 5) for _ in range(READERS))
        assert sorted(await asyncio.gather(*reads)) == list(range(READERS))


async def test_a_cancelled_read_is_stopped(tmp_path: Path) -> None:
    async with opened(tmp_path / "store.db") as engine:
        reading = asyncio.ensure_future(
            engine.read(lambda c: c.execute(text(ENDLESS)).scalar(), LONG)
        )
        await asyncio.sleep(0.05)
        reading.cancel()
        async with asyncio.timeout(2):
            await engine.close()


async def test_a_read_that_raises_what_no_future_can_hold_has_an_end(tmp_path: Path) -> None:
    async with opened(tmp_path / "store.db") as engine:
        with pytest.raises(RuntimeError):
            await engine.read(lambda _: next(iter(())), LONG)
        assert await engine.read(numbers, LONG) == []


async def test_another_process_with_the_write_lock_is_waited_for_and_survived(
    tmp_path: Path,
) -> None:
    path = tmp_path / "store.db"
    async with opened(path, busy=0.2) as engine:
        with closing(sqlite3.connect(path, isolation_level=None)) as other:
            other.execute("BEGIN IMMEDIATE")
            outcomes = await asyncio.gather(
                *(engine.write(row(one), LONG) for one in range(5)), return_exceptions=True
            )
            for outcome in outcomes:
                assert isinstance(outcome, StoreUnavailable)
                assert outcome.log == "database is locked"
                assert not outcome.maybe_done
            # Whoever leaves before the file is free has changed nothing.
            with pytest.raises(StoreUnavailable) as refused:
                await engine.write(row(7), 0.05)
            assert not refused.value.maybe_done
            assert await engine.read(numbers, LONG) == []
            other.execute("ROLLBACK")
        assert await engine.write(row(8), LONG) == 8
        assert on_disk(path) == [8]


async def test_another_process_writes_beside_and_is_noticed(tmp_path: Path) -> None:
    path = tmp_path / "store.db"
    async with opened(path) as engine:
        await engine.write(row(1), LONG)
        with closing(sqlite3.connect(path, isolation_level=None)) as other:
            other.execute("INSERT INTO rows VALUES (2)")
        assert await engine.read(numbers, LONG) == [1, 2]


@pytest.mark.parametrize("is_replaced", [False, True])
async def test_once_its_file_was_deleted_nothing_is_acknowledged_or_read(
    is_replaced: bool, tmp_path: Path
) -> None:
    path = tmp_path / "store.db"
    async with opened(path) as engine:
        await engine.write(row(1), LONG)
        await engine.read(numbers, LONG)
        lose(path, is_replaced)
        for _ in range(2):
            with pytest.raises(StoreUnavailable) as failed:
                await engine.write(row(2), LONG)
            assert "deleted or replaced" in failed.value.log
            assert not failed.value.maybe_done
            with pytest.raises(StoreUnavailable, match="not available"):
                await engine.read(numbers, LONG)
    assert names_in(tmp_path) == (["store.db"] if is_replaced else [])


async def test_what_is_no_database_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "store.db"
    path.write_bytes(b"something else entirely" * 100)
    engine = SQLite(path, 1)
    with pytest.raises(CannotOpen, match="file is not a database"):
        await engine.open()
    await engine.close()
    assert path.read_bytes() == b"something else entirely" * 100


async def test_one_server_keeps_another_away_until_it_closes(tmp_path: Path) -> None:
    first, second = (SQLite(tmp_path / "store.db", 1) for _ in range(2))
    first.lock()
    with pytest.raises(CannotOpen, match=r"another server uses .*PostgreSQL"):
        second.lock()
    await first.close()
    second.lock()
    await second.close()


def test_the_lock_dies_with_a_killed_process(tmp_path: Path) -> None:
    path = tmp_path / "store.db"
    code = (
        "import sys, time; from pathlib import Path; from tornado_cc.store.sqlite import SQLite;"
        " engine = SQLite(Path(sys.argv[1]), 1); engine.lock(); print('locked', flush=True);"
        " time.sleep(60)"
    )
    with subprocess.Popen([sys.executable, "-c", code, path], stdout=subprocess.PIPE) as child:
        try:
            assert child.stdout is not None
            assert child.stdout.readline() == b"locked\n"
            engine = SQLite(path, 1)
            with pytest.raises(CannotOpen):
                engine.lock()
        finally:
            os.kill(child.pid, signal.SIGKILL)
    engine.lock()
    asyncio.run(engine.close())
