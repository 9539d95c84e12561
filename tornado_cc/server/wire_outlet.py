"""What goes out on a connection, and whether the caller takes it."""

import asyncio
import fcntl
import sys
import termios
from typing import Protocol

from tornado.httputil import HTTPHeaders, RequestStartLine, ResponseStartLine

from tornado_cc.server import headers as header_writer
from tornado_cc.server.wire_turn import Turn

_LARGE = 16 << 10
"""Bytes of which some may not go out at once: whoever writes them has to know."""


class Callers(Protocol):
    """What an outlet knows of all the others."""

    taken: asyncio.Future[None]
    """A future that is done: nobody has to wait for most answers."""
    turn: Turn
    """What flushes an outlet that has something to send."""
    slow: "set[Outlet]"
    """The outlets whose callers have not taken all of it yet; `check` them now and then."""
    write_timeout: float
    """Seconds for which a caller may take nothing."""

    def after(self, seconds: float) -> float:
        """A deadline."""
        ...


class Outlet:
    """Writes to one caller.

    Attributes:
        is_full: whether some of it is still here because the caller does not take it.
        has_head: whether the head of the answer to this request is written.
        keep_alive: whether the connection stays when this request is answered.
    """

    __slots__ = (
        "_callers",
        "_ends",
        "_is_chunked",
        "_left",
        "_taken",
        "_transport",
        "_unsent",
        "has_head",
        "is_full",
        "keep_alive",
    )

    def __init__(self, transport: asyncio.Transport, callers: Callers) -> None:
        # With any other limit, the transport would not say when the last byte is out.
        transport.set_write_buffer_limits(high=0)
        self._transport = transport
        self._callers = callers
        self._taken: asyncio.Future[None] | None = None
        self._unsent = b""
        self._left = 0
        self._ends = 0.0
        self.is_full = False
        self.begin(keep_alive=True)

    def begin(self, *, keep_alive: bool) -> None:
        """Make ready for the answer to another request.

        Args:
            keep_alive: whether its sender wants the connection kept.
        """
        self.has_head = False
        self.keep_alive = keep_alive
        self._is_chunked = False

    def write_head(
        self,
        line: ResponseStartLine,
        headers: HTTPHeaders,
        request: RequestStartLine,
        body: bytes | None,
    ) -> asyncio.Future[None]:
        """Send the head of an answer, and what there is of its body with it."""
        self.has_head = True
        plain = header_writer.plain(headers, request, keep_alive=self.keep_alive)
        if plain is not None:
            return self.write(plain + body if body else plain)
        self._is_chunked, self.keep_alive = header_writer.frame(
            headers, request, line.code, keep_alive=self.keep_alive
        )
        head = header_writer.spelt(line, headers)
        return self.write(head + self._framed(body) if body else head)

    def write_body(self, piece: bytes) -> asyncio.Future[None]:
        """Send a piece of the body."""
        return self.write(self._framed(piece))

    def finish(self) -> None:
        """The answer is complete."""
        if self._is_chunked:
            self.write(b"0\r\n\r\n")

    def _framed(self, piece: bytes) -> bytes:
        return b"%x\r\n%b\r\n" % (len(piece), piece) if self._is_chunked and piece else piece

    def write(self, data: bytes) -> asyncio.Future[None]:
        """Send, at the end of this turn of the loop; nothing when the caller has gone.

        Returns:
            A future that says when to write more: at once, as long as the kernel takes it.
        """
        is_first = not self._unsent
        self._unsent += data
        if self.is_full:
            # Or somebody who is sent as much as he takes would seem to take nothing.
            self._left += len(data)
        if self.is_full or len(self._unsent) > _LARGE:
            self.flush()
        elif is_first:
            self._callers.turn.add(self)
        if not self.is_full:
            return self._callers.taken
        if self._taken is None:
            self._taken = asyncio.get_running_loop().create_future()
        return self._taken

    def flush(self) -> None:
        """Send what is written now, before the connection is closed or more is read from it."""
        unsent, self._unsent = self._unsent, b""
        if unsent and not self._transport.is_closing():
            self._transport.write(unsent)

    def fill(self) -> None:
        """The transport has more than the kernel takes."""
        self.is_full = True
        self._left = self._size()
        self._ends = self._callers.after(self._callers.write_timeout)
        self._callers.slow.add(self)

    def drain(self) -> None:
        """The transport has nothing left, or nobody to send it to."""
        self.is_full = False
        self._callers.slow.discard(self)
        taken, self._taken = self._taken, None
        if taken is not None and not taken.done():
            taken.set_result(None)

    def check(self, now: float) -> None:
        """Drop a caller that takes nothing any more, with what is unsent."""
        left = self._size()
        if left < self._left:
            self._left = left
            self._ends = now + self._callers.write_timeout
        elif now >= self._ends:
            self._transport.abort()

    def _size(self) -> int:
        """Bytes that the caller has not taken.

        The kernel holds megabytes of them, and asks for more when a third of its room is free: by
        what is left here alone, somebody on a slow line would seem to take nothing for minutes.
        """
        return self._transport.get_write_buffer_size() + _in_kernel(self._transport)


def _in_kernel(transport: asyncio.Transport) -> int:
    """Bytes that the kernel has sent to nobody who said that they arrived; 0 if it does not say."""
    try:
        number = transport.get_extra_info("socket").fileno()
        return int.from_bytes(fcntl.ioctl(number, termios.TIOCOUTQ, bytes(4)), sys.byteorder)
    except (OSError, ValueError):
        return 0
