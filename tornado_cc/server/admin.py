"""The listener for those who look after the server: metrics and health, away from the callers."""

import asyncio
import logging
import socket
from collections.abc import Awaitable, Callable, Mapping, Sequence
from typing import cast

from tornado.httpserver import HTTPServer
from tornado.httputil import (
    HTTPConnection,
    HTTPHeaders,
    HTTPMessageDelegate,
    HTTPServerConnectionDelegate,
    RequestStartLine,
    ResponseStartLine,
)

from tornado_cc.core import json_value
from tornado_cc.core.message import JSON, Response
from tornado_cc.server import headers as header_writer
from tornado_cc.server.connection import Connection

_log = logging.getLogger("tornado_cc.server")

METRICS = "/metrics"

Page = Callable[[str], Awaitable[Response]]
"""Makes a page, given the `Accept` of whoever asks."""

# Nobody has more to say to it, and nobody waits for its connections at a stop.
_LARGEST = 64 << 10
_IDLE_SECONDS = 120.0
_BODY_SECONDS = 10.0


class Admin(HTTPServerConnectionDelegate):
    """Serves `/metrics` and the health pages. `start`, then `stop`.

    It writes no access log and counts nothing: it would only tell how often it is asked.
    """

    def __init__(self, pages: Mapping[str, Page]) -> None:
        self._pages = pages
        self._running: set[asyncio.Task[None]] = set()
        self._http = HTTPServer(
            self,
            max_header_size=_LARGEST,
            max_body_size=_LARGEST,
            idle_connection_timeout=_IDLE_SECONDS,
            body_timeout=_BODY_SECONDS,
        )

    def start(self, sockets: Sequence[socket.socket]) -> None:
        """Answer on sockets that listen; they are closed at the stop."""
        self._http.add_sockets(sockets)

    async def stop(self) -> None:
        """Close every connection, whatever is being answered."""
        self._http.stop()
        for task in self._running:
            task.cancel()
        await asyncio.gather(*self._running, return_exceptions=True)
        await self._http.close_all_connections()

    def start_request(self, server_conn: object, request_conn: HTTPConnection) -> "_Exchange":
        """Tornado's hook for a new request on a connection."""
        return _Exchange(self, cast(Connection, request_conn))

    def spawn(self, exchange: "_Exchange") -> None:
        """Answer a complete request in a task of its own."""
        task = asyncio.get_running_loop().create_task(exchange.answer())
        self._running.add(task)
        task.add_done_callback(self._running.discard)

    async def response(self, method: str, path: str, accept: str) -> Response:
        """The page at this path, or why there is none."""
        page = self._pages.get(path)
        if page is None:
            return _error(404, "Not found")
        if method not in ("GET", "HEAD"):
            return _error(405, "Method not allowed", ("Allow", "GET, HEAD"))
        try:
            return await page(accept)
        except Exception:  # noqa: BLE001 - whoever looks gets an answer whatever fails
            _log.exception("admin page failed", extra={"page": path})
            return _error(500, "Internal error")


class _Exchange(HTTPMessageDelegate):
    """One request and its answer."""

    def __init__(self, admin: Admin, connection: Connection) -> None:
        self._admin = admin
        self._connection = connection
        self._line: RequestStartLine
        self._headers: HTTPHeaders

    def headers_received(
        self, start_line: RequestStartLine | ResponseStartLine, headers: HTTPHeaders
    ) -> None:
        """The head has arrived; a body, if there is one, is dropped."""
        self._line = cast(RequestStartLine, start_line)
        self._headers = headers

    def finish(self) -> None:
        """The request is complete."""
        self._admin.spawn(self)

    async def answer(self) -> None:
        """One write, head and body together."""
        path = self._line.path.partition("?")[0]
        accept = self._headers.get("Accept", "")
        response = await self._admin.response(self._line.method, path, accept)
        line, headers = header_writer.head(response, close=False)
        body = response.body if header_writer.has_body(self._line.method, response) else b""
        self._connection.write_headers(line, headers, body)
        self._connection.finish()


def always(page: Callable[[], Response]) -> Page:
    """A page that is there without waiting, and the same for everybody."""

    async def answer(accept: str) -> Response:
        return page()

    return answer


def _error(status: int, message: str, *headers: tuple[str, str]) -> Response:
    return Response(status, json_value.dump({"error": message}), (*JSON, *headers))
