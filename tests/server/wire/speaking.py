"""A fast wire with nothing behind it but what a test says: no dialect, no flow, no store."""

import asyncio
import socket
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from typing import Any, cast

from tornado.httputil import HTTPHeaders, RequestStartLine, ResponseStartLine

from tornado_cc.core.message import Response
from tornado_cc.server import headers
from tornado_cc.server.gate import Gate
from tornado_cc.server.metrics import Metrics
from tornado_cc.server.wire import Wire
from tornado_cc.server.wire_connection import WireConnection
from tornado_cc.settings import ServerSettings

PATIENCE = 10
GET = b"GET / HTTP/1.1\r\nHost: x\r\n\r\n"


class Asked:
    """One request, as an exchange gets it, and the way to answer it."""

    def __init__(self, speaker: "Speaker", connection: WireConnection) -> None:
        self._speaker = speaker
        self.connection = connection
        self.line: RequestStartLine
        self.fields: Any
        self.body = b""
        self.pieces = 0
        self.is_complete = False
        self.is_gone = False

    def headers_received(self, line: RequestStartLine, fields: Any) -> None:
        self.line, self.fields = line, fields
        if self._speaker.early is not None:
            self._speaker.early(self)

    @property
    def aim(self) -> tuple[RequestStartLine, Any]:
        return self.line, self.fields

    def received(self, aim: tuple[RequestStartLine, Any], body: bytes) -> None:
        self.headers_received(*aim)
        if body:
            self.data_received(body)
        self.finish()

    def data_received(self, chunk: bytes) -> None:
        self.body += chunk
        self.pieces += 1

    def finish(self) -> None:
        self.is_complete = True
        self.connection.set_close_callback(self.on_connection_close)
        answering = self._speaker.answer(self)
        if answering is not None:
            self._speaker.tasks.append(asyncio.ensure_future(answering))

    def on_connection_close(self) -> None:
        self.is_gone = True

    def say(self, body: bytes = b"ok", *, close: bool = False) -> Any:
        """Answer with this body, in one write."""
        line, lines = headers.head(Response(200, body), close=close)
        written = self.connection.write_headers(line, lines, body)
        self.connection.finish()
        return written

    def begin(self) -> None:
        """Answer with a head that says no length."""
        line = ResponseStartLine("HTTP/1.1", 200, "OK")
        self.connection.write_headers(line, HTTPHeaders({"Content-Type": "text/plain"}))


Answer = Callable[[Asked], Awaitable[None] | None]


def at_once(asked: Asked) -> None:
    """Answer before `finish` returns, with what was sent."""
    asked.say(asked.body or b"ok")


def briefly(asked: Asked) -> None:
    """The same in two letters."""
    asked.say()


def never(asked: Asked) -> None:
    """Leave the answer to the test."""


@dataclass
class Caller:
    """One end of a connection."""

    end: socket.socket
    received: bytes = b""

    async def say(self, data: bytes) -> None:
        """Send all of this."""
        async with asyncio.timeout(PATIENCE):
            await asyncio.get_running_loop().sock_sendall(self.end, data)

    async def hear(self, size: int = 1 << 16) -> bytes:
        """What comes next; nothing when the connection has ended."""
        async with asyncio.timeout(PATIENCE):
            return await asyncio.get_running_loop().sock_recv(self.end, size)

    async def until(self, end: bytes) -> bytes:
        """Everything up to and with these bytes; what follows is for the next."""
        while end not in self.received:
            data = await self.hear()
            assert data, f"it ended after {self.received!r}"
            self.received += data
        found, end, self.received = self.received.partition(end)
        return found + end

    async def rest(self) -> bytes:
        """Everything until the connection ends."""
        rest, self.received = self.received, b""
        while data := await self.hear():
            rest += data
        return rest


@dataclass
class Speaker:
    """What stands for the gate, and the wire in front of it."""

    answer: Answer = at_once
    early: Callable[[Asked], None] | None = None
    asked: list[Asked] = field(default_factory=list)
    tasks: list[asyncio.Future[None]] = field(default_factory=list)
    callers: list[Caller] = field(default_factory=list)
    metrics: Metrics = field(default_factory=lambda: Metrics([]))
    wire: Wire = field(init=False)
    port: int = 0

    def exchange(self, connection: Any) -> Asked:
        """The wire's call for each request."""
        self.asked.append(Asked(self, connection))
        return self.asked[-1]

    async def start(self, **settings: Any) -> None:
        """Listen."""
        listening = socket.create_server(("127.0.0.1", 0))
        self.port = listening.getsockname()[1]
        self.wire = Wire(cast(Gate, self), ServerSettings(**settings))
        await self.wire.start([listening])

    async def ask(self, raw: bytes = GET, *, room: int = 0) -> Caller:
        """Connect, and say this.

        Args:
            room: bytes of answers that may wait at the caller's end, if not the usual.
        """
        end = socket.socket()
        end.setblocking(False)
        if room:
            end.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, room)
        self.callers.append(Caller(end))
        await asyncio.get_running_loop().sock_connect(end, ("127.0.0.1", self.port))
        await self.callers[-1].say(raw)
        return self.callers[-1]

    async def stop(self) -> None:
        """End everything."""
        self.wire.stop()
        await self.wire.close()
        for caller in self.callers:
            caller.end.close()
        await asyncio.gather(*self.tasks)

    async def until(self, count: int) -> Asked:
        """Wait until so many requests have come whole; the last of them."""
        async with asyncio.timeout(10):
            while sum(one.is_complete for one in self.asked) < count:
                await asyncio.sleep(0.005)
        return self.asked[count - 1]
