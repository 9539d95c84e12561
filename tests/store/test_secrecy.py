"""What a dump of the database, a repr and an error tell."""

import asyncio
import base64
import contextlib
import itertools
import logging
import sqlite3
from pathlib import Path
from typing import Any, Literal

import pytest
from argon2 import PasswordHasher
from sqlalchemy import Connection, text

from tests.postgres import SUPERUSER, Cluster
from tests.processes import free_port
from tests.store import opened as fixtures
from tornado_cc.settings import Database, StoreSettings
from tornado_cc.store import BadCredentials, CannotOpen, Store, StoreError, StoreUnavailable

migrated_file, migrated_server = fixtures.migrated_file, fixtures.migrated_server
migrated_url, store = fixtures.migrated_url, fixtures.store

FIRST, SECOND, WRONG = "first password", "second password", "wrong password"
SECRET = "Zzyzx"


async def used(store: Store) -> list[str]:
    """Log in and out, change the password, and return every secret that came by."""
    ada = await store.users.add("ada", FIRST)
    sessions = [await store.users.issue(ada.id), await store.users.log_in("ada", FIRST)]
    with contextlib.suppress(BadCredentials):
        await store.users.log_in("ada", WRONG)
    await store.users.set_password(ada.id, SECOND)
    sessions.append(await store.users.log_in("ada", SECOND))
    await store.users.log_out(sessions[-1].token)
    sessions.append(await store.users.log_in("ada", SECOND))
    tokens = [session.token for session in sessions]
    return [FIRST, SECOND, WRONG, *tokens, *(token.removeprefix("tcc_") for token in tokens)]


def spellings(secret: str) -> list[bytes]:
    raw = secret.encode()
    return [raw, raw.hex().encode(), base64.b64encode(raw).rstrip(b"=")]


def assert_holds_none(dump: bytes, secrets: list[str]) -> None:
    for secret in secrets:
        for spelling in spellings(secret):
            assert spelling not in dump


def raw_files(store_file: Path) -> bytes:
    return b"".join(file.read_bytes() for file in store_file.parent.glob(f"{store_file.name}*"))


async def test_a_dump_holds_no_password_and_no_token(
    store: Store, request: pytest.FixtureRequest
) -> None:
    secrets = await used(store)
    if store.place.startswith("sqlite"):
        file = Path(store.place.removeprefix("sqlite:///"))
        with contextlib.closing(sqlite3.connect(file)) as connection:
            dump = "\n".join(connection.iterdump()).encode() + raw_files(file)
    else:
        cluster: Cluster = request.getfixturevalue("cluster")
        where = ("--host", "127.0.0.1", "--port", str(cluster.port), "--username", SUPERUSER)
        database = store.place.rpartition("/")[2]
        dump = cluster.run("pg_dump", *where, "--inserts", database).encode()
    assert b"$argon2id$v=19$m=19456,t=2,p=1$" in dump
    assert b"ada" in dump
    assert_holds_none(dump, secrets)


async def test_nothing_that_is_logged_holds_a_password_or_a_token(
    store: Store, caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level(logging.DEBUG):
        secrets = await used(store)
    assert_holds_none(caplog.text.encode(), secrets)


async def test_the_repr_of_a_session_and_of_a_player_tells_who_only(store: Store) -> None:
    ada = await store.users.add("ada", FIRST)
    session = await store.users.issue(ada.id)
    assert repr(session) == f"<Session of {ada.id} until None>"
    assert session.token not in str(session)
    player = await store.players.load(ada.id)
    assert player is not None
    player.private_data["card"] = SECRET
    assert repr(player) == str(player) == f"<Player {ada.id}>"


def test_nothing_about_a_database_shows_its_password() -> None:
    url = "postgresql://ada:hunter%21two@127.0.0.1:1/name?sslmode=disable"
    settings = StoreSettings(url=Database.parse(url))
    store = Store(settings)
    shown: list[Any] = [settings, settings.url, settings.url.dsn, store, store.engine, store.place]
    shown += [vars(store), vars(store.engine), store.users, store.players, store.config]
    for one in shown:
        for spelt in (repr(one), str(one), f"{one}"):
            assert "hunter" not in spelt
    assert "hunter" not in settings.model_dump_json(fallback=repr)


class Counted(PasswordHasher):
    """Counts the hashes it compares with."""

    verified = 0

    def verify(
        self,
        hash: str | bytes,  # noqa: A002 - theirs
        password: str | bytes,
    ) -> Literal[True]:
        self.verified += 1
        return super().verify(hash, password)


async def test_an_unknown_name_costs_as_much_as_a_known_one(store: Store) -> None:
    await store.users.add("ada", FIRST)
    await store.users.add("passwordless")
    hasher = Counted(time_cost=2, memory_cost=19 * 1024, parallelism=1)
    store._passwords._hasher = hasher
    names, passwords = ("ada", "passwordless", "nobody", "\0"), (WRONG, "", "x" * 5000, "\ud800")
    for count, (name, password) in enumerate(itertools.product(names, passwords), 1):
        with pytest.raises(BadCredentials):
            await store.users.log_in(name, password)
        assert hasher.verified == count
    await store.users.log_in("ada", FIRST)
    assert hasher.verified == len(names) * len(passwords) + 1


FAILURES = (
    "SELECT missing FROM users WHERE user_name = :value",
    "INSERT INTO users (id, user_name) VALUES (:value, :value)",
    "INSERT INTO sessions (token_hash, user_id, created_at) VALUES ('x', :value, '')",
    "INSERT INTO versions (name, number) VALUES (:value, 1), (:value, 1)",
    "SELECT length(:value) / CAST(:value AS integer) FROM missing",
)


@pytest.mark.parametrize("statement", FAILURES)
async def test_what_fails_in_the_database_tells_no_value(
    store: Store, caplog: pytest.LogCaptureFixture, statement: str
) -> None:
    def fail(connection: Connection) -> None:
        connection.execute(text(statement), {"value": SECRET})

    with caplog.at_level(logging.DEBUG):
        (error,) = await asyncio.gather(store.engine.write(fail, 30), return_exceptions=True)
    assert isinstance(error, Exception)
    told = [str(error), repr(error), *map(str, error.args), caplog.text]
    if isinstance(error, StoreError):
        told += [error.message, error.log]
    assert not [one for one in told if SECRET in one]


@pytest.mark.parametrize("is_there", [True, False])
async def test_a_database_that_cannot_be_used_tells_no_secret(
    cluster: Cluster, is_there: bool
) -> None:
    port = cluster.port if is_there else free_port()
    database = Database.parse(f"postgresql://ada:{SECRET}@127.0.0.1:{port}/nothing")
    store = Store(StoreSettings(url=database, timeout=5))
    try:
        with pytest.raises(CannotOpen if is_there else StoreUnavailable) as refused:
            await store.open_for_command()
        told = f"{refused.value} {getattr(refused.value, 'log', '')}"
        assert told.strip()
        assert SECRET not in told
    finally:
        await store.close()
