"""Tornado's own HTTP/1.1 connections, for whom the other wire does not suit."""

import socket
from collections.abc import Sequence

from tornado.httpserver import HTTPServer

from tornado_cc.server import tls
from tornado_cc.server.gate import Gate
from tornado_cc.settings import ServerSettings

# Well above the gate's limits: Tornado itself answers large headers with nothing at all.
_HEAD = 256 << 10
_BODY = 10**19


class StockWire:
    """Listens, and has all connections. `start`, `stop`, then `close`."""

    def __init__(self, gate: Gate, settings: ServerSettings) -> None:
        self._http = HTTPServer(
            gate,
            ssl_options=tls.context_of(settings),
            max_header_size=_HEAD,
            max_body_size=_BODY,
            idle_connection_timeout=settings.idle_timeout,
        )

    async def start(self, sockets: Sequence[socket.socket]) -> None:
        """Serve on sockets that are bound; they are closed at the stop."""
        self._http.add_sockets(sockets)

    @property
    def connections(self) -> int:
        """How many are open."""
        return len(self._http._connections)

    @property
    def is_sending(self) -> bool:
        """Whether some answer is not out yet."""
        return any(one.stream.writing() for one in self._http._connections)

    def stop(self) -> None:
        """Accept no more connections; those that are there go on."""
        self._http.stop()

    async def close(self) -> None:
        """Close every connection, whatever is being answered."""
        await self._http.close_all_connections()
