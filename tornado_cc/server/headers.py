"""The one writer of response headers: what a dialect or plugin asks for, and the framing."""

from collections.abc import Iterator, Mapping
from email.utils import formatdate
from functools import lru_cache
from http.client import responses
from types import MappingProxyType
from typing import cast

from tornado.httputil import HTTPHeaders, RequestStartLine, ResponseStartLine

from tornado_cc.core import clock, header
from tornado_cc.core.errors import Refusal
from tornado_cc.core.message import JSON, Response

_BODILESS = frozenset({204, 304})

CONTINUE = b"HTTP/1.1 100 Continue\r\n\r\n"
"""What a sender that asked `Expect: 100-continue` waits for before its body."""


Values = Mapping[str, tuple[str, ...]]
"""The values of the lines of each name."""


class Lines:
    """The headers of an answer: as much of Tornado's `HTTPHeaders` as the wires use of one.

    That one checks each name and value again, and costs as much as the rest of a head.
    """

    __slots__ = ("plain", "values")

    def __init__(self, values: Values = MappingProxyType({}), plain: bytes = b"") -> None:
        """Some lines to begin with.

        Args:
            plain: the whole head of an answer with just these, where that is spelt already.
        """
        self.values = values
        self.plain = plain

    def add(self, name: str, value: str) -> None:
        """One more line, beside others of this name."""
        self._set(name, (*self.values.get(_spelling(name), ()), value))

    def __setitem__(self, name: str, value: str) -> None:
        self._set(name, (value,))

    def _set(self, name: str, lines: tuple[str, ...]) -> None:
        # The values may be those of other answers too.
        self.values = {**self.values, _spelling(name): lines}
        self.plain = b""

    def __getitem__(self, name: str) -> str:
        return ",".join(self.values[_spelling(name)])

    def __contains__(self, name: str) -> bool:
        return _spelling(name) in self.values

    def get(self, name: str, default: str | None = None) -> str | None:
        """The values of one name joined by commas, or the default."""
        values = self.values.get(_spelling(name))
        return default if values is None else ",".join(values)

    def get_all(self) -> Iterator[tuple[str, str]]:
        """Every line, those of one name together."""
        return ((name, value) for name, values in self.values.items() for value in values)


@lru_cache(maxsize=1024)
def _spelling(name: str) -> str:
    """`Content-Type`, whatever the case it came in."""
    return "-".join(part.capitalize() for part in name.split("-"))


def head(response: Response, *, close: bool) -> tuple[ResponseStartLine, HTTPHeaders]:
    """The start line and headers of a response.

    Raises:
        BadHeader: see `core.header.check`; nothing has been sent then.
    """
    if response.headers == JSON and response.status == 200:
        line, values, plain = _json_head(len(response.body), clock.seconds())
        headers = Lines(values, plain)
    else:
        line, headers = _line(response.status), _lines(response, clock.seconds())
    if close:
        headers["Connection"] = "close"
    # To the wires it is one of Tornado's.
    return line, headers  # type: ignore[return-value]


@lru_cache(maxsize=128)
def _json_head(length: int, second: int) -> tuple[ResponseStartLine, Values, bytes]:
    """Nearly every answer has one of these heads, and many of a second are equally long."""
    line, headers = _line(200), _lines(Response(200, b""), second)
    headers["Content-Length"] = str(length)
    return line, headers.values, spelt(line, cast(HTTPHeaders, headers))


def _line(status: int) -> ResponseStartLine:
    if not 200 <= status <= 599:
        raise header.BadHeader(f"{status} is not the status of a final response")
    return ResponseStartLine("HTTP/1.1", status, responses.get(status, "Unknown"))


def _lines(response: Response, second: int) -> Lines:
    headers = Lines()
    for name, value in response.headers:
        header.check(name, value)
        # White space around a value is no part of it, and Tornado refuses to write it.
        headers.add(name, value.strip(" \t"))
    if "Server" not in headers:
        headers["Server"] = "tornado_cc"
    headers["Date"] = _date(second)
    if response.status not in _BODILESS:
        headers["Content-Length"] = str(len(response.body))
    return headers


@lru_cache(maxsize=1)
def _date(second: int) -> str:
    """Spelling a date costs more than the rest of a head, and a second has many answers."""
    return formatdate(second, usegmt=True)


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


def plain(headers: HTTPHeaders, request: RequestStartLine, *, keep_alive: bool) -> bytes | None:
    """What `frame` and `spelt` come to for nearly every answer; None for one of the others."""
    if keep_alive and isinstance(headers, Lines) and request.version == "HTTP/1.1":
        return headers.plain or None
    return None


def has_body(method: str, response: Response) -> bool:
    """Whether the response to this method carries its body."""
    return method != "HEAD" and response.status not in _BODILESS


def with_retry_after(response: Response, refusal: Refusal) -> Response:
    """The answer to a refusal that will not last; one that is no error says nothing about it."""
    if response.status < 400 or refusal.retry_after is None:
        return response
    line = ("Retry-After", str(refusal.retry_after))
    return response._replace(headers=(*response.headers, line))
