"""The seam between the gate and whatever speaks HTTP/1.1: what the gate uses of a connection."""

from collections.abc import Callable, Iterable
from typing import Any, Protocol

from tornado.httputil import HTTPHeaders, RequestStartLine, ResponseStartLine


class Fields(Protocol):
    """The headers of a request, by names in any case."""

    def get(self, name: str, default: str, /) -> str:
        """The values of one header joined by commas, or the default."""
        ...

    def get_all(self) -> Iterable[tuple[str, str]]:
        """Every line, in the order received."""
        ...

    def __contains__(self, name: object, /) -> bool: ...


class Connection(Protocol):
    """One request's connection, as Tornado's `HTTP1Connection` and `WireConnection` are."""

    @property
    def context(self) -> Any:
        """Has the address of the peer as `remote_ip`."""
        ...

    def write_headers(
        self,
        start_line: RequestStartLine | ResponseStartLine,
        headers: HTTPHeaders,
        chunk: bytes | None = None,
    ) -> Any:
        """Send the head, and `chunk` with it; returns a future that is done when to write more."""
        ...

    def write(self, chunk: bytes) -> Any:
        """Send more of a body that the head said no length of; returns a future, as above."""
        ...

    def finish(self) -> None:
        """The answer is complete."""
        ...

    def close(self) -> None:
        """Take no further request, and close."""
        ...

    def set_close_callback(self, callback: Callable[[], None] | None) -> None:
        """Call back when the client goes away before its answer."""
        ...
