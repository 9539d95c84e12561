"""A server whose database is not there: it starts, says so, refuses what needs it, and recovers."""

import asyncio
import logging
import time
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import orjson
import pytest

from tests.postgres import Cluster, needed_programs, postgres
from tests.server.scraping import scrape
from tests.serving import KEY, PARSE, Answer, Serve, Served, working
from tests.standstill import held
from tornado_cc.server import StartError, depth
from tornado_cc.settings import Database, StoreSettings
from tornado_cc.store import Store

SECOND = 1.0
KEEPER = """
    from tornado_cc import Plugin
    plugin = Plugin("keeper")

    @plugin.cloud_function("hello")
    async def hello(call):
        return "Hello"

    @plugin.cloud_function("save")
    async def save(call):
        stored = await call.store.objects("Note").create({"n": call.params["n"]})
        return stored["objectId"]

    @plugin.cloud_function("count")
    async def count(call):
        return await call.store.objects("Note").count()

    @plugin.on_callback
    async def callback(call):
        return {"player": call.player.id}
"""
CONF = """
[dialect:parse]
webhook_key = test-key
[dialect:gamesparks]
api_key = test-api-key
[credential:shop]
secret = test-server-secret
[store]
url = {url}
timeout = {timeout}
"""
CALLBACK = "/callback/test-api-key/shop/test-server-secret/somebody"


@pytest.fixture
def own_cluster(tmp_path: Path) -> Iterator[Cluster]:
    """A PostgreSQL for this test, with fsync; the test may stop, kill and start it."""
    with postgres(needed_programs(), tmp_path / "postgres.log", durable=True) as running:
        yield running


@pytest.fixture
def url(own_cluster: Cluster) -> Iterator[str]:
    """An empty database of it."""
    with own_cluster.database() as found:
        yield found


@asynccontextmanager
async def opened(url: str) -> AsyncIterator[Store]:
    """A store as a command opens it, migrated."""
    store = Store(StoreSettings(url=Database.parse(url)))
    await store.engine.open()
    try:
        await store.migrate()
        yield store
    finally:
        await store.close()


async def migrate(url: str) -> None:
    async with opened(url) as store:
        await store.players.create("somebody")


async def readiness(served: Served) -> tuple[int, Any]:
    answer = await served.request("GET", "/readyz")
    return answer.status, answer.json()


async def until_ready(served: Served, seconds: float = 5) -> None:
    async with asyncio.timeout(seconds):
        while (await readiness(served))[0] != 200:
            await asyncio.sleep(0.05)


async def call(served: Served, name: str, **params: Any) -> Any:
    return await served.webhook(f"/functions/{name}", {"params": params, "functionName": name})


def refused(answer: Answer) -> bool:
    return answer.status == 503 and int(answer.header("Retry-After") or 0) > 0


async def test_a_server_starts_without_its_database_and_recovers_by_itself(
    serve: Serve, own_cluster: Cluster, url: str
) -> None:
    await migrate(url)
    own_cluster.stop()
    served = await serve(CONF.format(url=url, timeout=2), {"keeper": KEEPER})
    assert (await served.request("GET", "/healthz")).status == 200
    assert await readiness(served) == (
        503,
        {"status": "unavailable", "store": "Connection refused"},
    )
    assert refused(await served.request("POST", CALLBACK))
    assert served.fired == []
    assert "not available" in (await call(served, "save", n=1))["error"]["message"]
    assert await call(served, "hello") == {"success": "Hello"}
    await asyncio.sleep(1.2)
    own_cluster.start()
    await until_ready(served)
    assert (await served.request("POST", CALLBACK)).json() == {"player": "somebody"}
    assert "success" in await call(served, "save", n=1)
    assert served.fired == [
        "cloud_function save (keeper)",
        "cloud_function hello (keeper)",
        "on_callback * (keeper)",
        "cloud_function save (keeper)",
    ]
    assert len(served.logged("database is not available")) <= 2
    assert len(served.logged("database is back")) == 1


async def test_metrics_leave_out_the_queue_while_the_database_is_away(
    serve: Serve, own_cluster: Cluster, url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(depth, "ASK_EVERY", 0)
    await migrate(url)
    served = await serve(CONF.format(url=url, timeout=1))
    assert (await scrape(served)).value("queue_depth", state="ready") == 0
    own_cluster.stop()
    figures = await scrape(served)
    assert "queue" not in figures.text
    assert figures.value("loop_stalls_total", plugin="none") is not None
    own_cluster.start()
    async with asyncio.timeout(10):
        while (await scrape(served)).value("dead_letters") is None:
            await asyncio.sleep(0.05)


async def test_a_database_without_its_tables_keeps_it_waiting_until_they_are_made(
    serve: Serve, own_cluster: Cluster, url: str
) -> None:
    own_cluster.stop()
    served = await serve(CONF.format(url=url, timeout=2), {"keeper": KEEPER})
    own_cluster.start()
    async with asyncio.timeout(5):
        while "migrate" not in (await readiness(served))[1]["store"]:
            await asyncio.sleep(0.05)
    await asyncio.sleep(1.2)
    status, facts = await readiness(served)
    assert (status, facts["status"]) == (503, "unavailable")
    await migrate(url)
    await until_ready(served)
    assert "success" in await call(served, "save", n=1)
    assert served.fired == ["cloud_function save (keeper)"]


async def test_tables_that_are_taken_away_are_noticed_and_so_is_their_return(
    serve: Serve, own_cluster: Cluster, url: str
) -> None:
    await migrate(url)
    served = await serve(CONF.format(url=url, timeout=2))
    assert (await readiness(served))[0] == 200
    name = url.rpartition("/")[2]
    await asyncio.to_thread(
        own_cluster.sql,
        f"DROP SCHEMA public CASCADE; CREATE SCHEMA public AUTHORIZATION {name}",
        database=name,
    )
    async with asyncio.timeout(6):
        while "migrate" not in (await readiness(served))[1].get("store", ""):
            await asyncio.sleep(0.05)
    await asyncio.sleep(1.2)
    await migrate(url)
    await until_ready(served)
    causes = [vars(record)["cause"] for record in served.logged("database is not available")]
    assert len(causes) == len(set(causes))
    assert len(served.logged("database is back")) == 1
    assert served.fired == []


async def test_a_database_killed_in_the_middle_loses_nothing_that_was_acknowledged(
    serve: Serve, own_cluster: Cluster, url: str
) -> None:
    await migrate(url)
    served = await serve(CONF.format(url=url, timeout=2), {"keeper": KEEPER})
    acknowledged: list[str] = []
    refusals: list[str] = []
    over = asyncio.Event()

    async def save(number: int) -> None:
        while not over.is_set():
            answer = await call(served, "save", n=number)
            if "success" in answer:
                acknowledged.append(answer["success"])
            else:
                refusals.append(answer["error"]["message"])
                await asyncio.sleep(0.05)

    callers = [asyncio.ensure_future(save(number)) for number in range(20)]
    await asyncio.sleep(0.7)
    await asyncio.to_thread(own_cluster.kill)
    await asyncio.sleep(0.3)
    answer = await served.request("POST", CALLBACK)
    over.set()
    await asyncio.gather(*callers)
    assert refused(answer)
    assert acknowledged
    assert set(refusals) == {"The database is not available, please try again"}
    await asyncio.to_thread(own_cluster.start)
    await until_ready(served, 10)
    async with opened(url) as store:
        # Raises for one that is not there.
        await asyncio.gather(*(store.objects.get("Note", one) for one in acknowledged))


async def test_a_database_that_stands_still_is_answered_for_in_time(
    serve: Serve, own_cluster: Cluster, url: str
) -> None:
    await migrate(url)
    served = await serve(CONF.format(url=url, timeout=1), {"keeper": KEEPER})
    assert "success" in await call(served, "save", n=1)
    before = working()
    with held(own_cluster):
        started = time.monotonic()
        answers = await asyncio.gather(
            *(served.request("POST", CALLBACK) for _ in range(6)), call(served, "save", n=2)
        )
        assert time.monotonic() - started < 1 * SECOND + 0.5
        assert all(refused(one) for one in answers[:-1])
        assert "not available" in answers[-1]["error"]["message"]
        assert await call(served, "hello") == {"success": "Hello"}
    await until_ready(served)
    assert (await call(served, "count"))["success"] in (1, 2)
    async with asyncio.timeout(5):
        while working() - before - served.server.gate.running:
            await asyncio.sleep(0.05)
    # As many at once as the pool has connections: none of them was lost.
    counted = await asyncio.gather(*(call(served, "count") for _ in range(20)))
    assert all("success" in one for one in counted)


async def test_of_two_servers_on_a_sqlite_file_the_second_does_not_start(
    serve: Serve, tmp_path: Path
) -> None:
    conf = f"{PARSE}\n[store]\nurl = sqlite:///{tmp_path}/one.db\n"
    first = await serve(conf, {"keeper": KEEPER})
    with pytest.raises(StartError, match=r"another server uses .*one\.db"):
        await serve(conf, {"keeper": KEEPER})
    assert "success" in await call(first, "save", n=1)
    assert await readiness(first) == (200, {"status": "ready"})


async def test_the_password_of_a_database_is_told_nowhere(
    serve: Serve, own_cluster: Cluster, url: str, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    await migrate(url)
    wrong = url.replace(own_cluster.password, "wr0ng-pa55word")
    with pytest.raises(StartError, match="does not know this user name and password") as refused:
        await serve(CONF.format(url=wrong, timeout=2), {"keeper": KEEPER})
    told = [str(refused.value), repr(refused.value.__context__)]
    own_cluster.stop()
    served = await serve(CONF.format(url=url, timeout=2), {"keeper": KEEPER})
    answers = [await served.request("GET", "/readyz"), await served.request("POST", CALLBACK)]
    body = orjson.dumps({"params": {"n": 1}})
    answers.append(await served.request("POST", "/webhooks/functions/save", KEY, body))
    assert [one.status for one in answers] == [503, 503, 200]
    told += [one.body.decode() for one in answers]
    told += [f"{vars(record)!r}" for record in [*served.records, *caplog.records]]
    told += [repr(served.server.store), repr(vars(served.server.store.engine))]
    assert not [one for one in told if "wr0ng" in one or own_cluster.password in one]
