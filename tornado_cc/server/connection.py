"""The seam between the gate and whatever speaks HTTP/1.1: what the gate uses of a connection."""

from collections.abc import Callable
from typing import Any, Protocol

from tornado.httputil import HTTPHeaders, RequestStartLine, ResponseStartLine


class Connection(Protocol):
    """One request's connection, as Tornado's `HTTP1Connection` is and a faster one will be."""

    context: Any

    def write_headers(
        self,
        start_line: RequestStartLine | ResponseStartLine,
        headers: HTTPHeaders,
        chunk: bytes | None = None,
    ) -> Any:
        """Send the head, and `chunk` with it in one write; returns a future for its completion."""
        ...

    def finish(self) -> None:
        """The answer is complete."""
        ...

    def close(self) -> None:
        """Drop the connection, with what is unsent."""
        ...

    def set_close_callback(self, callback: Callable[[], None] | None) -> None:
        """Call back when the client goes away before its answer."""
        ...
