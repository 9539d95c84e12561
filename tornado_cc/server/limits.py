"""What the gate lets in, counted before anything is parsed."""

from dataclasses import dataclass

from tornado.httputil import RequestStartLine

from tornado_cc.core.errors import Reason, Refusal
from tornado_cc.server.connection import Fields
from tornado_cc.settings import ServerSettings

# Enough to let an honest sender finish and read its answer, too little to be worth sending.
DISCARD_BYTES = 8 << 20
DISCARD_SECONDS = 2.0


@dataclass(frozen=True, slots=True)
class Limits:
    """The server's own limits; a dialect adds the size of its bodies."""

    max_headers_size: int
    max_headers: int
    max_body: int
    body_timeout: float

    @classmethod
    def of(cls, settings: ServerSettings) -> "Limits":
        """The limits a conf sets."""
        return cls(
            settings.max_headers_size,
            settings.max_headers,
            settings.max_body,
            settings.body_timeout,
        )

    def refusal_of_head(self, line: RequestStartLine, headers: Fields) -> Refusal | None:
        """Why the request line and headers are too much, if they are."""
        count = 0
        size = len(line.method) + len(line.path) + len(line.version) + 4
        for name, value in headers.get_all():
            count += 1
            size += len(name) + len(value) + 4
        if count > self.max_headers or size > self.max_headers_size:
            return Refusal("Request headers are too large", reason=Reason.HEADERS_TOO_LARGE)
        return None


def too_large(max_body: int) -> Refusal:
    """The refusal of a body over its limit."""
    return Refusal(f"The body is larger than {max_body} bytes", reason=Reason.TOO_LARGE)


def too_slow(seconds: float) -> Refusal:
    """The refusal of a body that does not arrive."""
    return Refusal(f"The body took longer than {seconds:g} s", reason=Reason.TOO_SLOW)


def announced_size(headers: Fields) -> int | None:
    """The Content-Length of a plainly framed request; None when the body alone will tell."""
    length = headers.get("Content-Length", "")
    if "Transfer-Encoding" in headers or not (length.isascii() and length.isdigit()):
        return None
    return int(length) if len(length) < 20 else None
