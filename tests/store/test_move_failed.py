"""What a move leaves behind that fails or is ended."""

import asyncio
import contextlib
import signal
import sqlite3
import subprocess
import threading
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.cli.running import PATIENCE, command, environment, until
from tests.store.moving import fill, moved
from tests.store.moving import new_url as new_url
from tests.store.opened import make_tables, opened
from tornado_cc.settings import Database
from tornado_cc.store import tables
from tornado_cc.store.move import NotUsable, _opened
from tornado_cc.store.sqlite import SQLite


async def fill_with_many(url: str) -> None:
    """So much that copying it takes a while."""
    await make_tables(url)
    row = {"class_name": "Row", "fields": {}, "created_at": "", "updated_at": ""}
    rows = [{**row, "object_id": str(number)} for number in range(200_000)]
    async with opened(url, command=True) as store:
        new = tables.objects.insert()
        await store.engine.write(lambda connection: connection.execute(new, rows), 60)


@pytest.mark.parametrize("was_there", [False, True])
async def test_a_move_that_fails_leaves_no_file_that_was_not_there(
    new_url: Callable[[str], str], tmp_path: Path, was_there: bool
) -> None:
    source = new_url("sqlite")
    await make_tables(source)
    await fill(source)
    with contextlib.closing(sqlite3.connect(source.removeprefix("sqlite:///"))) as connection:
        connection.execute("UPDATE objects SET fields = '{' WHERE object_id = 'o249'")
        connection.commit()
    target = tmp_path / "folder" / "new.db"
    if was_there:
        await make_tables(f"sqlite:///{target}")
    with pytest.raises(NotUsable, match="a value in it is not JSON"):
        await moved(source, f"sqlite:///{target}")
    left = {one.name for one in target.parent.iterdir()}
    assert left == ({"new.db", "new.db.lock"} if was_there else set())
    if was_there:
        async with opened(f"sqlite:///{target}") as store:
            assert not await store.users.all()


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_move_that_is_ended_leaves_no_file_that_was_not_there(
    new_url: Callable[[str], str], tmp_path: Path, number: signal.Signals
) -> None:
    source, target = new_url("sqlite"), tmp_path / "folder" / "new.db"
    asyncio.run(fill_with_many(source))
    with subprocess.Popen(
        command("move", "--from", source, "--to", f"sqlite:///{target}"),
        env=environment(),
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    ) as process:
        # Once there is a log, the copy is under way.
        until(target.with_name("new.db-wal").exists)
        process.send_signal(number)
        output = process.communicate(timeout=PATIENCE)
    assert (process.returncode, *output) == (
        1,
        b"",
        f"tornado_cc: interrupted; sqlite:///{target} is left without any of it\n".encode(),
    )
    assert not [*target.parent.iterdir()]


async def test_a_move_that_is_ended_while_a_thread_opens_the_file_leaves_none(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    is_opening, look = threading.Event(), SQLite._check_file

    def slowly(engine: SQLite) -> None:
        look(engine)
        is_opening.set()
        time.sleep(0.2)

    async def open_only() -> None:
        async with _opened(Database.parse(f"sqlite:///{tmp_path}/folder/new.db"), alone=True):
            raise AssertionError

    monkeypatch.setattr(SQLite, "_check_file", slowly)
    opening = asyncio.ensure_future(open_only())
    await asyncio.to_thread(is_opening.wait, PATIENCE)
    opening.cancel()
    with pytest.raises(asyncio.CancelledError):
        await opening
    assert not [*(tmp_path / "folder").iterdir()]


async def test_a_source_whose_folder_takes_no_lock_is_not_taken_for_one_in_use(
    new_url: Callable[[str], str], tmp_path: Path
) -> None:
    source = Path(new_url("sqlite").removeprefix("sqlite:///"))
    await make_tables(f"sqlite:///{source}")
    # As on a read-only file system, which only root can make.
    lock = source.with_name(f"{source.name}.lock")
    lock.unlink(missing_ok=True)
    lock.mkdir()
    with pytest.raises(NotUsable) as raised:
        await moved(f"sqlite:///{source}", f"sqlite:///{tmp_path}/new.db")
    assert str(raised.value) == f"cannot use sqlite:///{source}: cannot open {lock}: Is a directory"
    assert not (tmp_path / "new.db").exists()
