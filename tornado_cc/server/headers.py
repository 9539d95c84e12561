"""The one writer of response headers: what a dialect or plugin asks for, and the framing."""

from datetime import datetime
from email.utils import format_datetime
from functools import lru_cache
from http.client import responses

from tornado.httputil import HTTPHeaders, ResponseStartLine

from tornado_cc.core import clock, header
from tornado_cc.core.message import Response

_BODILESS = frozenset({204, 304})


def head(response: Response, *, close: bool) -> tuple[ResponseStartLine, HTTPHeaders]:
    """The start line and headers of a response.

    Raises:
        BadHeader: see `core.header.check`; nothing has been sent then.
    """
    if not 200 <= response.status <= 599:
        raise header.BadHeader(f"{response.status} is not the status of a final response")
    headers = HTTPHeaders()
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
    return ResponseStartLine("HTTP/1.1", response.status, reason), headers


@lru_cache(maxsize=1)
def _http_date(second: datetime) -> str:
    """Formatting a date costs more than the rest of a head, and a second has many answers."""
    return format_datetime(second, usegmt=True)


def has_body(method: str, response: Response) -> bool:
    """Whether the response to this method carries its body."""
    return method != "HEAD" and response.status not in _BODILESS
