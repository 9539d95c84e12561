"""`hooks`: what it prints and asks, and how it ends. tests/e2e has it at a real Parse Server."""

import json
from pathlib import Path

import pytest

from tests.cli.running import done, on_terminal, refused, run, write_conf
from tests.hooks_api import HooksApi

ROOT = "https://cc.example/below/webhooks"
ELSEWHERE = "https://user:CANARY@other.example/CANARY?key=CANARY"
PLUGIN = """
from tornado_cc import Plugin

plugin = Plugin("two")

@plugin.cloud_function("hello")
async def hello(call): ...

@plugin.before_save("Review")
@plugin.before_save("*")
async def check(call): ...
"""
NOTE = "tornado_cc: note: * beforeSave is for any name, and a Parse Server registers by name only\n"


def conf_at(folder: Path, url: str, *left_out: str) -> Path:
    text = f"""
        [server]
        [dialect:parse]
        [parse_server]
        url = {url}
        application_id = app
        master_key = CANARY-4711
        public_url = https://cc.example/below/
        """
    lines = [line for line in text.splitlines() if not line.strip().startswith(left_out or "#")]
    return write_conf(folder, "\n".join(lines), {"two": PLUGIN})


@pytest.fixture
def conf(hooks_api: HooksApi, tmp_path: Path) -> Path:
    return conf_at(tmp_path, hooks_api.url)


def test_a_plan_has_a_line_for_each_and_exits_with_three(hooks_api: HooksApi, conf: Path) -> None:
    hooks_api.hooks = {
        ("hello",): ELSEWHERE,
        ("gone",): f"{ROOT}/functions/gone",
        ("theirs",): ELSEWHERE,
    }
    ended = run("--conf", conf, "hooks", "plan")
    assert (ended.code, ended.stderr) == (3, NOTE)
    assert ended.stdout.splitlines() == [
        "+ trigger Review beforeSave",
        "~ function hello, now at https://other.example",
        "- function gone, which no plugin has",
        "  function theirs at https://other.example, left alone",
        "1 to register, 1 to change, 1 to remove, 0 registered",
    ]
    assert run("--conf", conf, "hooks", "apply", "--dry-run") == ended
    assert hooks_api.written == []


def test_a_plan_as_json(hooks_api: HooksApi, conf: Path) -> None:
    hooks_api.hooks = {("hello",): f"{ROOT}/functions/hello", ("theirs",): ELSEWHERE}
    ended = run("--conf", conf, "hooks", "plan", "--json")
    assert (ended.code, ended.stderr) == (3, "")
    assert json.loads(ended.stdout) == {
        "changes": True,
        "missing": [{"className": "Review", "triggerName": "beforeSave"}],
        "moved": [],
        "orphans": [],
        "others": [{"functionName": "theirs", "url": "https://other.example"}],
        "registered": [{"functionName": "hello"}],
    }


def test_what_is_applied_is_printed_and_then_there_are_no_changes(
    hooks_api: HooksApi, conf: Path
) -> None:
    ended = run("--conf", conf, "hooks", "apply")
    assert (ended.code, ended.stderr) == (0, NOTE)
    assert ended.stdout.splitlines() == [
        "+ function hello",
        "+ trigger Review beforeSave",
        "2 registered, 0 changed, 0 removed, 0 confirmed",
    ]
    assert hooks_api.hooks["Review", "beforeSave"] == f"{ROOT}/triggers/Review/beforeSave"
    ended = run("--conf", conf, "hooks", "plan")
    assert (ended.code, ended.stdout) == (0, "no changes: 2 registered\n")
    assert json.loads(done("--conf", conf, "hooks", "apply", "--json")) == {
        "registered": [],
        "changed": [],
        "removed": [],
        "confirmed": [
            {"functionName": "hello"},
            {"className": "Review", "triggerName": "beforeSave"},
        ],
        "refused": [],
    }


@pytest.mark.parametrize(("typed", "code", "left"), [("y\n", 0, 2), ("n\n", 1, 1)])
def test_before_something_is_removed_it_asks(
    hooks_api: HooksApi, conf: Path, typed: str, code: int, left: int
) -> None:
    hooks_api.hooks = {("gone",): f"{ROOT}/functions/gone"}
    ended, screen = on_terminal(typed, "--conf", conf, "hooks", "apply")
    assert ended == code, screen
    assert "- function gone" in screen
    assert "Remove 1 webhook from the Parse Server? [y/N]: " in screen
    assert len(hooks_api.hooks) == left


def test_without_a_terminal_it_takes_a_yes(hooks_api: HooksApi, conf: Path) -> None:
    hooks_api.hooks = {("gone",): f"{ROOT}/functions/gone"}
    for word in ("apply", "drop"):
        ended = run("--conf", conf, "hooks", word)
        assert ended.code == 1
        assert ended.stderr.endswith(
            "nothing was done: removing 1 webhook takes --yes, or a terminal to ask on\n"
        )
    assert hooks_api.written == []
    assert run("--conf", conf, "hooks", "apply", "--keep-orphans").code == 0
    assert len(hooks_api.hooks) == 3
    assert done("--conf", conf, "hooks", "drop", "--yes").splitlines() == [
        "- function gone",
        "- function hello",
        "- trigger Review beforeSave",
        "0 registered, 0 changed, 3 removed, 0 confirmed",
    ]
    assert hooks_api.hooks == {}


def test_what_the_parse_server_refuses_is_told_and_exits_with_one(
    hooks_api: HooksApi, conf: Path
) -> None:
    hooks_api.refused.add(("hello",))
    ended = run("--conf", conf, "hooks", "apply", "--json")
    assert ended.code == 1
    told = json.loads(ended.stdout)
    assert told["refused"] == [{"functionName": "hello", "message": "Internal server error."}]
    assert told["registered"] == [{"className": "Review", "triggerName": "beforeSave"}]
    assert ended.stderr == (
        "tornado_cc: the Parse Server refused 1:\nfunction hello: Internal server error.\n"
    )


@pytest.mark.parametrize("status", [403, 502])
def test_one_that_cannot_be_asked_exits_with_seventy(
    hooks_api: HooksApi, conf: Path, status: int
) -> None:
    hooks_api.down = status
    line = refused(70, "--conf", conf, "hooks", "plan")
    assert line.startswith(f"the Parse Server cannot be asked: {hooks_api.url}/hooks/functions: ")
    assert "CANARY" not in line


@pytest.mark.parametrize(
    ("key", "missing"),
    [
        ("[dialect:parse]", "[dialect:parse]"),
        ("master_key", "[parse_server] master_key"),
        ("public_url", "[parse_server] public_url"),
    ],
)
def test_what_the_conf_does_not_say_is_named(tmp_path: Path, key: str, missing: str) -> None:
    conf = conf_at(tmp_path, "http://127.0.0.1:1025/parse", key)
    line = refused(78, "--conf", conf, "hooks", "plan")
    assert line == f"the conf has no {missing}, which registering webhooks takes"


def test_a_check_says_where_the_parse_server_is(conf: Path, hooks_api: HooksApi) -> None:
    ended = run("--conf", conf, "--check")
    assert ended.code == 0
    place = hooks_api.url.removesuffix("/parse")
    assert f"Parse Server at {place}" in ended.stdout.splitlines()
    assert "CANARY" not in ended.stdout + ended.stderr
