"""The one writer of response headers: what a dialect or plugin asks for, and the framing."""

from collections.abc import Iterator
from datetime import datetime
from email.utils import format_datetime
from functools import lru_cache
from http.client import responses
from typing import cast

from tornado.httputil import HTTPHeaders, RequestStartLine, ResponseStartLine

from tornado_cc.core import clock, header
from tornado_cc.core.message import Response

_BODILESS = frozenset({204, 304})

CONTINUE = b"HTTP/1.1 100 Continue\r\n\r\n"
"""What a sender that asked `Expect: 100-continue` waits for before its body."""


class Lines:
    """The headers of an answer: as much of Tornado's `HTTPHeaders` as the wires use of one.

    That one checks each name and value again, and costs as much as the rest of a head.
    """

    __slots__ = ("_values",)

    def __init__(self) -> None:
        self._values: dict[str, list[str]] = {}

    def add(self, name: str, value: str) -> None:
        """One more line, beside others of this name."""
        self._values.setdefault(_spelling(name), []).append(value)

    def __setitem__(self, name: str, value: str) -> None:
        self._values[_spelling(name)] = [value]

    def __getitem__(self, name: str) -> str:
        return ",".join(self._values[_spelling(name)])

    def __contains__(self, name: str) -> bool:
        return _spelling(name) in self._values

    def get(self, name: str, default: str | None = None) -> str | None:
        """The values of one name joined by commas, or the default."""
        values = self._values.get(_spelling(name))
        return default if values is None else ",".join(values)

    def get_all(self) -> Iterator[tuple[str, str]]:
        """Every line, those of one name together."""
        return ((name, value) for name, values in self._values.items() for value in values)


@lru_cache(maxsize=1024)
def _spelling(name: str) -> str:
    """`Content-Type`, whatever the case it came in."""
    return "-".join(part.capitalize() for part in name.split("-"))


def head(response: Response, *, close: bool) -> tuple[ResponseStartLine, HTTPHeaders]:
    """The start line and headers of a response.

    Raises:
        BadHeader: see `core.header.check`; nothing has been sent then.
    """
    if not 200 <= response.status <= 599:
        raise header.BadHeader(f"{response.status} is not the status of a final response")
    headers = Lines()
    for name, value in response.headers:
        header.check(name, value)
        # White space around a value is no part of it, and Tornado refuses to write it.
        headers.add(name, value.strip(" \t"))
    if "Server" not in headers:
        headers["Server"] = "tornado_cc"
    headers["Date"] = _http_date(clock.utc_now().replace(microsecond=0))
    if response.status not in _BODILESS:
        headers["Content-Length"] = str(len(response.body))
    if close:
        headers["Connection"] = "close"
    reason = responses.get(response.status, "Unknown")
    line = ResponseStartLine("HTTP/1.1", response.status, reason)
    return line, cast(HTTPHeaders, headers)


def frame(
    headers: HTTPHeaders, request: RequestStartLine, status: int, *, keep_alive: bool
) -> tuple[bool, bool]:
    """Add what says where the body ends, and whether the connection stays.

    Args:
        keep_alive: whether it could.

    Returns:
        Whether the body has to go out in chunks, and whether the connection stays.
    """
    is_chunked = False
    if "Content-Length" not in headers and request.method != "HEAD" and status not in _BODILESS:
        # HTTP/1.0 has no chunks: a body without a length ends with the connection there.
        is_chunked = keep_alive = keep_alive and request.version == "HTTP/1.1"
    if is_chunked:
        headers["Transfer-Encoding"] = "chunked"
    if not keep_alive or headers.get("Connection") == "close":
        headers["Connection"] = "close"
        return is_chunked, False
    if request.version == "HTTP/1.0":
        headers["Connection"] = "keep-alive"
    return is_chunked, True


def spelt(line: ResponseStartLine, headers: HTTPHeaders) -> bytes:
    """The bytes of a head that `head` made, up to and with the empty line."""
    lines = [f"{name}: {value}\r\n" for name, value in headers.get_all()]
    return f"HTTP/1.1 {line.code} {line.reason}\r\n{''.join(lines)}\r\n".encode("latin-1")


@lru_cache(maxsize=1)
def _http_date(second: datetime) -> str:
    """Formatting a date costs more than the rest of a head, and a second has many answers."""
    return format_datetime(second, usegmt=True)


def has_body(method: str, response: Response) -> bool:
    """Whether the response to this method carries its body."""
    return method != "HEAD" and response.status not in _BODILESS
