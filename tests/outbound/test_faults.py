"""Whatever a third party does, its caller has a typed error in time, and nothing is left behind."""

import asyncio
import gc
import socket
import time
import tracemalloc
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager
from typing import Any

import pytest

from tests.outbound.conftest import Opened, Wired
from tests.outbound.faults import BROKEN, LARGE, SLOW, open_files
from tests.outbound.wire import Reply, Wire, answer, hang
from tornado_cc.outbound import (
    CircuitOpen,
    ConnectError,
    HttpClient,
    OutboundError,
    ResponseError,
    TimeoutExpired,
    TooManyRedirects,
)
from tornado_cc.settings import OutboundSettings

DEADLINE = 0.4
SLACK = 3.0
"""Seconds that a loaded machine may take longer."""
LIMIT = 1 << 20
MEMORY = 8 << 20
"""Bytes that an answer of 256 KiB may cost, with what lies in buffers on the way."""

CASES = {**SLOW, **BROKEN, **LARGE}


@contextmanager
def in_time() -> Iterator[None]:
    start = time.monotonic()
    yield
    assert time.monotonic() - start < DEADLINE + SLACK


async def asked(client: HttpClient, url: str, error: type[OutboundError]) -> OutboundError:
    """A request that fails so, in time."""
    with in_time(), pytest.raises(error) as caught:
        await client.request(f"{url}a?key=secret", follow_redirects=True)
    assert type(caught.value) is error
    assert caught.value.url == f"{url}a"
    assert "secret" not in str(caught.value)
    return caught.value


async def limited(opened: Opened, **more: Any) -> HttpClient:
    return await opened(timeout=DEADLINE, max_response=LIMIT, **more)


@pytest.mark.parametrize("reply", SLOW.values(), ids=SLOW)
async def test_what_never_comes_to_an_end_is_given_up_in_time(
    opened: Opened, wired: Wired, reply: Reply
) -> None:
    client, wire = await limited(opened), await wired(reply)
    error = await asked(client, wire.url, TimeoutExpired)
    assert error.problem == f"no answer within {DEADLINE} s"


@pytest.mark.parametrize("reply", BROKEN.values(), ids=BROKEN)
async def test_what_breaks_off_or_breaks_the_rules_is_an_error_of_the_answer(
    opened: Opened, wired: Wired, reply: Reply
) -> None:
    client, wire = await limited(opened), await wired(reply)
    assert (await asked(client, wire.url, ResponseError)).cause is not None


@pytest.mark.parametrize("reply", LARGE.values(), ids=LARGE)
async def test_what_is_too_large_ends_at_the_limit(
    opened: Opened, wired: Wired, reply: Reply
) -> None:
    client, wire = await opened(timeout=20, max_response=LIMIT), await wired(reply)
    with pytest.raises(ResponseError, match=r"larger than 1048576 bytes|1000 streams"):
        await client.request(wire.url)


async def test_what_leads_round_in_a_circle_ends_at_the_third_redirect(
    opened: Opened, wired: Wired
) -> None:
    client = await limited(opened)
    wire = await wired(answer(b"", "Location: /a?key=secret", status="307 Round"))
    await asked(client, wire.url, TooManyRedirects)
    assert len(wire.received) == 4


async def test_a_silent_port_of_https_is_given_up_in_time(opened: Opened) -> None:
    client = await limited(opened)
    with socket.create_server(("127.0.0.1", 0)) as listening:
        url = f"https://127.0.0.1:{listening.getsockname()[1]}/"
        await asked(client, url, TimeoutExpired)


async def test_a_port_of_https_that_speaks_no_tls_is_no_connection(
    opened: Opened, wired: Wired
) -> None:
    client, wire = await limited(opened), await wired()
    await asked(client, wire.url.replace("http:", "https:"), ConnectError)


async def test_an_answer_may_not_stop_for_longer_than_a_read_may_take(
    opened: Opened, wired: Wired
) -> None:
    client, wire = await opened(timeout=30, read_timeout=DEADLINE), await wired(hang)
    error = await asked(client, wire.url, TimeoutExpired)
    assert error.problem.startswith("the connection timed out")


async def test_a_destination_of_the_conf_may_take_all_the_time_it_has(
    opened: Opened, wired: Wired
) -> None:
    async def slowly(writer: asyncio.StreamWriter) -> None:
        await asyncio.sleep(0.5)
        await answer()(writer)

    client, wire = await opened(read_timeout=0.1), await wired(slowly)
    http = client.declared([wire.url])
    assert (await http.request(wire.url, timeout=10)).text == "ok"


ENDLESS = {name: reply for name, reply in CASES.items() if "endless" in name or "bomb" in name}


@pytest.mark.parametrize("reply", ENDLESS.values(), ids=ENDLESS)
async def test_memory_is_bounded(opened: Opened, wired: Wired, reply: Reply) -> None:
    client, wire = await opened(timeout=2, max_response=256 << 10), await wired(reply)
    tracemalloc.start()
    try:
        with pytest.raises(OutboundError):
            await client.request(wire.url)
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert peak < MEMORY


async def one_failure(reply: Reply) -> None:
    wire = Wire(reply)
    client = HttpClient(
        OutboundSettings(timeout=DEADLINE, max_response=LIMIT, breaker=False), loopback=True
    )
    await wire.start()
    await client.open()
    asking = [client.request(wire.url) for _ in range(3)]
    ended = await asyncio.gather(*asking, return_exceptions=True)
    assert all(isinstance(one, OutboundError) for one in ended)
    await client.close()
    await wire.stop()


async def one_cancellation() -> None:
    wire, client = Wire(hang), HttpClient(OutboundSettings(), loopback=True)
    await wire.start()
    await client.open()
    asking = asyncio.create_task(client.request(wire.url))
    while not wire.received:
        await asyncio.sleep(0.01)
    asking.cancel()
    await asyncio.gather(asking, return_exceptions=True)
    await client.close()
    await wire.stop()


LEAKING: dict[str, Callable[[], Awaitable[None]]] = {
    **{name: lambda reply=reply: one_failure(reply) for name, reply in CASES.items()},  # type: ignore[misc]
    "a caller who went away": one_cancellation,
}


@pytest.mark.parametrize("fail", LEAKING.values(), ids=LEAKING)
async def test_no_socket_and_no_task_is_left(fail: Callable[[], Awaitable[None]]) -> None:
    gc.collect()
    files, tasks = open_files(), asyncio.all_tasks()
    await fail()
    async with asyncio.timeout(10):
        while open_files() != files or asyncio.all_tasks() != tasks:
            await asyncio.sleep(0.01)


UNWELL = {name: CASES[name] for name in ("silence", "a dripping body", "reset at once")}


@pytest.mark.parametrize("reply", UNWELL.values(), ids=UNWELL)
async def test_its_breaker_opens_and_closes(
    opened: Opened, wired: Wired, reply: Reply, monkeypatch: pytest.MonkeyPatch
) -> None:
    client = await limited(opened, breaker_failures=2, breaker_pause=300)
    wire = await wired(reply, reply, answer())
    for _ in range(2):
        with in_time(), pytest.raises((TimeoutExpired, ResponseError)):
            await client.request(wire.url, method="POST")
    with pytest.raises(CircuitOpen) as caught:
        await client.request(wire.url, timeout=30)
    assert 200 < caught.value.retry_after <= 300
    monkeypatch.setattr("tornado_cc.core.clock.monotonic", lambda: time.monotonic() + 301)
    for _ in range(2):
        assert (await client.request(wire.url, timeout=30)).text == "ok"
    assert client.held() == []
