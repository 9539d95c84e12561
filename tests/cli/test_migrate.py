"""`migrate`, and what a start and a command say to tables of another tornado_cc."""

import sqlite3
from pathlib import Path

import pytest

from tests.cli.running import done, refused, run, serving, write_conf
from tests.postgres import Cluster
from tornado_cc.settings import Database

NEWER = "the database was made by a newer tornado_cc than this one; install that or a later one"


def write(folder: Path, url: str) -> Path:
    return write_conf(folder, f"[server]\n[store]\nurl = {url}\n")


def test_it_makes_the_tables_once_and_then_does_nothing(store_url: str, tmp_path: Path) -> None:
    path = write(tmp_path, store_url)
    place = Database.parse(store_url).place
    assert done("--conf", path, "migrate") == f"{place}: the tables are up to date now\n"
    again = done("--conf", path, "migrate")
    assert again == f"{place}: the tables were up to date, nothing was done\n"
    assert done("--conf", path, "users", "list", "--json") == "[]\n"


def test_a_command_on_a_postgresql_without_tables_says_what_to_run(
    postgres_url: str, tmp_path: Path
) -> None:
    line = refused(70, "--conf", write(tmp_path, postgres_url), "users", "list")
    assert "run `python -m tornado_cc --conf FILE migrate`" in line


def test_a_newer_sqlite_is_refused_by_commands_and_by_a_server(tmp_path: Path) -> None:
    path = write(tmp_path, f"sqlite:///{tmp_path}/store.db")
    done("--conf", path, "migrate")
    with sqlite3.connect(tmp_path / "store.db") as connection:
        connection.execute("UPDATE alembic_version SET version_num = '9999'")
    connection.close()
    for arguments in (("migrate",), ("users", "list"), ("config", "list")):
        assert refused(70, "--conf", path, *arguments).endswith(NEWER)
    ended = run("--conf", path)
    assert (ended.code, ended.stderr.splitlines()[-1]) == (70, f"tornado_cc: {NEWER}")


def test_a_newer_postgresql_is_refused(postgres_url: str, cluster: Cluster, tmp_path: Path) -> None:
    path = write(tmp_path, postgres_url)
    done("--conf", path, "migrate")
    cluster.sql(
        "UPDATE alembic_version SET version_num = '9999'", database=postgres_url.rpartition("/")[2]
    )
    for arguments in (("migrate",), ("users", "list")):
        assert refused(70, "--conf", path, *arguments).endswith(NEWER)


@pytest.mark.parametrize("verb", [("migrate",), ("users", "list")])
def test_old_tables_of_a_server_that_runs_are_left_alone(
    tmp_path: Path, verb: tuple[str, ...]
) -> None:
    with serving(tmp_path, "[server]\n"):
        path = tmp_path / "test.ini"
        assert "nothing was done" in done("--conf", path, "migrate")
        with sqlite3.connect(tmp_path / "store.db") as connection:
            connection.execute("DELETE FROM alembic_version")
        connection.close()
        assert "another server uses" in refused(70, "--conf", path, *verb)
