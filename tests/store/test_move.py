"""Everything of one database copied into another, on one engine and across."""

import asyncio
import contextlib
import sqlite3
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.cli.running import get, misused, run, serving
from tests.store.moving import POINTER, RECORD, fill, moved
from tests.store.moving import new_url as new_url
from tests.store.opened import make_tables, opened
from tornado_cc.store import Store
from tornado_cc.store.lanes import NewDelivery
from tornado_cc.store.move import MoveRefused, NotUsable

SKYGEAR = "[server]\n[dialect:skygear]\napi_key = Kq81-xz\n[store]\nurl = {url}\n"
ME = """
from tornado_cc import Plugin
from tornado_cc.skygear import current_user_id

plugin = Plugin("who")

@plugin.handler("me", user_required=True)
def me(request):
    return {"user_id": current_user_id()}
"""


async def content(store: Store) -> dict[str, Any]:
    """All that a plugin and an operator can see."""
    players = [await store.players.load(one) for one in ("a1", "p1")]
    return {
        "users": list(await store.users.all()),
        "players": [
            (one.external_ids, one.private_data, one.script_data) for one in players if one
        ],
        "config": await store.config.all(),
        "movies": await store.objects.find("Movie"),
        "many": await store.objects.find("Many", limit=1000, order="n"),
        "deliveries": await store.deliveries.find(),
        "request": await store.requests.get(RECORD.id),
        "pointing": await store.objects.count("Movie", {"to": POINTER}),
    }


@pytest.mark.parametrize("target", ["sqlite", "postgresql"])
@pytest.mark.parametrize("source", ["sqlite", "postgresql"])
async def test_everything_arrives_on_either_engine(
    source: str, target: str, new_url: Callable[[str], str]
) -> None:
    old = new_url(source)
    await make_tables(old)
    token = await fill(old)
    new = new_url(target)
    noticed: list[tuple[str, int, int]] = []
    tables = await moved(old, new, notice=lambda *one: noticed.append(one))
    rows = {one.table: one.source for one in tables}
    assert all(one.source == one.target for one in tables)
    assert rows == {
        "users": 2,
        "sessions": 2,
        "player_data": 2,
        "config": 2,
        "versions": 1,
        "objects": 251,
        "requests": 1,
        "deliveries": 2,
        "receipts": 1,
        "schedules": 1,
    }
    assert {(table, done) for table, done, total in noticed if done == total} == {*rows.items()}
    async with opened(old, command=True) as one, opened(new) as other:
        assert await content(other) == await content(one)
        owner = await other.users.by_token(token)
        assert owner is not None
        assert owner.id == "a1"
        await other.users.log_in("alice", "a password")
        # What is added from now on comes after what was copied.
        new_one = NewDelivery(kind="hook", plugin="p", target="t", payload="{}", lane="l")
        await other.outbox.add([new_one])
        last, *_ = await other.deliveries.find()
        assert (last.number, last.id, last.state) == (3, new_one.id, "waiting")
        # Another change is seen by those who have the configuration in memory.
        await other.config.save({"greeting": "Ho"})
        assert (await other.config.get())["greeting"] == "Ho"


async def test_a_move_to_postgresql_and_back_by_the_command(
    new_url: Callable[[str], str], tmp_path: Path
) -> None:
    first, second, third = new_url("sqlite"), new_url("postgresql"), f"sqlite:///{tmp_path}/b.db"
    await make_tables(first)
    token = await fill(first)
    reference = tmp_path / "url"
    reference.write_text(f"{second}\n")
    there = await command("move", "--from", first, "--to", f"file:{reference}")
    assert [line.split() for line in there.splitlines()[:-1]] == [
        ["table", "rows", "there", "rows", "here"],
        ["config", "2", "2"],
        ["deliveries", "2", "2"],
        ["objects", "251", "251"],
        ["receipts", "1", "1"],
        ["requests", "1", "1"],
        ["schedules", "1", "1"],
        ["users", "2", "2"],
        ["versions", "1", "1"],
        ["player_data", "2", "2"],
        ["sessions", "2", "2"],
    ]
    await command("move", "--from", "env:URL_OF_IT", "--to", third, URL_OF_IT=second)
    with serving(tmp_path, SKYGEAR.format(url=third), {"who": ME}) as running:
        headers = {"X-Skygear-API-Key": "Kq81-xz", "X-Skygear-Access-Token": token}
        assert get(running, "/me", headers) == (200, {"user_id": "a1"})
        # Neither from nor to a file that a server uses.
        for one, other in ((third, f"sqlite:///{tmp_path}/c.db"), (first, third)):
            ended = await asyncio.to_thread(run, "move", "--from", one, "--to", other)
            assert (ended.code, ended.stdout) == (70, "")
            assert ended.stderr.startswith("tornado_cc: no server may run during a move: another")
            assert len(ended.stderr.splitlines()) == 1


async def command(*arguments: str, **environ: str) -> str:
    """What a move prints that goes well; it says what it cannot know, and no password."""
    ended = await asyncio.to_thread(run, *arguments, environ=environ)
    assert ended.code == 0, ended.stderr
    (note,) = ended.stderr.splitlines()
    assert note.startswith("tornado_cc: note: no server may use postgresql://127.0.0.1:")
    assert "@" not in ended.stdout + ended.stderr
    return ended.stdout


@pytest.mark.parametrize("engine", ["sqlite", "postgresql"])
async def test_a_target_that_is_not_empty_is_refused_and_left_alone(
    engine: str, new_url: Callable[[str], str]
) -> None:
    source, target = new_url("sqlite"), new_url(engine)
    await make_tables(source)
    await fill(source)
    await make_tables(target)
    async with opened(target, command=True) as store:
        await store.config.save({"here": 1})
    with pytest.raises(MoveRefused, match="is not empty, it has rows in config, versions"):
        await moved(source, target)
    async with opened(target, command=True) as store:
        assert await store.config.get() == {"here": 1}
        assert not await store.users.all()


@pytest.mark.parametrize("engine", ["sqlite", "postgresql"])
async def test_what_goes_wrong_in_the_middle_leaves_the_target_empty(
    engine: str, new_url: Callable[[str], str]
) -> None:
    source, target = new_url("sqlite"), new_url(engine)
    await make_tables(source)
    await fill(source)
    with contextlib.closing(sqlite3.connect(source.removeprefix("sqlite:///"))) as connection:
        # The last of many rows cannot be read.
        connection.execute("UPDATE objects SET fields = '{' WHERE object_id = 'o249'")
        connection.commit()
    with pytest.raises(NotUsable, match="a value in it is not JSON"):
        await moved(source, target)
    await make_tables(target)
    async with opened(target) as store:
        assert not await store.users.all()
        assert await store.objects.count("Many") == 0


async def test_a_row_that_postgresql_refuses_is_said_without_its_values(
    new_url: Callable[[str], str],
) -> None:
    source, target = new_url("sqlite"), new_url("postgresql")
    await make_tables(source)
    await fill(source)
    with contextlib.closing(sqlite3.connect(source.removeprefix("sqlite:///"))) as connection:
        connection.execute("UPDATE users SET display_name = 'CANARY' || char(0) WHERE id = 'a1'")
        connection.commit()
    with pytest.raises(NotUsable) as raised:
        await moved(source, target)
    assert str(raised.value).startswith("cannot use postgresql://127.0.0.1:")
    assert "22021" in str(raised.value)
    assert "CANARY" not in str(raised.value)


async def test_a_source_that_cannot_be_copied_is_said(tmp_path: Path) -> None:
    target = f"sqlite:///{tmp_path}/new.db"
    with pytest.raises(NotUsable, match=r"nosuch\.db: there is no such file"):
        await moved(f"sqlite:///{tmp_path}/nosuch.db", target)
    assert not (tmp_path / "nosuch.db").exists()
    (tmp_path / "bare.db").touch()
    with pytest.raises(NotUsable, match=r"bare\.db: the database has not the tables"):
        await moved(f"sqlite:///{tmp_path}/bare.db", target)
    with pytest.raises(NotUsable, match=r"postgresql://127\.0\.0\.1:9/x: "):
        await moved("postgresql://a:CANARY@127.0.0.1:9/x", target)
    with pytest.raises(MoveRefused, match="cannot be copied into itself"):
        await moved(target, f"sqlite:///{tmp_path}/../{tmp_path.name}/new.db")


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        ((), "Missing option '--to'"),
        (("--to", "sqlite:///x.db"), "Missing option '--conf'"),
        (("--to", "mysql://a:CANARY@b/c", "--from", "sqlite:///x.db"), "is not a database URL"),
        (("--to", "env:NOT_SET_HERE", "--from", "sqlite:///x.db"), "NOT_SET_HERE is not set"),
        (("--to", "file:/nosuch", "--from", "sqlite:///x.db"), "cannot be read: No such file"),
    ],
)
def test_a_url_that_is_none_is_said_without_quoting_it(
    arguments: tuple[str, ...], words: str
) -> None:
    said = misused("move", *arguments)
    assert words in said
    assert "CANARY" not in said
