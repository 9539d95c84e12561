"""Reading one request after another: llhttp, fed no further than where a request may end."""

from httptools import HttpParserError, HttpParserUpgrade, HttpRequestParser
from tornado.httputil import RequestStartLine

from tornado_cc.server import wire_head
from tornado_cc.server.unread import head_too_large, malformed
from tornado_cc.server.wire_head import HeaderFields

_LINE = b"\r\n"
BLANK_LINE = b"\r\n\r\n"

_FRAMING = 16 << 10
"""Bytes of chunk sizes, extensions and trailers that may come between two bytes of a body."""


class Reader:
    """Reads the requests of one connection. Knows no socket and no clock.

    A head ends with an empty line, a chunked body with some line, and any other body has a length.
    What is fed to llhttp is cut there: what follows stays with the caller until this request is
    answered.

    Attributes:
        line: the request line, once there is a head.
        fields: the headers, once there is a head.
        body: what has come of the body and has not been taken away.
        head: the bytes of the head, once it is complete.
        has_head: whether the head is complete and good.
        is_complete: whether the request is.
        keep_alive: whether its sender wants the connection kept.
    """

    __slots__ = (
        "_framing",
        "_heads",
        "_left",
        "_lines",
        "_max_head",
        "_max_lines",
        "_parser",
        "_tail",
        "_target_length",
        "_upgrades",
        "body",
        "fields",
        "has_head",
        "head",
        "is_complete",
        "keep_alive",
        "line",
    )

    def __init__(self, max_head: int, max_lines: int) -> None:
        """Ready for the first request.

        Args:
            max_head: bytes of the largest head.
            max_lines: headers of the longest.
        """
        self._max_head = max_head
        self._max_lines = max_lines
        self._parser: HttpRequestParser | None = HttpRequestParser(self)
        self.line: RequestStartLine
        self.fields: HeaderFields
        self.body = bytearray()
        # The end of the last piece, where an empty line may have begun.
        self._tail = b""
        self._upgrades = False
        self.begin()

    def begin(self) -> None:
        """Make room for the next request."""
        if self._upgrades:
            # The parser of the last one has given up on HTTP, or reads bodies only.
            self._parser = HttpRequestParser(self)
        self._heads = 0
        self.head = b""
        self.has_head = False
        self.is_complete = False
        self.keep_alive = False
        self._upgrades = False
        self._target_length = 0
        self._lines: list[tuple[str, str]] = []
        self._left = 0
        self._framing = 0

    @property
    def expects_continue(self) -> bool:
        """Whether the sender waits for leave before it sends the body."""
        expected = self.fields.get("expect", "").lower()
        return expected == "100-continue" and self.line.version == "HTTP/1.1"

    @property
    def ends_by_length(self) -> bool:
        """Whether its head says where the request ends, and asks for nothing but an answer."""
        odd = ("transfer-encoding", "expect", "upgrade")
        return not self._upgrades and not any(name in self.fields for name in odd)

    @property
    def length(self) -> int:
        """Bytes of the body, of a request that ends by its length."""
        return int(self.fields.get("content-length", "0"))

    def release(self) -> None:
        """Part from the parser: each holds the other, and would wait for the garbage collector."""
        self._parser = None

    def feed(self, data: bytes, start: int = 0) -> int:
        """Read on, to where the request may end at the furthest.

        Args:
            start: where in `data` the bytes begin that were not read yet; there is one at least.

        Returns:
            Where they begin now.

        Raises:
            Refusal: this is no request, and nothing on this connection can be understood any more.
        """
        if not self.has_head:
            return start + self._feed_head(data[start : self._end(BLANK_LINE, data, start)])
        if self._left:
            piece = data[start : start + self._left]
            self._left -= len(piece)
            return start + self._parse(piece)
        return start + self._feed_chunks(data[start : self._end(_LINE, data, start)])

    def _feed_head(self, piece: bytes) -> int:
        readable = piece if piece.isascii() else wire_head.in_ascii(piece, self.head)
        self.head += piece
        if len(self.head) > self._max_head:
            raise head_too_large()
        read = self._parse(readable)
        if len(self._lines) > self._max_lines:
            raise head_too_large()
        if self.has_head:
            self._finish_head()
        return read

    def _finish_head(self) -> None:
        assert self._parser is not None
        method = self._parser.get_method()
        self.line = wire_head.start_line(self.head, method, self._target_length)
        self.fields = HeaderFields(self._lines)
        wire_head.check(self.line, self.fields)
        if self._upgrades:
            self._refuse_upgrade()
        if not self.is_complete:
            self._left = self.length

    def _refuse_upgrade(self) -> None:
        """Have the body read, which llhttp leaves to the other protocol.

        Whoever asks for another protocol goes on in this one when the answer is in it. Not so a
        CONNECT: what comes after it is for somebody else.
        """
        if self.line.method == "CONNECT":
            self.keep_alive = False
            return
        for name in ("content-length", "transfer-encoding"):
            if name in self.fields:
                head = f"POST / HTTP/1.1\r\n{name}: {self.fields.get(name)}\r\n\r\n"
                self.is_complete = False
                self._parser = HttpRequestParser(_Body(self))
                self._parse(head.encode("latin-1"))

    def _feed_chunks(self, piece: bytes) -> int:
        before = len(self.body)
        read = self._parse(piece)
        # llhttp keeps a trailer of any size, and passes over an extension of any size.
        self._framing = 0 if len(self.body) > before else self._framing + len(piece)
        if self._framing > _FRAMING:
            raise malformed("Chunk extensions or trailers are too large")
        return read

    def _end(self, mark: bytes, data: bytes, start: int) -> int:
        """Where the first such mark ends, which may have begun before; the end if there is none."""
        short = len(mark) - 1
        before = self._tail
        if before:
            at = (before + data[start : start + short]).find(mark)
            if at >= 0:
                self._tail = b""
                return start + at + len(mark) - len(before)
        at = data.find(mark, start)
        if at >= 0:
            self._tail = b""
            return at + len(mark)
        self._tail = (before + data[max(start, len(data) - short) :])[-short:]
        return len(data)

    def _parse(self, piece: bytes) -> int:
        assert self._parser is not None
        try:
            self._parser.feed_data(piece)
        except HttpParserUpgrade as upgrade:
            return int(upgrade.args[0])
        except HttpParserError as error:
            raise malformed(str(error)) from None
        if self._heads > 1:
            raise malformed("A second request begins where the first should end")
        return len(piece)

    # What llhttp calls, under the names it knows.

    def on_url(self, part: bytes) -> None:
        """The target, or a piece of it."""
        self._target_length += len(part)

    def on_header(self, name: bytes, value: bytes) -> None:
        """One header; what comes after the head is a trailer, and dropped."""
        if not self.has_head:
            # llhttp leaves the white space behind a value.
            self._lines.append((name.lower().decode(), value.decode("latin-1").rstrip(" \t")))

    def on_headers_complete(self) -> None:
        """The head is complete."""
        assert self._parser is not None
        self._heads += 1
        self.has_head = True
        self.keep_alive = self._parser.should_keep_alive()
        self._upgrades = self._parser.should_upgrade()

    def on_body(self, part: bytes) -> None:
        """A piece of the body."""
        self.body += part

    def on_message_complete(self) -> None:
        """The request is complete."""
        self.is_complete = True


class _Body:
    """Takes the body for a reader that has the head already."""

    def __init__(self, reader: Reader) -> None:
        self.on_body = reader.on_body
        self.on_message_complete = reader.on_message_complete
