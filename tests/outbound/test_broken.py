"""Third parties that break off, lie about their length or speak no HTTP."""

import asyncio
import socket

import pytest

from tests.outbound.conftest import Opened, Wired
from tests.outbound.wire import Reply, answer, hang, reset, say, say_and_close
from tornado_cc.outbound import ConnectError, HttpClient, OutboundError, ResponseError
from tornado_cc.settings import OutboundSettings

HEAD = b"HTTP/1.1 200 OK\r\n"
CHUNKED = HEAD + b"Transfer-Encoding: chunked\r\n\r\n"
BROKEN: dict[str, Reply] = {
    "reset at once": reset,
    "closed at once": say_and_close(b""),
    "half a status line": say_and_close(b"HTTP/1."),
    "half a head": say_and_close(HEAD + b"Content-Le"),
    "no HTTP": say_and_close(b"SSH-2.0-OpenSSH_9.2\r\n"),
    "nonsense": say(b"\x00\x01\x02\x03\r\n\r\n"),
    "no number": say(b"HTTP/1.1 abc OK\r\n\r\n"),
    "a bad length": say(HEAD + b"Content-Length: many\r\n\r\n"),
    "two lengths": say(HEAD + b"Content-Length: 1\r\nContent-Length: 2\r\n\r\nab"),
    "length and chunks": say(
        HEAD + b"Content-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n"
    ),
    "a body cut short": say_and_close(HEAD + b"Content-Length: 10\r\n\r\nabc"),
    "a bad chunk size": say(CHUNKED + b"zz\r\nabc\r\n0\r\n\r\n"),
    "a bad second chunk": say(CHUNKED + b"3\r\nabc\r\nzz\r\n"),
    "chunks cut short": say_and_close(CHUNKED + b"5\r\nabc"),
    "no last chunk": say_and_close(CHUNKED + b"3\r\nabc\r\n"),
    "no gzip": answer(b"plain", "Content-Encoding: gzip"),
    "half a gzip": say_and_close(
        HEAD
        + b"Content-Encoding: gzip\r\nContent-Length: 14\r\n\r\n"
        + b"\x1f\x8b\x08\0\0\0\0\0\0\x03KL"
    ),
    "an unknown coding": answer(b"\x00\x00", "Content-Encoding: br"),
    "a huge header": say(HEAD + b"X-Huge: " + b"x" * 100_000 + b"\r\n\r\n"),
    "a switch of protocols": say(
        b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: x\r\nConnection: upgrade\r\n\r\n"
    ),
}


@pytest.mark.parametrize("reply", BROKEN.values(), ids=BROKEN)
async def test_a_broken_answer_is_an_error_of_ours(
    opened: Opened, wired: Wired, reply: Reply
) -> None:
    client = await opened(timeout=2)
    wire = await wired(reply)
    with pytest.raises(ResponseError) as caught:
        await client.request(f"{wire.url}a?CANARY")
    assert caught.value.url == f"{wire.url}a"
    assert caught.value.__cause__ is None
    assert caught.value.__context__ is None


async def test_the_next_request_is_not_disturbed(client: HttpClient, wired: Wired) -> None:
    wire = await wired(say(CHUNKED + b"zz\r\n"), answer(b"fine"))
    with pytest.raises(ResponseError):
        await client.request(wire.url)
    assert (await client.request(wire.url)).text == "fine"


async def test_a_connection_the_other_side_gave_up_is_replaced(
    client: HttpClient, wired: Wired
) -> None:
    wire = await wired(answer(b"one"), answer(b"two"))
    await client.request(wire.url)
    for task in wire.tasks:
        task.cancel()
    assert (await client.request(wire.url)).text == "two"


@pytest.mark.parametrize("breaks", [reset, say_and_close(b"")], ids=["reset", "closed"])
@pytest.mark.parametrize("method", ["GET", "PUT", "DELETE"])
async def test_a_kept_connection_that_breaks_is_tried_once_more_with_the_whole_body(
    client: HttpClient, wired: Wired, method: str, breaks: Reply
) -> None:
    wire = await wired(answer(b"one"), breaks, answer(b"two"))
    await client.request(wire.url)
    response = await client.request(wire.url, method=method, body="a body")
    assert response.text == "two"
    assert [one.body for one in wire.received] == [b"", b"a body", b"a body"]


async def test_what_must_not_happen_twice_is_sent_once(client: HttpClient, wired: Wired) -> None:
    wire = await wired(answer(b"one"), reset, answer(b"two"))
    await client.request(wire.url)
    with pytest.raises(ResponseError):
        await client.request(wire.url, method="POST", body="pay")
    assert [one.method for one in wire.received] == ["GET", "POST"]


async def test_a_port_nobody_listens_on_is_named_with_its_cause(client: HttpClient) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        url = f"http://127.0.0.1:{taken.getsockname()[1]}/a"
        with pytest.raises(ConnectError, match=r"^http://127\.0\.0\.1:\d+/a: ") as caught:
            await client.request(url)
    assert caught.value.url == url
    assert "refused" in str(caught.value.cause).lower() or "111" in str(caught.value.cause)


async def test_a_name_nobody_has_is_a_connection_that_failed(client: HttpClient) -> None:
    with pytest.raises(ConnectError, match="ClientConnectorDNSError") as caught:
        await client.request("http://nobody.invalid/")
    assert isinstance(caught.value, OutboundError)


async def test_a_client_that_is_not_running_says_so(wired: Wired) -> None:
    wire = await wired()
    client = HttpClient(OutboundSettings(), loopback=True)
    with pytest.raises(ConnectError, match="not running"):
        await client.request(wire.url)
    await client.open()
    await client.request(wire.url)
    await client.close()
    await client.close()
    with pytest.raises(ConnectError, match="not running"):
        await client.request(wire.url)
    assert len(wire.received) == 1


async def test_a_request_under_way_when_the_client_closes_ends(
    opened: Opened, wired: Wired
) -> None:
    client = await opened(timeout=5)
    wire = await wired(hang)
    request = asyncio.create_task(client.request(wire.url))
    while not wire.received:
        await asyncio.sleep(0.01)
    await client.close()
    with pytest.raises(OutboundError):
        await request
