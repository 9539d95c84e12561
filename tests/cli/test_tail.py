"""`tail`: what ends is told of while it does, once, and in a line."""

import asyncio
import json
import os
import pty
import signal
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from tests.cli.delivering import ERROR, conf_on, fill, finish, new, record
from tests.cli.running import command, environment, misused, until
from tests.store.opened import make_tables, opened
from tornado_cc.cli import follow
from tornado_cc.cli.follow import Event, Follower
from tornado_cc.store import Store, StoreUnavailable, moments
from tornado_cc.store.ids import moment_of, new_ulid, ulid_of
from tornado_cc.store.outbox import End

LONG_AGO = ulid_of(0)
"""The id of a request before all others."""
Told = tuple[str, str | None, str]


@pytest.fixture
async def store(store_url: str) -> Any:
    await make_tables(store_url)
    async with opened(store_url, command=True) as one:
        yield one


async def events(follower: Follower) -> list[Event]:
    return [one async for one in follower.look()]


async def told(follower: Follower) -> list[Told]:
    """What one look tells: what happened, how, and to whom."""
    return [
        (one.what, one.how, one.facts.get("target", one.facts["id"]))
        for one in await events(follower)
    ]


async def from_now(store: Store) -> Follower:
    return Follower(store.changes, await store.changes.now())


async def end(store: Store, state: str = "done") -> None:
    """Run the only delivery that is due once more; one that is not done has failed."""
    (claimed,) = await store.outbox.claim("w", 1, 60)
    failures = claimed.failures
    if state != "done":
        at = moments.spelt(await store.changes.now())
        failures = [*failures, {"attempt": claimed.attempts, "at": at, "error": "no"}]
    await store.outbox.end("w", [End(claimed=claimed, state=state, failures=failures, delay=60)])


async def again(store: Store) -> None:
    """Have what waits for its next attempt be due."""
    for one in await store.deliveries.find():
        await store.deliveries.retry(one.id)


async def test_a_request_is_told_of_once_when_it_has_ended(store: Store) -> None:
    follower = await from_now(store)
    one, other = record(new_ulid(), outcome=None), record(new_ulid())
    await store.requests.keep([one, other])
    assert await told(follower) == [("request", "replied", other.id)]
    assert await told(follower) == []
    one.outcome = "failed"
    await store.requests.keep([one])
    assert await told(follower) == [("request", "failed", one.id)]
    assert await told(follower) == []


async def test_a_request_that_is_written_late_is_not_missed(store: Store) -> None:
    late = record(new_ulid())
    follower = Follower(store.changes, (moment_of(late.id) or 0) - 1)
    await asyncio.sleep(0.01)
    early = record(new_ulid())
    await store.requests.keep([early])
    assert await told(follower) == [("request", "replied", early.id)]
    await store.requests.keep([late])
    assert await told(follower) == [("request", "replied", late.id)]
    assert await told(follower) == []


async def test_a_request_of_which_nobody_hears_again_is_told_of_in_the_end(store: Store) -> None:
    now = await store.changes.now()
    lost, open_ = (record(ulid_of(now / 1000 - ago), outcome=None) for ago in (301, 200))
    await store.requests.keep([lost, open_])
    follower = Follower(store.changes, now, LONG_AGO)
    assert await told(follower) == [("request", None, lost.id)]
    assert await told(follower) == []


async def test_of_a_delivery_each_failed_attempt_is_told_of_and_its_end(store: Store) -> None:
    follower = await from_now(store)
    await store.outbox.add([new("t")])
    assert await told(follower) == []
    for _ in range(2):
        await end(store, "ready")
        assert await told(follower) == [("delivery", "retried", "t")]
        assert await told(follower) == []
        await again(store)
        assert await told(follower) == []
    await end(store)
    assert await told(follower) == [("delivery", "done", "t")]
    assert await told(follower) == []


async def test_attempts_between_two_looks_are_all_told_of(store: Store) -> None:
    follower = await from_now(store)
    await store.outbox.add([new("t")])
    for _ in range(2):
        await end(store, "ready")
        await again(store)
    await end(store, "dead")
    found = await events(follower)
    assert [(one.how, one.facts["attempt"], one.facts["error"]) for one in found] == [
        ("retried", 1, "no"),
        ("retried", 2, "no"),
        ("dead", 3, "no"),
    ]
    assert await told(follower) == []


async def test_one_that_is_redriven_and_dies_again_is_told_of_again(store: Store) -> None:
    follower = await from_now(store)
    await store.outbox.add([new("t")])
    for _ in range(2):
        await end(store, "dead")
        assert await told(follower) == [("delivery", "dead", "t")]
        await store.deliveries.redrive()
        assert await told(follower) == []


async def test_what_failed_before_is_not_told_of(store: Store) -> None:
    await store.outbox.add([new("t")])
    await end(store, "ready")
    await asyncio.sleep(0.01)
    follower = await from_now(store)
    assert await told(follower) == []
    await again(store)
    await end(store, "dead")
    assert await told(follower) == [("delivery", "dead", "t")]


async def test_one_that_is_discarded_is_told_of(store: Store) -> None:
    follower = await from_now(store)
    (delivery_id,) = await store.outbox.add([new("t")])
    await store.deliveries.discard(delivery_id)
    assert await told(follower) == [("delivery", "discarded", "t")]


async def test_more_than_a_page_is_told_of_in_order_and_once(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(follow, "_PAGE", 2)
    follower = Follower(store.changes, 0, LONG_AGO)
    for number in range(5):
        at = moments.spelt(await store.changes.now())
        await store.requests.keep([record(new_ulid(), received_at=at, hook=f"h{number}")])
        await asyncio.sleep(0.002)
        await finish(store, f"t{number}", "done")
        await asyncio.sleep(0.002)
    found = [one.facts.get("target", one.facts.get("hook")) for one in await events(follower)]
    assert found == ["h0", "t0", "h1", "t1", "h2", "t2", "h3", "t3", "h4", "t4"]
    assert await told(follower) == []


async def test_what_was_read_before_the_database_went_is_told_of_and_the_rest_later(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    follower = Follower(store.changes, 0, LONG_AGO)
    monkeypatch.setattr(follow, "_PAGE", 2)
    for number in range(5):
        await finish(store, f"t{number}", "done")
        await asyncio.sleep(0.002)
    await store.requests.keep([record(ulid_of(1), received_at="2300-01-01T00:00:00.000Z")])
    asked, read = 0, store.changes.ended_after

    async def away(place: tuple[int, int], limit: int) -> Any:
        nonlocal asked
        asked += 1
        if asked == 2:
            raise StoreUnavailable(log="away")
        return await read(place, limit)

    monkeypatch.setattr(store.changes, "ended_after", away)
    found: list[str] = []

    async def look() -> None:
        async for event in follower.look():
            found.append(event.facts.get("target", event.what))

    with pytest.raises(StoreUnavailable):
        await look()
    assert found == ["t0", "t1", "request"]
    assert [name for _, _, name in await told(follower)] == ["t2", "t3", "t4"]


@contextmanager
def tailing(conf: Path, *arguments: str, **options: Any) -> Iterator[subprocess.Popen[str]]:
    """`tail` as a process of its own."""
    with subprocess.Popen(
        command("--conf", conf, "tail", *arguments),
        env=environment(),
        text=True,
        **{"stdout": subprocess.PIPE, "stderr": subprocess.PIPE, **options},
    ) as process:
        try:
            yield process
        finally:
            process.kill()


def said(process: subprocess.Popen[str], lines: int) -> list[str]:
    assert process.stdout is not None
    return [process.stdout.readline() for _ in range(lines)]


async def test_lines_come_as_things_happen_until_ctrl_c(store_url: str, tmp_path: Path) -> None:
    await make_tables(store_url)
    conf = conf_on(tmp_path, store_url)
    odd = record(new_ulid(), hook="cloud_function a\x1b[31m\n[red]", cause="no")
    with tailing(conf, "--since", LONG_AGO) as process:
        async with opened(store_url, command=True) as store:
            await store.requests.keep([odd])
            (line,) = await asyncio.to_thread(said, process, 1)
            assert line == (
                f"{odd.received_at}  request   replied    {odd.id}  parse POST"
                " /webhooks/functions/{name}  200 in 1.5 ms"
                "  cloud_function a\\x1b[31m\\n[red]  no\n"
            )
            delivery_id = await finish(store, "t", "dead")
        (line,) = await asyncio.to_thread(said, process, 1)
        assert f"  delivery  dead       {delivery_id}  hook reviews: t  attempt 1  raised" in line
        assert r"\x1b[31m[bold]no\nbody" in line
        process.send_signal(signal.SIGINT)
        output, errors = process.communicate()
        assert (process.returncode, output, errors) == (0, "", "")


async def test_json_is_one_object_a_line_with_texts_as_they_are(tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path}/store.db"
    ids = await fill(url)
    with tailing(conf_on(tmp_path, url), "--since", LONG_AGO, "--json") as process:
        lines = await asyncio.to_thread(said, process, 5)
    found = [json.loads(line) for line in lines]
    assert {(one["what"], one["how"], one["id"]) for one in found} == {
        ("request", "replied", record().id),
        ("delivery", "retried", ids["retried"]),
        ("delivery", "done", ids["done"]),
        ("delivery", "dead", ids["dead"]),
        ("delivery", "discarded", ids["discarded"]),
    }
    dead = next(one for one in found if one["how"] == "dead")
    assert (dead["error"], dead["error_id"], dead["attempt"]) == (ERROR, "e1", 1)
    (request,) = (one for one in found if one["what"] == "request")
    assert (request["status"], request["hook"]) == (200, "cloud_function hello")
    assert not request.keys() & {"headers", "body", "answer"}


async def test_what_was_there_before_is_not_told_of(tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path}/store.db"
    await fill(url)
    with tailing(conf_on(tmp_path, url), "--json") as process:
        async with opened(url, command=True) as store:
            found: list[str] = []
            reading = asyncio.create_task(asyncio.to_thread(said, process, 1))
            # Whenever it begins to look, something will happen after that.
            while not reading.done():
                found.append(await finish(store, "t", "done"))
                await asyncio.wait({reading}, timeout=0.2)
        assert json.loads((await reading)[0])["id"] in found


async def test_colours_are_for_a_terminal_only(tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path}/store.db"
    await fill(url)
    conf = conf_on(tmp_path, url)
    arguments = command("--conf", conf, "tail", "--since", LONG_AGO)
    pid, screen = pty.fork()
    if not pid:
        os.execve(arguments[0], arguments, environment({"TERM": "xterm", "COLORTERM": ""}))
    shown = b""
    while shown.count(b"\n") < 5:
        shown += await asyncio.to_thread(os.read, screen, 65536)
    os.write(screen, b"\x03")
    _, status = await asyncio.to_thread(os.waitpid, pid, 0)
    os.close(screen)
    assert os.waitstatus_to_exitcode(status) == 0
    dead = next(line for line in shown.splitlines() if b" dead " in line)
    assert dead.startswith(b"\x1b[1;31m")
    assert b"\x1b[31m[bold]" not in dead
    with tailing(conf, "--since", LONG_AGO) as process:
        assert "\x1b" not in "".join(await asyncio.to_thread(said, process, 5))


async def test_whoever_reads_only_the_first_lines_is_told_of_no_error(tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path}/store.db"
    await make_tables(url)
    reading, writing = os.pipe()
    with tailing(conf_on(tmp_path, url), "--since", LONG_AGO, stdout=writing) as process:
        os.close(writing)
        os.close(reading)
        async with opened(url, command=True) as store:
            await store.requests.keep([record()])
        _, errors = await asyncio.to_thread(process.communicate)
        assert (process.returncode, errors) == (1, "")


async def test_a_database_that_is_away_is_waited_for(tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path}/store.db"
    await fill(url)
    complaints = tmp_path / "complaints"
    with (
        complaints.open("w") as file,
        tailing(conf_on(tmp_path, url), "--since", LONG_AGO, stderr=file) as process,
    ):
        await asyncio.to_thread(said, process, 5)
        (tmp_path / "store.db").unlink()
        await asyncio.to_thread(until, lambda: "\n" in complaints.read_text())
        assert complaints.read_text().startswith(
            "tornado_cc: waiting for the database: store.db was deleted or replaced"
        )
        process.send_signal(signal.SIGINT)
        assert await asyncio.to_thread(process.wait) == 0


def test_since_takes_the_id_of_a_request(tmp_path: Path) -> None:
    conf = conf_on(tmp_path, f"sqlite:///{tmp_path}/store.db")
    for text in ("nosuch", LONG_AGO[:-1], "8" + LONG_AGO[1:], LONG_AGO.replace("0", "U")):
        assert "is no id of a request" in misused("--conf", conf, "tail", "--since", text)
    assert moment_of(ulid_of(1_752_307_200.123)) == 1_752_307_200_123
