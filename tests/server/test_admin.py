"""The listener for those who look after a server: apart from the callers, up first, down last."""

import asyncio
from pathlib import Path
from typing import Any

import pytest

from tests.server.scraping import scrape
from tests.serving import PARSE, Answer, Serve, Served, read_answer, write_conf
from tornado_cc.server import Server, StartError, build
from tornado_cc.server.depth import QueueGauge
from tornado_cc.store.deliveries import Depth

SLOW = """
    import asyncio
    from pathlib import Path
    from tornado_cc import Plugin
    plugin = Plugin("slow")

    @plugin.on_start
    async def start(app):
        while Path(__file__).with_name("wait").exists():
            await asyncio.sleep(0.01)

    @plugin.on_stop
    async def stop(app):
        while Path(__file__).with_name("wait").exists():
            await asyncio.sleep(0.01)
"""
DEADLINE = "\n[hooks]\ndeadline = 20\n"


async def ask(served: Served, path: str, method: str = "GET") -> Answer:
    return await served.request(method, path, port=served.admin_port)


async def readiness(served: Served) -> tuple[int, Any]:
    answer = await ask(served, "/readyz")
    return answer.status, answer.json()


async def test_the_health_pages_are_those_of_the_public_listener(serve: Serve) -> None:
    served = await serve()
    for path in ("/healthz", "/readyz"):
        own, public = await ask(served, path), await served.request("GET", path)
        assert (own.status, own.body) == (200, public.body)
        assert own.header("Cache-Control") == public.header("Cache-Control") == "no-store"


async def test_metrics_are_not_for_callers(serve: Serve) -> None:
    served = await serve()
    assert served.admin_port != served.port
    assert (await served.request("GET", "/metrics")).status == 404
    assert (await ask(served, "/metrics")).status == 200


@pytest.mark.parametrize("path", ["/", "/metrics/", "/METRICS", "/webhooks/functions", "*", "/%00"])
async def test_there_is_nothing_else(serve: Serve, path: str) -> None:
    answer = await ask(await serve(), path)
    assert (answer.status, answer.json()) == (404, {"error": "Not found"})


@pytest.mark.parametrize("method", ["POST", "DELETE", "OPTIONS", "BREW"])
@pytest.mark.parametrize("path", ["/metrics", "/readyz"])
async def test_there_is_nothing_to_do(serve: Serve, path: str, method: str) -> None:
    answer = await ask(await serve(), path, method)
    assert (answer.status, answer.json()) == (405, {"error": "Method not allowed"})
    assert answer.header("Allow") == "GET, HEAD"


@pytest.mark.parametrize("path", ["/metrics", "/healthz", "/metrics?name[]=up"])
async def test_a_head_is_answered_without_a_body(serve: Serve, path: str) -> None:
    served = await serve()
    answer = await ask(served, path, "HEAD")
    assert (answer.status, answer.body) == (200, b"")
    assert int(answer.header("Content-Length") or 0) > 10


async def test_a_connection_may_be_kept_for_the_next_scrape(serve: Serve) -> None:
    served = await serve()
    reader, writer = await asyncio.open_connection("127.0.0.1", served.admin_port)
    for _ in range(3):
        writer.write(b"GET /metrics HTTP/1.1\r\nHost: x\r\n\r\n")
        assert (await read_answer(reader, "GET")).status == 200
    writer.close()


async def test_what_asks_is_neither_counted_nor_logged(serve: Serve) -> None:
    served = await serve()
    await ask(served, "/CANARY")
    await ask(served, "/metrics", "CANARY")
    assert (await scrape(served)).labels("route") == set()
    assert not [one for one in served.records if "CANARY" in repr(vars(one))]
    assert served.logged("request") == []


async def test_who_sends_too_much_or_hangs_up_is_no_harm(serve: Serve) -> None:
    served = await serve()
    large = b"GET /metrics HTTP/1.1\r\nHost: x\r\nContent-Length: 999999\r\n\r\n"
    assert (await served.send(large, method="GET", port=served.admin_port)).status == 400
    for _ in range(5):
        _, writer = await asyncio.open_connection("127.0.0.1", served.admin_port)
        writer.write(b"GET /metrics HTTP/1.1\r\nHost: x\r\n\r\n")
        writer.transport.abort()
    assert (await ask(served, "/metrics")).status == 200


async def test_a_page_that_fails_is_an_answer_and_a_line_in_the_log(
    serve: Serve, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def fail(gauge: QueueGauge) -> Depth | None:
        raise LookupError("secret")

    monkeypatch.setattr(QueueGauge, "read", fail)
    served = await serve()
    answer = await ask(served, "/metrics")
    assert (answer.status, answer.json()) == (500, {"error": "Internal error"})
    (record,) = served.logged("admin page failed")
    assert vars(record)["page"] == "/metrics"
    assert await readiness(served) == (200, {"status": "ready"})


async def test_a_server_that_has_drained_says_so_until_it_has_ended(
    serve: Serve, tmp_path: Path
) -> None:
    served = await serve(PARSE + DEADLINE, {"slow": SLOW})
    wait = tmp_path / "0" / "plugins.d" / "wait"
    wait.touch()
    await served.server.drain()
    ending = asyncio.create_task(served.server.end())
    with pytest.raises(ConnectionRefusedError):
        await served.request("GET", "/readyz")
    assert await readiness(served) == (503, {"status": "draining"})
    assert (await ask(served, "/metrics")).status == 200
    wait.unlink()
    await ending
    with pytest.raises(ConnectionRefusedError):
        await ask(served, "/healthz")


async def test_a_server_that_is_starting_says_so_before_it_listens(tmp_path: Path) -> None:
    path = write_conf(tmp_path, PARSE + DEADLINE, {"slow": SLOW})
    (tmp_path / "plugins.d" / "wait").touch()
    served = Served(Server(build(path, {})))
    starting = asyncio.create_task(served.server.start())
    async with asyncio.timeout(10):
        while not served.server.admin_addresses:
            await asyncio.sleep(0.01)
    assert await readiness(served) == (503, {"status": "starting"})
    assert served.server.addresses == []
    (tmp_path / "plugins.d" / "wait").unlink()
    await starting
    assert await readiness(served) == (200, {"status": "ready"})
    await served.server.stop()


async def test_a_start_that_fails_leaves_nobody_listening(tmp_path: Path) -> None:
    source = SLOW.replace("while", "raise OSError('no disk')\n        while", 1)
    served = Served(Server(build(write_conf(tmp_path, PARSE, {"slow": source}), {})))
    with pytest.raises(StartError, match="on_start"):
        await served.server.start()
    with pytest.raises(ConnectionRefusedError):
        await ask(served, "/healthz")


async def test_a_scrape_that_waits_for_the_database_does_not_hold_up_the_stop(
    serve: Serve, monkeypatch: pytest.MonkeyPatch
) -> None:
    served = await serve()
    asked = asyncio.Event()

    async def never(deliveries: object) -> Depth:
        asked.set()
        await asyncio.Event().wait()
        raise AssertionError

    monkeypatch.setattr(type(served.store.deliveries), "depth", never)
    _, writer = await asyncio.open_connection("127.0.0.1", served.admin_port)
    writer.write(b"GET /metrics HTTP/1.1\r\nHost: x\r\n\r\n")
    await asked.wait()
    async with asyncio.timeout(10):
        await served.server.stop()
    writer.close()


async def test_the_addresses_are_logged_apart(serve: Serve) -> None:
    served = await serve()
    lines = [vars(record) for record in served.logged("listening")]
    assert [line.get("address") for line in lines] == [*served.server.addresses, None]
    assert [line.get("admin") for line in lines] == [None, *served.server.admin_addresses]


async def test_off_listens_nowhere_else(serve: Serve) -> None:
    served = await serve(f"{PARSE}\n[admin]\nbind = off\n")
    assert served.server.admin_addresses == []
    assert len(served.logged("listening")) == 1
    assert (await served.request("GET", "/readyz")).status == 200
