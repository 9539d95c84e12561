"""No request outlasts its limit, whatever the other side does."""

import asyncio
import socket
import time
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from typing import Any

import pytest

from tests.outbound.conftest import Opened, Served, Wired
from tests.outbound.wire import Reply, answer, hang, say, trickle
from tornado_cc.core import clock
from tornado_cc.outbound import HttpClient, RequestError, TimeoutExpired

HANGING = {
    "no answer": hang,
    "half a head": say(b"HTTP/1.1 200 OK\r\nContent-"),
    "half a body": say(b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nabc"),
    "an endless trickle": trickle(0.02),
}


@contextmanager
def lasting(low: float, high: float) -> Iterator[None]:
    start = time.monotonic()
    yield
    assert low <= time.monotonic() - start < high


@pytest.mark.parametrize("reply", HANGING.values(), ids=HANGING)
async def test_the_setting_bounds_the_whole_answer(
    opened: Opened, wired: Wired, reply: Reply
) -> None:
    client, wire = await opened(timeout=0.3), await wired(reply)
    with lasting(0.25, 1.5), pytest.raises(TimeoutExpired, match=r"within 0\.3 s") as caught:
        await client.request(f"{wire.url}?CANARY")
    assert caught.value.url == wire.url
    assert caught.value.__context__ is None


async def test_a_request_may_have_a_limit_of_its_own(opened: Opened, party: Served) -> None:
    client = await opened(timeout=0.2)
    with lasting(0, 0.15), pytest.raises(TimeoutExpired):
        await client.request(party.at("/slow"), timeout=0.05)
    response = await client.request(party.at("/slow?seconds=0.4"), timeout=5)
    assert response.text == "at last"


@pytest.mark.parametrize("seconds", [None, 30])
async def test_no_request_outlasts_its_hook(
    client: HttpClient, party: Served, seconds: float | None
) -> None:
    bound = client.bound(clock.monotonic() + 0.2)
    with lasting(0.15, 1), pytest.raises(TimeoutExpired):
        await bound.request(party.at("/slow"), timeout=seconds)


async def test_nothing_is_sent_once_the_hooks_time_is_over(
    client: HttpClient, wired: Wired
) -> None:
    wire = await wired(answer())
    await client.request(wire.url)
    with pytest.raises(TimeoutExpired):
        await client.bound(clock.monotonic() - 1).request(wire.url, method="POST", body="late")
    await client.request(wire.url)
    assert [one.method for one in wire.received] == ["GET", "GET"]


@pytest.mark.parametrize("seconds", [0, -1, float("nan"), "5", True])
async def test_a_limit_that_is_no_time_is_refused(
    client: HttpClient, wired: Wired, seconds: Any
) -> None:
    wire = await wired()
    with pytest.raises(RequestError, match="timeout"):
        await client.request(wire.url, timeout=seconds)
    assert wire.connections == 0


async def test_redirects_share_one_limit(opened: Opened, wired: Wired) -> None:
    async def slowly(writer: asyncio.StreamWriter) -> None:
        await asyncio.sleep(0.25)
        await answer(b"", "Location: /", status="302 Found")(writer)

    client, wire = await opened(timeout=0.4), await wired(slowly)
    with lasting(0.3, 1), pytest.raises(TimeoutExpired):
        await client.request(wire.url, follow_redirects=True)


@asynccontextmanager
async def full_backlog() -> AsyncIterator[str]:
    """An address whose connections are never accepted."""
    with socket.socket() as listening:
        listening.bind(("127.0.0.1", 0))
        listening.listen(0)
        port = listening.getsockname()[1]
        waiting = [socket.socket() for _ in range(8)]
        for one in waiting:
            one.setblocking(False)
            one.connect_ex(("127.0.0.1", port))
        yield f"http://127.0.0.1:{port}/"
        for one in waiting:
            one.close()


async def test_making_a_connection_has_a_limit_of_its_own(opened: Opened) -> None:
    client = await opened(timeout=10, connect_timeout=0.2)
    async with full_backlog() as url:
        with lasting(0.15, 2), pytest.raises(TimeoutExpired, match="no connection in time"):
            await client.request(url)


async def test_a_cancelled_caller_is_cancelled(client: HttpClient, wired: Wired) -> None:
    wire = await wired(hang)
    task = asyncio.create_task(client.request(wire.url))
    while not wire.received:
        await asyncio.sleep(0.01)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
