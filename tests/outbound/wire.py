"""A third party down to its bytes: h11 reads each request strictly, a reply is written as told."""

import asyncio
import socket
import ssl
import struct
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from urllib.parse import parse_qsl, urlsplit

import h11

Reply = Callable[[asyncio.StreamWriter], Awaitable[None]]


@dataclass(frozen=True)
class Received:
    """A request as h11 understood it."""

    method: str
    target: str
    headers: list[tuple[str, str]]
    body: bytes

    def every(self, name: str) -> list[str]:
        """The values of a header, in order."""
        return [value for key, value in self.headers if key == name]

    @property
    def query(self) -> list[tuple[str, str]]:
        """The parameters of the address, bytes that are no UTF-8 escaped."""
        text = urlsplit(self.target).query
        return parse_qsl(text, keep_blank_values=True, errors="surrogateescape")


def say(raw: bytes) -> Reply:
    """Write these bytes and keep the connection."""

    async def reply(writer: asyncio.StreamWriter) -> None:
        writer.write(raw)
        await writer.drain()

    return reply


def answer(body: bytes = b"ok", *headers: str, status: str = "200 OK") -> Reply:
    """A well-formed response."""
    lines = [f"HTTP/1.1 {status}", f"Content-Length: {len(body)}", *headers]
    return say("\r\n".join(lines).encode() + b"\r\n\r\n" + body)


def say_and_close(raw: bytes) -> Reply:
    """Write these bytes and close the connection."""

    async def reply(writer: asyncio.StreamWriter) -> None:
        writer.write(raw)
        await writer.drain()
        writer.close()

    return reply


async def reset(writer: asyncio.StreamWriter) -> None:
    """Break the connection with a TCP reset."""
    linger = struct.pack("ii", 1, 0)
    writer.get_extra_info("socket").setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, linger)
    writer.transport.abort()


async def hang(writer: asyncio.StreamWriter) -> None:
    """Say nothing."""
    await asyncio.sleep(60)


def trickle(every: float) -> Reply:
    """A body that comes a byte at a time and never ends."""

    async def reply(writer: asyncio.StreamWriter) -> None:
        writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 100000\r\n\r\n")
        while not writer.is_closing():
            writer.write(b"x")
            await asyncio.sleep(every)

    return reply


class Wire:
    """The server. Replies are used in order, the last one again and again."""

    def __init__(self, *replies: Reply) -> None:
        self._replies = list(replies or (answer(),))
        self.tasks: list[asyncio.Task[None]] = []
        self._server: asyncio.Server | None = None
        self.connections = 0
        self.closed = 0
        self.received: list[Received] = []

    async def start(self, secured: ssl.SSLContext | None = None) -> None:
        self._server = await asyncio.start_server(self._connected, "127.0.0.1", 0, ssl=secured)

    async def stop(self) -> None:
        assert self._server is not None
        self._server.close()
        for task in self.tasks:
            task.cancel()
        await asyncio.gather(*self.tasks, return_exceptions=True)

    @property
    def host(self) -> str:
        assert self._server is not None
        return f"127.0.0.1:{self._server.sockets[0].getsockname()[1]}"

    @property
    def url(self) -> str:
        return f"http://{self.host}/"

    @property
    def last(self) -> Received:
        """The latest request; there was one."""
        return self.received[-1]

    def _connected(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.connections += 1
        self.tasks.append(asyncio.create_task(self._serve(reader, writer)))

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        early = b""
        try:
            while not writer.is_closing():
                request, early = await _read(reader, early)
                if request is None:
                    return
                self.received.append(request)
                reply = self._replies.pop(0) if len(self._replies) > 1 else self._replies[0]
                await reply(writer)
        except ConnectionError:
            return
        finally:
            self.closed += 1
            writer.close()


async def _read(reader: asyncio.StreamReader, early: bytes) -> tuple[Received | None, bytes]:
    """The next request, None at the end of the connection, and what came after it."""
    connection = h11.Connection(h11.SERVER)
    if early:  # to h11, no bytes are the end of the connection
        connection.receive_data(early)
    head, body = None, b""
    while True:
        event = connection.next_event()
        if event is h11.NEED_DATA:
            connection.receive_data(await reader.read(65536))
        elif isinstance(event, h11.Request):
            head = event
        elif isinstance(event, h11.Data):
            body += bytes(event.data)
        elif isinstance(event, h11.EndOfMessage):
            assert head is not None
            headers = [(name.decode(), value.decode()) for name, value in head.headers]
            request = Received(head.method.decode(), head.target.decode(), headers, body)
            return request, connection.trailing_data[0]
        else:
            return None, b""
