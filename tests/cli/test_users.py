"""`users`, beside a server that runs and on either engine."""

import json
import subprocess
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from tests.cli.running import (
    Running,
    command,
    done,
    environment,
    get,
    misused,
    on_terminal,
    refused,
    run,
    serving,
    write_conf,
)
from tests.store.opened import make_tables, opened
from tornado_cc.store import BadCredentials

SKYGEAR = """
[server]
[log]
level = debug
[dialect:skygear]
api_key = Kq81-xz
"""
ME = """
from tornado_cc import Plugin
from tornado_cc.skygear import current_user_id

plugin = Plugin("who")

@plugin.handler("me", user_required=True)
def me(request):
    return {"user_id": current_user_id()}
"""


@pytest.fixture
def conf(tmp_path: Path) -> Path:
    """A conf whose other sections are not complete: their secrets are the server's."""
    return write_conf(tmp_path, "[server]\n[dialect:parse]\nwebhook_key = env:NOT_SET_HERE\n")


def me(running: Running, token: str) -> tuple[int, Any]:
    return get(running, "/me", {"X-Skygear-API-Key": "Kq81-xz", "X-Skygear-Access-Token": token})


def fired(running: Running) -> list[str]:
    return [line["hook"] for line in running.logged("hook fired")]


def test_a_server_that_runs_notices_users_and_tokens_at_once(tmp_path: Path) -> None:
    with serving(tmp_path, SKYGEAR, {"who": ME}) as running:
        path = tmp_path / "test.ini"
        assert done("--conf", path, "users", "add", "alice", "--id", "a1") == (
            "alice (id a1) is added\n"
        )
        assert fired(running) == []
        ended = run("--conf", path, "users", "token", "alice")
        assert ended.code == 0
        token = ended.stdout.rstrip("\n")
        assert "shown this once" in ended.stderr
        assert token not in ended.stderr
        assert me(running, token) == (200, {"user_id": "a1"})
        assert fired(running) == ["http_endpoint"]

        done("--conf", path, "users", "disable", "a1", "--message", "Too loud")
        status, body = me(running, token)
        assert (status, body["error"]["code"]) == (403, 127)
        assert body["error"]["info"]["message"] == "Too loud"
        done("--conf", path, "users", "enable", "alice")
        assert me(running, token)[0] == 200

        done("--conf", path, "users", "revoke", "alice")
        assert me(running, token)[0] == 401
        assert fired(running) == ["http_endpoint", "http_endpoint"]
        assert token not in running.stderr


def test_an_expired_token_counts_no_more(tmp_path: Path) -> None:
    with serving(tmp_path, SKYGEAR, {"who": ME}) as running:
        path = tmp_path / "test.ini"
        done("--conf", path, "users", "add", "alice")
        token = run("--conf", path, "users", "token", "alice", "--expires", "1s").stdout.strip()
        lasting = run("--conf", path, "users", "token", "alice", "--expires", "never")
        assert "it never ends" in lasting.stderr
        time.sleep(1.1)
        assert me(running, token)[0] == 401
        assert me(running, lasting.stdout.strip())[0] == 200


async def test_every_command_works_on_either_engine(store_url: str, tmp_path: Path) -> None:
    await make_tables(store_url)
    path = write_conf(tmp_path, f"[server]\n[store]\nurl = {store_url}\n")
    users = ("--conf", path, "users")
    done(*users, "add", "alice", "--id", "a1", "--unverified", "--display-name", "Alice A.")
    done(*users, "add", "bob", "--id", "b2", "--password-stdin", stdin=b"first word\n")
    assert show(path, "a1") == {
        "id": "a1",
        "user_name": "alice",
        "display_name": "Alice A.",
        "verified": False,
        "disabled": False,
        "disabled_message": None,
        "disabled_until": None,
        "password_set_at": None,
    }
    assert done(*users, "verify", "alice") == "alice (id a1) is verified\n"
    assert show(path, "alice")["verified"]
    assert done(*users, "disable", "bob", "--until", "2100-01-01T01:00+01:00") == (
        "bob (id b2) is disabled until 2100-01-01T00:00:00.000Z\n"
    )
    assert show(path, "bob")["disabled"]
    assert done(*users, "enable", "b2") == "bob (id b2) is enabled\n"
    assert not show(path, "bob")["disabled"]
    async with opened(store_url, command=True) as store:
        await store.users.log_in("bob", "first word")
        done(*users, "password", "bob", "--password-stdin", stdin="zweites Wört\r\n".encode())
        await store.users.log_in("bob", "zweites Wört")
        with pytest.raises(BadCredentials):
            await store.users.log_in("bob", "first word")
    assert [one["id"] for one in json.loads(done(*users, "list", "--json"))] == ["a1", "b2"]


def show(path: Path, user: str) -> dict[str, Any]:
    shown: dict[str, Any] = json.loads(done("--conf", path, "users", "show", user, "--json"))
    assert shown.pop("created_at").endswith("Z")
    return shown


def test_a_password_comes_from_a_file_and_never_shows(conf: Path, tmp_path: Path) -> None:
    file = tmp_path / "password"
    file.write_text("Zx8-CANARY\n")
    shown = done("--conf", conf, "users", "add", "alice", "--password-file", file)
    shown += done("--conf", conf, "users", "show", "alice")
    shown += done("--conf", conf, "users", "list")
    shown += done("--conf", conf, "users", "list", "--json")
    assert json.loads(done("--conf", conf, "users", "show", "alice", "--json"))["password_set_at"]
    assert "CANARY" not in shown
    assert "argon2" not in shown


def test_a_password_is_asked_for_twice_on_a_terminal(conf: Path) -> None:
    arguments = ("--conf", conf, "users", "add", "alice", "--password")
    code, screen = on_terminal("Zx8-CANARY\nZx8-CANARY\n", *arguments)
    assert (code, screen.splitlines()[-1][:9]) == (0, "alice (id")
    assert "Repeat for confirmation" in screen
    assert "CANARY" not in screen
    assert "asks on a terminal" in misused(*arguments)


@pytest.mark.parametrize(
    ("stdin", "words"),
    [(b"", "one line"), (b"\n", "one line"), (b"a\nb\n", "one line"), (b"\xff\n", "not UTF-8")],
)
def test_a_password_is_one_line(conf: Path, stdin: bytes, words: str) -> None:
    arguments = ("--conf", conf, "users", "add", "alice", "--password-stdin")
    assert words in misused(*arguments, stdin=stdin)


def test_a_password_too_long_is_refused(conf: Path) -> None:
    arguments = ("--conf", conf, "users", "add", "alice", "--password-stdin")
    assert refused(1, *arguments, stdin=b"x" * 1025) == "A password has 1 to 1024 characters"


def test_what_is_refused_is_said_in_one_line(conf: Path) -> None:
    done("--conf", conf, "users", "add", "alice", "--id", "a1")
    users = ("--conf", conf, "users")
    exists = "A user with this name or id exists already"
    assert refused(1, *users, "add", "alice") == exists
    assert refused(1, *users, "add", "other", "--id", "a1") == exists
    assert "no white space" in refused(1, *users, "add", "bo\x1bb")
    assert "made of" in refused(1, *users, "add", "bob", "--id", "a/b")
    for verb in ("show", "disable", "enable", "verify", "token", "revoke"):
        assert refused(1, *users, verb, "no\nbody") == r"there is no user no\nbody"


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (("disable", "a", "--until", "tomorrow"), "no time in ISO 8601"),
        (("disable", "a", "--until", "2100-01-01"), "needs a time zone"),
        (("disable", "a", "--until", "2000-01-01T00:00Z"), "is over"),
        (("token", "a", "--expires", "30"), "as in 30d, or never"),
        (("token", "a", "--expires", "0d"), "more than nothing"),
        (("token", "a", "--expires", "999999999w"), "at most 100 years"),
        (("password", "a"), "Give one of --password, --password-stdin"),
        (("add", "a", "--password", "--password-stdin"), "Give one of --password"),
        (("add", "a", "--password-file", "/nosuch/file"), "cannot be read: No such file"),
        (("add", "\udcff"), "is not UTF-8"),
    ],
)
def test_what_is_not_written_as_it_has_to_be_is_said(
    conf: Path, arguments: tuple[str, ...], words: str
) -> None:
    assert words in misused("--conf", conf, "users", *arguments)


def test_the_table_escapes_what_would_move_the_cursor_and_cuts_nothing(conf: Path) -> None:
    name = "[red]" + "x" * 120
    display = "a\x1b[31m\nb\u202e"
    done("--conf", conf, "users", "add", name, "--id", "a1", "--display-name", display)
    done("--conf", conf, "users", "add", "bob", "--id", "b2")
    head, first, second = done("--conf", conf, "users", "list").splitlines()
    assert head.split() == ["id", "name", "display", "name", "verified", "disabled", "created"]
    assert first.split()[:4] == ["a1", name, r"a\x1b[31m\nb\u202e", "yes"]
    assert second.split()[:5] == ["b2", "bob", "-", "yes", "no"]
    (one, _) = json.loads(done("--conf", conf, "users", "list", "--json"))
    assert (one["user_name"], one["display_name"]) == (name, display)


async def test_more_users_than_a_page_are_all_listed(conf: Path, tmp_path: Path) -> None:
    async with opened(f"sqlite:///{tmp_path}/store.db") as store:
        for number in range(1001):
            await store.players.create(f"p{number:04}")
    ids = [one["id"] for one in json.loads(done("--conf", conf, "users", "list", "--json"))]
    assert ids == [f"p{number:04}" for number in range(1001)]
    lines = done("--conf", conf, "users", "list").splitlines()
    assert [line.split()[0] for line in lines if not line.startswith("id ")] == ids


def test_a_name_that_is_somebody_elses_id_is_refused(conf: Path) -> None:
    done("--conf", conf, "users", "add", "alice", "--id", "a1")
    done("--conf", conf, "users", "add", "a1", "--id", "b2")
    line = refused(1, "--conf", conf, "users", "disable", "a1")
    assert line == (
        "a1 is the name of the user with the id b2 and the id of alice (id a1);"
        " say b2 for the first"
    )
    done("--conf", conf, "users", "disable", "b2")
    done("--conf", conf, "users", "disable", "alice")


def test_a_database_that_cannot_be_used_is_said_in_one_line(tmp_path: Path) -> None:
    (tmp_path / "store.db").write_text("this is no database" * 100)
    path = write_conf(tmp_path, "[server]\n")
    assert "file is not a database" in refused(70, "--conf", path, "users", "list")
    url = "postgresql://someone:Zx8-CANARY@127.0.0.1:9/nothing"
    path = write_conf(tmp_path, f"[server]\n[store]\nurl = {url}\n")
    line = refused(70, "--conf", path, "users", "list")
    assert line.startswith("cannot use postgresql://127.0.0.1:9/nothing: Connect")
    assert "CANARY" not in line


@pytest.mark.parametrize(
    ("text", "environ", "words"),
    [
        (
            "[server]\n[store]\nurl = mysql://a:Zx8-CANARY@b/c\n",
            {},
            "[store] url is not a database",
        ),
        ("[server]\n[store]\nulr = x\n", {}, "[store] ulr is not a key known here"),
        ("[server]\n[stroe]\nurl = x\n[store]\n", {}, "[stroe] is not a section known here"),
        ("[server]\n[store]\n", {"TORNADO_CC__STORE__ULR": "x"}, "TORNADO_CC__STORE__ULR names no"),
        ("[server]\n[store]\n", {"TORNADO_CC__STROE__URL": "x"}, "TORNADO_CC__STROE__URL names no"),
    ],
)
def test_a_wrong_store_is_a_mistake_like_any_other(
    tmp_path: Path, text: str, environ: Mapping[str, str], words: str
) -> None:
    ended = run("--conf", write_conf(tmp_path, text), "users", "list", environ=environ)
    assert (ended.code, ended.stdout) == (78, "")
    first, mistake = ended.stderr.splitlines()
    assert first == "tornado_cc: 1 mistake in the settings:"
    assert words in mistake
    assert "CANARY" not in ended.stderr


def test_what_is_wrong_elsewhere_stops_no_command(tmp_path: Path) -> None:
    text = (
        "[server]\nmode = production\nnosuch = 1\n[dialect:parse]\nwebhook_key = env:NOT_SET\n"
        "[dialect:nosuch]\n[credential:shop]\nsecret = file:nosuch\n[plugin:gone]\na = 1\n"
    )
    environ = {
        "TORNADO_CC__HOOKS__THREADS": "many",
        "TORNADO_CC__PLUGIN_GONE__A": "1",
        "TORNADO_CC__CREDENTIAL_SHOP__SECRET": "x",
    }
    ended = run("--conf", write_conf(tmp_path, text), "users", "list", "--json", environ=environ)
    assert (ended.code, ended.stdout, ended.stderr) == (0, "[]\n", "")


def test_a_second_server_on_one_file_is_told_what_to_do(tmp_path: Path) -> None:
    with serving(tmp_path, "[server]\n"):
        ended = run("--conf", tmp_path / "test.ini")
    assert ended.code == 70
    assert ended.stderr.splitlines()[-1] == (
        f"tornado_cc: another server uses {tmp_path}/store.db; SQLite is for one server, several"
        " share a PostgreSQL"
    )


def test_whoever_reads_only_the_first_lines_of_a_list_is_told_of_no_error(conf: Path) -> None:
    # More than a pipe holds.
    done("--conf", conf, "users", "add", "ann", "--display-name", "x" * 100_000)
    with subprocess.Popen(
        command("--conf", conf, "users", "list"),
        env=environment(),
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    ) as listing:
        assert listing.stdout is not None
        assert listing.stderr is not None
        listing.stdout.read(10)
        listing.stdout.close()
        assert listing.stderr.read() == b""
