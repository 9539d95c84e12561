"""The one writer of response headers: what a dialect or plugin asks for, and the framing."""

import re
from email.utils import format_datetime
from http.client import responses

from tornado.httputil import HTTPHeaders, ResponseStartLine

from tornado_cc.core import clock
from tornado_cc.core.message import Response

_NAME = re.compile(r"[!#$%&'*+\-.^_`|~0-9A-Za-z]+")
# Tab is the only control character a value may hold; the wire carries Latin-1.
_VALUE = re.compile(r"[\t\x20-\x7e\x80-\xff]*")
FRAMING = frozenset(
    {
        "connection",
        "content-length",
        "keep-alive",
        "proxy-connection",
        "te",
        "trailer",
        "transfer-encoding",
        "upgrade",
    }
)
"""Headers that decide where a response ends; only the server writes them."""

_BODILESS = frozenset({204, 304})


class BadHeader(ValueError):
    """A header that would break the response it stands in."""


def check(name: str, value: str) -> None:
    """Raise `BadHeader` for framing, for a malformed name and for a value that would not fit."""
    if not _NAME.fullmatch(name):
        raise BadHeader(f"{name!r} is not a header name")
    if name.lower() in FRAMING:
        raise BadHeader(f"{name} is the server's to set")
    if not _VALUE.fullmatch(value):
        raise BadHeader(
            f"the value of {name} holds a line break or another character no header may"
        )


def head(response: Response, *, close: bool) -> tuple[ResponseStartLine, HTTPHeaders]:
    """The start line and headers of a response.

    Raises:
        BadHeader: see `check`; nothing has been sent then.
    """
    if not 200 <= response.status <= 599:
        raise BadHeader(f"{response.status} is not the status of a final response")
    headers = HTTPHeaders()
    for name, value in response.headers:
        check(name, value)
        # White space around a value is no part of it, and Tornado refuses to write it.
        headers.add(name, value.strip(" \t"))
    if "Server" not in headers:
        headers["Server"] = "tornado_cc"
    headers["Date"] = format_datetime(clock.utc_now(), usegmt=True)
    if response.status not in _BODILESS:
        headers["Content-Length"] = str(len(response.body))
    if close:
        headers["Connection"] = "close"
    reason = responses.get(response.status, "Unknown")
    return ResponseStartLine("HTTP/1.1", response.status, reason), headers


def has_body(method: str, response: Response) -> bool:
    """Whether the response to this method carries its body."""
    return method != "HEAD" and response.status not in _BODILESS
