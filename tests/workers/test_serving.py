"""Several workers are one server: one port, one admin listener, one set of figures."""

import asyncio
import json
import os
import signal
from collections.abc import Iterator

import pytest

from tests.cli.running import run, until
from tests.workers.load import Load
from tests.workers.site import Site


async def loaded(site: Site, requests: int) -> Load:
    """A load that has ended."""
    load = Load(site.port)
    load.begin()
    await load.until(requests)
    await load.end()
    return load


@pytest.fixture(scope="module")
def serving(tmp_path_factory: pytest.TempPathFactory, database: str) -> Iterator[Site]:
    """Two workers for all who leave two behind."""
    found = Site(tmp_path_factory.mktemp("serving"), database)
    try:
        found.start(workers=2)
        yield found
    finally:
        found.end()


def test_workers_answer_on_one_port_and_their_figures_are_added_up(serving: Site) -> None:
    labels = {"route": "/webhooks/functions/{name}"}
    before = serving.figure("requests_total", **labels)
    load = asyncio.run(loaded(serving, 200))
    assert not load.unanswered
    assert serving.figure("requests_total", **labels) - before == load.answered
    assert serving.figure("workers", state="ready") == 2
    assert serving.get("/readyz") == (200, b'{"status":"ready"}')
    assert serving.get("/healthz") == (200, b'{"status":"ok"}')
    page = json.loads(serving.get("/status")[1])
    assert (page["status"], page["breakers"]) == ("ready", [])
    assert [one["status"] for one in page["workers"]] == ["ready", "ready"]


def test_the_queue_that_all_share_is_counted_once(serving: Site) -> None:
    text = serving.get("/metrics")[1].decode()
    assert text.count("\ntornado_cc_dead_letters ") == 1
    assert serving.figure("dead_letters") == 0


def test_what_a_worker_has_counted_stays_when_it_has_ended(serving: Site) -> None:
    asyncio.run(loaded(serving, 100))
    before = serving.figure("requests_total")
    ended = serving.figure("worker_ends_total", how="asked")
    first, _ = serving.ready()
    os.kill(first, signal.SIGTERM)
    serving.until_ready(lambda pids: len(pids) == 2 and first not in pids)
    until(lambda: serving.figure("worker_ends_total", how="asked") == ended + 1)
    assert serving.figure("requests_total") == before >= 100
    assert serving.figure("worker_ends_total", how="failed") == 0


def test_a_mistake_that_all_workers_would_make_ends_the_server_and_is_said_once(
    site: Site,
) -> None:
    site.spawn(plugins={"broken": "1 / 0"})
    until(lambda: not site.child.is_running())
    assert site.child.popen.returncode == 70
    assert site.child.output().count("ZeroDivisionError") == 1


def test_several_workers_on_a_sqlite_file_are_a_mistake(site: Site) -> None:
    conf = site.write(workers=2)
    text = conf.read_text().replace("postgresql://", "sqlite:///")
    conf.write_text(text)
    ended = run("--conf", conf, "--check")
    assert ended.code == 78
    assert "[server] workers is 2, and a SQLite file serves one process" in ended.stderr
