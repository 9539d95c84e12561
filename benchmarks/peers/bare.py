"""Bare httptools on uvloop: what reading a request and writing an answer cost, whoever does it.

It reads no path, no header and no JSON: a body is sent back, and without one a constant.
"""

import asyncio
import sys

import uvloop
from httptools import HttpRequestParser

HEAD = b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: %d\r\n\r\n%b"
NOTHING = b"{}"


class Echo(asyncio.Protocol):
    """One connection."""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Somebody has connected."""
        self._transport = transport
        self._parser = HttpRequestParser(self)
        self._body = b""

    def data_received(self, data: bytes) -> None:
        """Some bytes have come."""
        self._parser.feed_data(data)

    def on_url(self, url: bytes) -> None:
        """The target."""

    def on_header(self, name: bytes, value: bytes) -> None:
        """One header."""

    def on_body(self, body: bytes) -> None:
        """A piece of the body."""
        self._body += body

    def on_message_complete(self) -> None:
        """The request is complete: answer it."""
        body, self._body = self._body or NOTHING, b""
        self._transport.write(HEAD % (len(body), body))


async def main() -> None:
    """Serve until killed."""
    loop = asyncio.get_running_loop()
    server = await loop.create_server(Echo, "127.0.0.1", int(sys.argv[1]))
    await server.serve_forever()


uvloop.run(main())
