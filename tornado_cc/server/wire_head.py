"""The head of a request, and what is refused of it that llhttp lets pass."""

import re
from functools import lru_cache
from typing import overload

from tornado.httputil import RequestStartLine

from tornado_cc.server.unread import malformed

_HTTP_1_1 = "HTTP/1.1"
_HTTP_1_0 = "HTTP/1.0"
_VERSIONS = {b" HTTP/1.1\r\n": _HTTP_1_1, b" HTTP/1.0\r\n": _HTTP_1_0}

# A sign that may stand anywhere in a target, and in no method and no version.
_IN_ASCII = bytes(one if one < 0x80 else ord("~") for one in range(0x100))

# RFC 9110, section 4.2.1, without the comma: two in a row would pass for one.
_HOST = re.compile(r"[A-Za-z0-9\-._~%!$&'()*+;=:\[\]]*")
_LONGEST_HOST = 300


class HeaderFields:
    """The headers of one request: their lines in order, and by name.

    Args:
        lines: names in lower case, values without white space around them.
    """

    __slots__ = ("_lines", "_values")

    def __init__(self, lines: list[tuple[str, str]]) -> None:
        self._lines = lines
        self._values: dict[str, str] = {}
        for name, value in lines:
            before = self._values.get(name)
            self._values[name] = value if before is None else f"{before},{value}"

    @overload
    def get(self, name: str, default: str, /) -> str: ...
    @overload
    def get(self, name: str, default: None = None, /) -> str | None: ...
    def get(self, name: str, default: str | None = None, /) -> str | None:
        """The values of one header joined by commas, or the default."""
        return self._values.get(name.lower(), default)

    def get_all(self) -> list[tuple[str, str]]:
        """Every line, in the order received."""
        return self._lines

    def __contains__(self, name: object, /) -> bool:
        return isinstance(name, str) and name.lower() in self._values


def in_ascii(piece: bytes, before: bytes) -> bytes:
    """A piece of a head as llhttp takes it: with no byte above 127 in the request line.

    Such a target is none by the book; some send it all the same, curl among them, and mean UTF-8.

    Args:
        before: what came of the head before this piece.
    """
    begun = before.lstrip(b"\r\n")
    if b"\n" in begun:
        return piece
    start = 0 if begun else len(piece) - len(piece.lstrip(b"\r\n"))
    line, feed, rest = piece[start:].partition(b"\n")
    return piece[:start] + line.translate(_IN_ASCII) + feed + rest


def start_line(raw: bytes, method: bytes, length: int) -> RequestStartLine:
    """The request line: llhttp also reads RTSP, 0.9, 2.0 and more spaces than one.

    Args:
        raw: the head.
        method: as llhttp found it.
        length: bytes of the target, as llhttp found it.

    Raises:
        Refusal: it holds more than these and HTTP/1.0 or 1.1.
    """
    raw = raw.lstrip(b"\r\n")
    start = len(method) + 1
    end = start + length
    version = _VERSIONS.get(raw[end : end + 11])
    if version is None or raw[:start] != method + b" ":
        raise malformed("The request line is not METHOD TARGET HTTP/1.1")
    return RequestStartLine(method.decode(), raw[start:end].decode("latin-1"), version)


def check(line: RequestStartLine, fields: HeaderFields) -> None:
    """Raise a `Refusal` for what somebody in front may read otherwise than we do."""
    coding = fields.get("transfer-encoding")
    if coding is not None:
        if line.version == _HTTP_1_0:
            raise malformed("HTTP/1.0 has no Transfer-Encoding")
        if coding.lower() != "chunked":
            raise malformed("The Transfer-Encoding is not chunked")
        if "content-length" in fields:
            raise malformed("Both Transfer-Encoding and Content-Length")
    host = fields.get("host")
    if host is None:
        if line.version == _HTTP_1_1:
            raise malformed("There is no Host")
    elif len(host) > _LONGEST_HOST or not _is_host(host):
        raise malformed("The Host is no host, or there are several")


@lru_cache(maxsize=256)
def _is_host(value: str) -> bool:
    return _HOST.fullmatch(value) is not None
