"""Repeats where several workers share a PostgreSQL, where one is slow or gone, or it is itself."""

import asyncio
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from sqlalchemy import update

from tests.postgres import Cluster, needed_programs, postgres
from tests.server.repeating import (
    CLIENT,
    CONF,
    DEFAULT,
    FIRED,
    PLUGINS,
    ask,
    is_repeat,
    lines,
    until_running,
)
from tests.serving import Serve, Served
from tests.standstill import held
from tornado_cc.server import idempotency
from tornado_cc.settings import Database, StoreSettings
from tornado_cc.store import Store
from tornado_cc.store.tables import receipts


@pytest.fixture(scope="module")
def cluster(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Cluster]:
    """A PostgreSQL that the tests share, and which each leaves running."""
    log = tmp_path_factory.mktemp("postgres") / "log"
    with postgres(needed_programs(), log, durable=True) as running:
        yield running


@pytest.fixture
def url(cluster: Cluster) -> Iterator[str]:
    """A database with tables."""
    with cluster.database() as found:
        asyncio.run(migrate(found))
        yield found


async def migrate(url: str) -> None:
    store = Store(StoreSettings(url=Database.parse(url)))
    await store.engine.open()
    try:
        await store.migrate()
    finally:
        await store.close()


async def worker(serve: Serve, url: str, *, seconds: float = 5) -> Served:
    """A server on a database that may take so long. Several share what they log, and `fired`."""
    conf = CONF.format(more=f"[store]\nurl = {url}\ntimeout = {seconds}\n")
    return await serve(conf.replace("[server]", "[server]\ndrain_timeout = 0.5"), PLUGINS)


async def set_back(served: Served, seconds: float) -> None:
    """What a worker that dies would leave: everything begun anew, by nobody, for so long."""
    earlier = update(receipts).values(
        state="begun",
        owner="nobody",
        until=receipts.c.until - round((idempotency.KEEP - seconds) * 1000),
    )
    await served.store.engine.write(lambda connection: connection.execute(earlier) and None, 10)


async def test_duplicates_at_two_workers_run_the_hook_once_and_get_one_answer(
    serve: Serve, url: str, tmp_path: Path
) -> None:
    one, two = await worker(serve, url), await worker(serve, url)
    path = f"{DEFAULT}?until={tmp_path}/go"
    asked = [asyncio.create_task(ask(each, path)) for _ in range(50) for each in (one, two)]
    for each in (one, two):
        await until_running(each, 50)
    # The other worker looks again and again meanwhile.
    await asyncio.sleep(0.5)
    (tmp_path / "go").touch()
    answers = await asyncio.gather(*asked)
    assert one.fired == [FIRED]
    assert len({(each.status, each.body, *lines(each)) for each in answers}) == 1
    assert sum(each.header("Idempotent-Replayed") is None for each in answers) == 1


async def test_each_of_many_ids_is_run_once_by_one_of_two_workers(serve: Serve, url: str) -> None:
    one, two = await worker(serve, url), await worker(serve, url)
    keys = [str(number) for number in range(40)]
    asked = [ask(each, key=key) for key in keys for each in (one, two, one)]
    answers = await asyncio.gather(*asked)
    assert one.fired == [FIRED] * 40
    for number in range(40):
        assert len({each.body for each in answers[3 * number : 3 * number + 3]}) == 1


async def test_a_repeat_that_waits_too_long_for_another_worker_is_to_come_back(
    serve: Serve, url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(idempotency, "PATIENCE", 0.3)
    one, two = await worker(serve, url), await worker(serve, url)
    paths = (f"{DEFAULT}?until={tmp_path}/go", f"/buy?do=until&path={tmp_path}/go")
    first = [asyncio.create_task(ask(one, path, CLIENT)) for path in paths]
    await until_running(one, 2)
    await asyncio.sleep(0.3)
    message = "This request is being run already"
    errors = (message, {"name": "Duplicated", "code": 109, "message": message})
    for path, error in zip(paths, errors, strict=True):
        answer = await ask(two, path, CLIENT)
        assert (answer.status, answer.json()) == (409, {"error": error})
        assert 20 <= int(answer.header("Retry-After") or 0) <= 30
    (tmp_path / "go").touch()
    for path, task in zip(paths, first, strict=True):
        assert is_repeat(await task, await ask(two, path, CLIENT))
    assert len(one.fired) == 2


async def test_a_hook_slower_than_the_lease_is_run_once(
    serve: Serve, url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(idempotency, "LEASE", 3.0)
    monkeypatch.setattr(idempotency, "RENEW_EVERY", 0.5)
    one, two = await worker(serve, url), await worker(serve, url)
    path = f"{DEFAULT}?seconds=5"
    first = asyncio.create_task(ask(one, path))
    await until_running(one)
    await asyncio.sleep(0.3)
    repeat = await ask(two, path)
    assert is_repeat(await first, repeat)
    assert one.fired == [FIRED]


async def test_what_a_worker_that_died_had_begun_is_run_when_its_lease_has_ended(
    serve: Serve, url: str
) -> None:
    served = await worker(serve, url)
    before = await ask(served)
    started = time.monotonic()
    await set_back(served, 2.0)
    answers = await asyncio.gather(*(ask(served) for _ in range(5)))
    assert time.monotonic() - started > 0.5
    assert {one.status for one in answers} == {200}
    assert {one.body for one in answers} != {before.body}
    assert len({one.body for one in answers}) == 1
    assert served.fired == [FIRED] * 2


async def test_what_a_stop_cuts_off_can_be_run_at_once(
    serve: Serve, url: str, tmp_path: Path
) -> None:
    one, two = await worker(serve, url), await worker(serve, url)
    asked = [asyncio.create_task(ask(one, f"{DEFAULT}?until={tmp_path}/go")) for _ in range(3)]
    await until_running(one, 3)
    await asyncio.sleep(0.2)
    await one.server.stop()
    for each in await asyncio.gather(*asked):
        assert (each.status, each.json()) == (503, {"error": "The server is stopping"})
    started = time.monotonic()
    assert (await ask(two)).status == 200
    # A lease would have to end first.
    assert time.monotonic() - started < 10
    assert two.fired == [FIRED]


async def test_without_the_database_nothing_is_run_and_the_sender_is_to_come_back(
    serve: Serve, url: str, cluster: Cluster
) -> None:
    served = await worker(serve, url, seconds=1)
    assert (await ask(served, key="before")).status == 200
    with held(cluster):
        for path, headers in ((DEFAULT, {}), ("/buy", CLIENT)):
            answers = await asyncio.gather(*(ask(served, path, headers) for _ in range(3)))
            assert {one.status for one in answers} == {503}
            assert {one.header("Retry-After") for one in answers} == {"5"}
        assert (await ask(served, key=None)).status == 200
    assert served.fired == [FIRED] * 2
    # What PostgreSQL had in hand may be begun: its lease ends.
    await set_back(served, 0)
    assert (await ask(served)).status == 200


async def test_an_answer_that_cannot_be_kept_is_given_all_the_same(
    serve: Serve, url: str, cluster: Cluster, tmp_path: Path
) -> None:
    served = await worker(serve, url, seconds=1)
    task = asyncio.create_task(ask(served, f"{DEFAULT}?until={tmp_path}/go"))
    await until_running(served)
    await asyncio.sleep(0.3)
    with held(cluster):
        (tmp_path / "go").touch()
        answer = await task
    assert (answer.status, answer.header("Idempotent-Replayed")) == (200, None)
    (record,) = served.logged("answer not kept, a repeat runs again")
    assert (record.levelname, vars(record)["hook"]) == ("ERROR", "on_callback")
    assert served.fired == [FIRED]
