"""`deliveries`: who is there, and what can be done about each."""

import contextlib
import json
import shlex
import sqlite3
from pathlib import Path
from typing import Any

import pytest

from tests.cli.delivering import ERROR, PAYLOAD, conf_on, fill, finish, record
from tests.cli.running import done, misused, on_terminal, refused, run
from tests.store.opened import make_tables, opened
from tornado_cc.cli.deliveries import KINDS
from tornado_cc.flows import HOOK, JOB, MAIL, SCHEDULE
from tornado_cc.flows.webhooks import WEBHOOK


@pytest.fixture
def url(tmp_path: Path) -> str:
    return f"sqlite:///{tmp_path}/store.db"


@pytest.fixture
async def conf(url: str, tmp_path: Path) -> Path:
    """A conf on an empty database."""
    await make_tables(url)
    return conf_on(tmp_path, url)


def listed(conf: Path, *arguments: str) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = json.loads(
        done("--conf", conf, "deliveries", "list", "--json", *arguments)
    )
    return found


def states(conf: Path, *arguments: str) -> list[str]:
    return [one["state"] for one in listed(conf, *arguments)]


async def test_without_options_the_list_is_of_what_is_not_done_the_newest_first(
    store_url: str, tmp_path: Path
) -> None:
    ids = await fill(store_url)
    conf = conf_on(tmp_path, store_url)
    names = ["ready", "waiting", "running", "retried", "dead"]
    assert [one["id"] for one in listed(conf)] == [ids[name] for name in names]
    assert states(conf, "--state", "done") == ["done"]
    assert states(conf, "--state", "discarded", "--state", "done") == ["discarded", "done"]
    assert states(conf, "--state", "dead", "--state", "waiting") == ["waiting", "dead"]
    assert states(conf, "--kind", "job") == ["ready"]
    assert states(conf, "--plugin", "other") == ["running"]
    assert states(conf, "--plugin", "other", "--kind", "job") == []
    assert done("--conf", conf, "deliveries", "list", "--plugin", "nobody") == ""


async def test_the_list_as_json_has_texts_as_they_are_and_times_in_iso_8601(
    url: str, tmp_path: Path
) -> None:
    ids = await fill(url)
    (dead,) = listed(conf_on(tmp_path, url), "--state", "dead")
    for name in ("due_at", "created_at", "ended_at"):
        assert dead.pop(name).endswith("Z")
    assert dead.pop("number") > 0
    assert dead == {
        "id": ids["dead"],
        "kind": "hook",
        "plugin": "reviews",
        "target": "dead",
        "lane": None,
        "once": None,
        "request_id": record().id,
        "state": "dead",
        "attempts": 1,
        "leased_by": None,
        "failures": [
            {"attempt": 1, "at": "2025-07-12T08:00:00.000Z", "error": ERROR, "error_id": "e1"}
        ],
        "version": "1.0",
    }


async def test_the_table_escapes_what_would_move_the_cursor_and_shortens_errors(
    url: str, tmp_path: Path
) -> None:
    ids = await fill(url)
    shown = done("--conf", conf_on(tmp_path, url), "deliveries", "list")
    assert "\x1b" not in shown
    head, *rows = shown.splitlines()
    assert head.split()[:5] == ["id", "state", "kind", "plugin", "what"]
    dead = next(row for row in rows if ids["dead"] in row)
    assert r"raised ValueError: \x1b[31m[bold]no\nbody" in dead
    assert dead.endswith("xxx...")
    assert " ended 20" in dead
    running = next(row for row in rows if ids["running"] in row)
    assert r"Review:a\x1b1" in running
    assert " leased until 20" in running
    assert " in its turn, from 20" in next(row for row in rows if ids["waiting"] in row)


async def test_more_than_the_limit_is_said(url: str, tmp_path: Path) -> None:
    await fill(url)
    conf = conf_on(tmp_path, url)
    ended = run("--conf", conf, "deliveries", "list", "--limit", "4", "--json")
    assert len(json.loads(ended.stdout)) == 4
    assert ended.stderr == (
        "tornado_cc: the newest 4 are shown, there are more deliveries; see --limit\n"
    )
    assert len(listed(conf, "--limit", "5")) == 5


async def test_one_delivery_is_shown_with_everything_and_the_command_that_runs_it(
    url: str, tmp_path: Path
) -> None:
    ids = await fill(url)
    folder = tmp_path / "a folder"
    folder.mkdir()
    conf = conf_on(folder, url)
    shown = done("--conf", conf, "deliveries", "show", ids["dead"])
    assert "\x1b" not in shown
    lines = shown.splitlines()
    fields = dict(line.split(None, 1) for line in lines[1:13])
    assert fields["state"] == "dead"
    assert fields["plugin"] == "reviews 1.0"
    assert fields["request"] == record().id
    assert r'    "text": "\u001b[31m[red]"' in shown
    (failed,) = (line for line in lines if "ValueError" in line)
    assert failed.split()[:2] == ["1", "2025-07-12T08:00:00.000Z"]
    assert failed.endswith("xxx  e1")
    command = next(line for line in lines if line.startswith("run it now: ")).partition(":")[2]
    words = shlex.split(command)
    assert words[:3] == ["python", "-m", "tornado_cc"]
    assert "is ready" in done(*words[3:])


async def test_one_delivery_as_json_has_its_payload(url: str, tmp_path: Path) -> None:
    ids = await fill(url)
    conf = conf_on(tmp_path, url)
    shown = json.loads(done("--conf", conf, "deliveries", "show", ids["dead"], "--json"))
    (dead,) = listed(conf, "--state", "dead")
    assert shown == {**dead, "payload": json.loads(PAYLOAD)}


async def test_a_delivery_that_has_run_leads_to_its_request(conf: Path, url: str) -> None:
    async with opened(url, command=True) as store:
        delivery_id = await finish(store, "t", "done", request_id="r1")
    shown = done("--conf", conf, "deliveries", "show", delivery_id)
    assert shown.splitlines()[-1].endswith(f"--conf {conf} requests show r1")
    assert "deliveries retry" not in shown


async def test_retry_says_what_happens_next(store_url: str, tmp_path: Path) -> None:
    ids = await fill(store_url)
    deliveries = ("--conf", conf_on(tmp_path, store_url), "deliveries")
    for name in ("dead", "retried", "ready"):
        assert done(*deliveries, "retry", ids[name]) == (
            f"{ids[name]} is ready: a server takes it with its next look at the database\n"
        )
    assert done(*deliveries, "retry", ids["waiting"]) == (
        f"{ids['waiting']} waits for those before it in its lane, and runs then\n"
    )
    async with opened(store_url, command=True) as store:
        claimed = await store.outbox.claim("other", 10, 60)
    assert {one.target: one.attempts for one in claimed} == {"dead": 1, "retried": 2, "ready": 1}


async def test_what_runs_or_has_run_is_neither_retried_nor_discarded(
    url: str, tmp_path: Path
) -> None:
    ids = await fill(url)
    deliveries = ("--conf", conf_on(tmp_path, url), "deliveries")
    said = {verb: refused(1, *deliveries, verb, ids["done"]) for verb in ("retry", "discard")}
    assert said == {
        "retry": f"delivery {ids['done']} is done; it cannot run again",
        "discard": f"delivery {ids['done']} is done; it cannot be discarded",
    }
    for verb in ("retry", "discard"):
        assert refused(1, *deliveries, verb, ids["running"]) == (
            f"delivery {ids['running']} is running; wait until this attempt has ended"
        )


def test_a_delivery_nobody_knows_is_said_in_one_line(conf: Path) -> None:
    for verb in ("show", "retry", "discard"):
        line = refused(1, "--conf", conf, "deliveries", verb, "no\x1bsuch")
        assert line == r"there is no delivery no\x1bsuch"


async def test_several_are_discarded_and_those_that_cannot_be_are_named(
    url: str, tmp_path: Path
) -> None:
    ids = await fill(url)
    conf = conf_on(tmp_path, url)
    named = (ids["dead"], "nosuch", ids["waiting"], ids["done"])
    ended = run("--conf", conf, "deliveries", "discard", *named)
    assert ended.code == 1
    assert ended.stdout == (
        f"{ids['dead']} is discarded and will not run\n"
        f"{ids['waiting']} is discarded and will not run\n"
    )
    assert ended.stderr == (
        "tornado_cc: there is no delivery nosuch;"
        f" delivery {ids['done']} is done; it cannot be discarded\n"
    )
    assert states(conf) == ["ready", "running", "ready"]


async def test_redrive_runs_every_dead_one_that_fits_again(store_url: str, tmp_path: Path) -> None:
    await make_tables(store_url)
    conf = conf_on(tmp_path, store_url)
    async with opened(store_url, command=True) as store:
        # More than are asked for at once.
        for number in range(101):
            await finish(store, "a", "dead", plugin="many", lane=f"l{number}")
        await finish(store, "b", "dead", plugin="other", kind="job")
        await finish(store, "c", "dead", plugin="other", kind="webhook")
    deliveries = ("--conf", conf, "deliveries", "redrive")
    nothing = "no dead delivery was found, nothing was done\n"
    assert done(*deliveries, "--plugin", "nobody") == nothing
    assert done(*deliveries, "--plugin", "other", "--kind", "job") == (
        "1 dead delivery runs again: a server takes up what it can with its next look at the"
        " database\n"
    )
    assert done(*deliveries, "--plugin", "many").startswith("101 dead deliveries run again: ")
    assert len(listed(conf, "--state", "dead")) == 1
    assert done(*deliveries, "--all").startswith("1 dead delivery runs again: ")
    assert done(*deliveries, "--all") == nothing


async def test_redrive_needs_to_be_told_how_much(url: str, tmp_path: Path) -> None:
    await fill(url)
    deliveries = ("--conf", conf_on(tmp_path, url), "deliveries", "redrive")
    ended = run(*deliveries)
    assert (ended.code, ended.stdout) == (2, "")
    assert ended.stderr.endswith("Give --all, --plugin or --kind; 1 dead in all.\n")
    assert "--all stands alone" in misused(*deliveries, "--all", "--kind", "job")


async def test_a_bar_shows_how_far_a_redrive_is_on_a_terminal_only(conf: Path, url: str) -> None:
    async with opened(url, command=True) as store:
        for _ in range(3):
            await finish(store, "a", "dead")
    assert "3/3" not in done("--conf", conf, "deliveries", "redrive", "--kind", "job")
    code, screen = on_terminal("", "--conf", conf, "deliveries", "redrive", "--all")
    assert code == 0
    assert "3/3" in screen


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (("list", "--state", "nosuch"), "is not one of"),
        (("list", "--kind", "nosuch"), "is not one of"),
        (("list", "--limit", "0"), "is not in the range"),
        (("discard",), "Missing argument 'ID...'"),
        (("retry",), "Missing argument 'ID'"),
    ],
)
def test_what_is_not_written_as_it_has_to_be_is_said(
    conf: Path, arguments: tuple[str, ...], words: str
) -> None:
    assert words in misused("--conf", conf, "deliveries", *arguments)


async def test_what_dies_again_meanwhile_is_redriven_once(url: str, tmp_path: Path) -> None:
    await make_tables(url)
    counts: list[int] = []

    def die(count: int) -> None:
        counts.append(count)
        with contextlib.closing(sqlite3.connect(tmp_path / "store.db")) as connection, connection:
            connection.execute("UPDATE deliveries SET state = 'dead', ended_at = 1")

    async with opened(url, command=True) as store:
        for _ in range(3):
            await finish(store, "a", "dead")
        assert await store.deliveries.redrive(notice=die) == 3
        assert counts == [1, 2, 3]
        assert await store.deliveries.count_dead() == 3


def test_the_kinds_are_those_that_servers_run() -> None:
    assert set(KINDS) == {HOOK, JOB, MAIL, SCHEDULE, WEBHOOK}
