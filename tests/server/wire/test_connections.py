"""How many connections there may be, how they end with the server, and what they are made over."""

import asyncio
import resource
import socket
import ssl
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import cast

import pytest

from tests.server.wire.conftest import Certificate
from tests.server.wire.speaking import GET, Speaker, never
from tests.server.wire.test_answers import until_gone
from tests.serving import PARSE, Serve
from tornado_cc.server.gate import Gate
from tornado_cc.server.wire import Wire, connection_limit
from tornado_cc.settings import ServerSettings

Speak = Callable[..., Awaitable[Speaker]]


async def test_a_connection_too_many_is_told_so_and_the_others_go_on(speak: Speak) -> None:
    speaker = await speak(max_connections=3)
    others = [await speaker.ask() for _ in range(3)]
    for other in others:
        await other.until(b"ok")
    answer = await (await speaker.ask()).rest()
    assert answer.startswith(b"HTTP/1.1 503 Service Unavailable\r\n")
    assert answer.endswith(b'{"error":"Too many connections"}')
    for other in others:
        await other.say(GET)
        await other.until(b"ok")
    others[0].end.close()
    await until_count(speaker, 2)
    await (await speaker.ask()).until(b"ok")


async def test_a_flood_of_connections_leaves_files_for_everything_else(speak: Speak) -> None:
    speaker = await speak(max_connections=3)
    callers = [await speaker.ask(b"") for _ in range(200)]
    await asyncio.sleep(0.1)
    assert speaker.wire.connections <= 3 + 32
    for caller in callers:
        caller.end.close()
    await until_count(speaker, 0)
    await (await speaker.ask()).until(b"ok")


def test_there_are_never_more_connections_than_three_quarters_of_the_files() -> None:
    files = resource.getrlimit(resource.RLIMIT_NOFILE)[0]
    assert connection_limit(0) == files * 3 // 4
    assert connection_limit(10 * files) == files * 3 // 4
    assert connection_limit(7) == 7


async def test_nobody_is_let_in_after_the_stop_and_who_is_there_goes_on(speak: Speak) -> None:
    speaker = await speak()
    caller = await speaker.ask()
    await caller.until(b"ok")
    speaker.wire.stop()
    with pytest.raises(ConnectionError):
        await (await speaker.ask()).rest()
    await caller.say(GET)
    await caller.until(b"ok")


async def test_at_the_end_every_connection_is_closed(speak: Speak) -> None:
    speaker = await speak(never)
    idle, asking = await speaker.ask(b""), await speaker.ask()
    asked = await speaker.until(1)
    speaker.wire.stop()
    await speaker.wire.close()
    assert speaker.wire.connections == 0
    assert await idle.rest() == b""
    assert await asking.rest() == b""
    assert asked.is_gone


async def test_what_is_written_at_the_end_still_arrives(speak: Speak) -> None:
    speaker = await speak(never)
    caller = await speaker.ask(room=64 << 10)
    asked = await speaker.until(1)
    asked.say(b"x" * (6 << 20))
    closing = asyncio.ensure_future(speaker.wire.close())
    assert len(await caller.rest()) > 6 << 20
    await closing


async def test_a_connection_that_is_to_close_takes_no_further_request(speak: Speak) -> None:
    speaker = await speak(never)
    caller = await speaker.ask(GET + GET)
    asked = await speaker.until(1)
    asked.connection.close()
    asked.say(b"last")
    answer = await caller.rest()
    assert b"Connection: close\r\n" in answer
    assert answer.endswith(b"last")
    assert len(speaker.asked) == 1


async def test_over_a_unix_socket_there_is_no_address(speak: Speak, tmp_path: Path) -> None:
    speaker = await speak()
    listening = socket.socket(socket.AF_UNIX)
    listening.bind(str(tmp_path / "wire"))
    listening.listen()
    wire = Wire(cast(Gate, speaker), ServerSettings())
    await wire.start([listening])
    reader, writer = await asyncio.open_unix_connection(tmp_path / "wire")
    writer.write(GET)
    await reader.readuntil(b"ok")
    assert speaker.asked[0].connection.context.remote_ip == "0.0.0.0"
    writer.close()
    wire.stop()
    await wire.close()


async def test_a_client_that_leaves_is_told_of_over_tls(
    speak: Speak, certificate: Certificate
) -> None:
    speaker = await speak(never, **certificate.settings)
    _, writer = await certificate.connect(speaker.port)
    writer.write(GET)
    asked = await speaker.until(1)
    writer.close()
    await until_gone(asked)


async def test_over_tls_everything_is_as_without(speak: Speak, certificate: Certificate) -> None:
    speaker = await speak(**certificate.settings)
    reader, writer = await certificate.connect(speaker.port)
    secured = writer.get_extra_info("ssl_object")
    assert secured.selected_alpn_protocol() == "http/1.1"
    assert secured.version() in ("TLSv1.2", "TLSv1.3")
    body = b"x" * (3 << 20)
    head = b"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: %d\r\n\r\n" % len(body)
    writer.write(GET + head + body)
    async with asyncio.timeout(20):
        await reader.readuntil(b"ok")
        await reader.readuntil(b"\r\n\r\n")
        assert await reader.readexactly(len(body)) == body
        writer.write(b"bad\r\n\r\n")
        assert b" 400 Bad Request" in await reader.read()
    writer.close()


async def test_who_does_not_speak_tls_gets_no_answer_and_leaves_no_trace(
    speak: Speak, certificate: Certificate, caplog: pytest.LogCaptureFixture
) -> None:
    speaker = await speak(**certificate.settings)
    assert await (await speaker.ask()).rest() in (b"", b"\x15\x03\x01\x00\x02\x02\x46")
    with pytest.raises((ssl.SSLError, ConnectionError)):
        await certificate.connect(speaker.port, oldest=True)
    await asyncio.sleep(0.1)
    assert [one for one in caplog.records if one.levelname != "DEBUG"] == []


async def test_a_handshake_that_is_not_made_has_the_deadline_of_a_head(
    speak: Speak, certificate: Certificate
) -> None:
    speaker = await speak(header_timeout=0.2, **certificate.settings)
    assert await (await speaker.ask(b"\x16\x03\x01")).rest() == b""


async def until_count(speaker: Speaker, count: int) -> None:
    async with asyncio.timeout(10):
        while speaker.wire.connections != count:
            await asyncio.sleep(0.005)


async def test_a_conf_with_a_certificate_is_served_over_tls(
    serve: Serve, wire: str, certificate: Certificate
) -> None:
    files = f"certificate = {certificate.file}\ncertificate_key = {certificate.key}\n"
    served = await serve(f"{PARSE}[server]\n{files}")
    reader, writer = await certificate.connect(served.port)
    writer.write(b"GET /healthz HTTP/1.1\r\nHost: localhost\r\n\r\n")
    async with asyncio.timeout(10):
        assert (await reader.readuntil(b'{"status":"ok"}')).startswith(b"HTTP/1.1 200 OK\r\n")
    writer.close()
