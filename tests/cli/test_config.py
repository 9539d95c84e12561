"""`config`, beside a server that runs and on either engine."""

import json
import time
from pathlib import Path

import pytest

from tests.cli.running import Running, done, misused, on_terminal, refused, serving, write_conf
from tests.store.opened import make_tables

READER = """
from tornado_cc import Plugin

plugin = Plugin("reader")

@plugin.cloud_function("read")
async def read(call):
    return {"seen": await call.config.get(), "all": await call.config.get(use_master_key=True)}
"""
SERVED = "[server]\n[dialect:parse]\nwebhook_key = Zx8-q41\n"


@pytest.fixture
def conf(tmp_path: Path) -> Path:
    return write_conf(tmp_path, "[server]\n[dialect:parse]\nwebhook_key = env:NOT_SET_HERE\n")


def seen(running: Running) -> dict[str, dict[str, object]]:
    """What a plugin sees without the master key and with it."""
    headers = {"X-Parse-Webhook-Key": "Zx8-q41", "Content-Type": "application/json"}
    connection = running.connect()
    try:
        connection.request("POST", "/webhooks/functions/read", '{"params": {}}', headers)
        answer = json.loads(connection.getresponse().read())
    finally:
        connection.close()
    found: dict[str, dict[str, object]] = answer["success"]
    return found


def test_a_server_that_runs_sees_a_change_within_a_second(tmp_path: Path) -> None:
    with serving(tmp_path, SERVED, {"reader": READER}) as running:
        path = tmp_path / "test.ini"
        assert seen(running) == {"seen": {}, "all": {}}
        done("--conf", path, "config", "set", "greeting", '"Hello"')
        done("--conf", path, "config", "set", "key", "7", "--master-key-only")
        time.sleep(0.6)
        both = {"greeting": "Hello", "key": 7}
        assert seen(running) == {"seen": {"greeting": "Hello"}, "all": both}
        done("--conf", path, "config", "unset", "greeting")
        time.sleep(0.6)
        assert seen(running) == {"seen": {}, "all": {"key": 7}}


async def test_every_command_works_on_either_engine(store_url: str, tmp_path: Path) -> None:
    await make_tables(store_url)
    path = write_conf(tmp_path, f"[server]\n[store]\nurl = {store_url}\n")
    config = ("--conf", path, "config")
    assert done(*config, "list") == ""
    assert json.loads(done(*config, "list", "--json")) == {"params": {}, "masterKeyOnly": {}}
    assert done(*config, "set", "limit", "-1") == "limit is set, and public\n"
    assert done(*config, "set", "key", "Zx8 q", "--string", "--master-key-only") == (
        "key is set, and for the master key only\n"
    )
    done(*config, "set", "shape", "-", stdin=b'{"a": [1, null]}\n')
    assert done(*config, "get", "limit") == "-1\n"
    assert done(*config, "get", "key") == '"Zx8 q"\n'
    assert json.loads(done(*config, "list", "--json")) == {
        "params": {"limit": -1, "key": "Zx8 q", "shape": {"a": [1, None]}},
        "masterKeyOnly": {"limit": False, "key": True, "shape": False},
    }
    done(*config, "set", "limit", '{"__op": "Increment", "amount": 3}')
    assert done(*config, "get", "limit") == "2\n"
    assert done(*config, "unset", "limit") == "limit is removed\n"
    assert refused(1, *config, "get", "limit") == "there is no parameter limit"
    assert refused(1, *config, "unset", "limit") == "there is no parameter limit"


def test_who_sees_a_parameter_stays_until_it_is_said_again(conf: Path) -> None:
    config = ("--conf", conf, "config", "set", "key")
    assert "master key only" in done(*config, "1", "--master-key-only")
    assert "master key only" in done(*config, "2")
    assert "public" in done(*config, "3", "--public")


def test_the_table_hides_what_is_for_the_master_key_only_until_asked(conf: Path) -> None:
    config = ("--conf", conf, "config")
    done(*config, "set", "key", '"CANARY"', "--master-key-only")
    done(*config, "set", "greeting", '"Hello"')
    hidden = done(*config, "list")
    assert "CANARY" not in hidden
    assert [line.split() for line in hidden.splitlines()] == [
        ["name", "value", "seen", "by"],
        ["greeting", '"Hello"', "public"],
        ["key", "(hidden,", "see", "--reveal)", "master", "key", "only"],
    ]
    assert '"CANARY"' in done(*config, "list", "--reveal")
    code, screen = on_terminal("", *config, "list")
    assert code == 0
    assert "CANARY" not in screen


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (("set", "a", "hello"), "A text is quoted, as in '\"a text\"', or given with --string."),
        (("set", "a", "NaN"), "not JSON"),
        (("set", "a", "--pubic"), "not JSON"),
        (("set", "a", "1", "2"), "unexpected extra argument"),
        (("set", "a"), "Missing argument 'VALUE'"),
        (("get", "\udcff"), "is not UTF-8"),
    ],
)
def test_what_is_not_written_as_it_has_to_be_is_said(
    conf: Path, arguments: tuple[str, ...], words: str
) -> None:
    assert words in misused("--conf", conf, "config", *arguments)


def test_what_cannot_be_stored_is_refused_in_one_line(conf: Path) -> None:
    assert "cannot be the name of a field" in refused(
        1, "--conf", conf, "config", "set", "a b", "1"
    )
    assert "unknown __type" in refused(1, "--conf", conf, "config", "set", "a", '{"__type": "X"}')
    assert refused(1, "--conf", conf, "config", "get", "a\x1b") == r"there is no parameter a\x1b"
