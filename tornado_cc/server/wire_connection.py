"""One HTTP/1.1 connection: bytes to the gate's exchanges, one after another, and answers back."""

import asyncio
import contextlib
import logging
import math
from collections.abc import Callable
from typing import TYPE_CHECKING, cast

from tornado.httputil import HTTPHeaders, RequestStartLine, ResponseStartLine

from tornado_cc.core import clock
from tornado_cc.core.errors import Refusal
from tornado_cc.server import headers as header_writer
from tornado_cc.server import unread
from tornado_cc.server.limits import DISCARD_BYTES, DISCARD_SECONDS
from tornado_cc.server.wire_inlet import Inlet
from tornado_cc.server.wire_outlet import Outlet
from tornado_cc.server.wire_phase import ANSWER, BODY, FLUSH, HEAD, IDLE, LINGER, Phase
from tornado_cc.server.wire_reader import Reader

if TYPE_CHECKING:
    from tornado_cc.server.gate import Exchange
    from tornado_cc.server.wire import Wire

_log = logging.getLogger("tornado_cc.server")

# A body that comes in crumbs would cost the gate more to hold than all of it together.
_PIECE = 64 << 10
_NOWHERE = "0.0.0.0"  # noqa: S104 - what Tornado says too, not listened on
# After so many pieces of one connection the others get their turn.
_TURN = 64


class WireConnection(asyncio.Protocol):
    """One connection to the gate, as `Connection` has it.

    Attributes:
        context: has the address of the peer as `remote_ip`; it is this connection itself.
        expires: when `expire` has to be called, on the monotonic clock.
    """

    __slots__ = (
        "_close_callback",
        "_exchange",
        "_has_ended",
        "_inlet",
        "_is_advancing",
        "_is_tls",
        "_outlet",
        "_phase",
        "_reader",
        "_started",
        "_transport",
        "_wire",
        "expires",
        "remote_ip",
    )

    def __init__(self, wire: "Wire") -> None:
        self._wire = wire
        self._transport: asyncio.Transport
        self._inlet: Inlet
        self._outlet: Outlet
        self._reader = Reader(wire.max_head, wire.max_headers)
        self._phase = IDLE
        self._exchange: Exchange | None = None
        self._close_callback: Callable[[], None] | None = None
        self._started = 0.0
        # Whether the peer has said that it sends no more.
        self._has_ended = False
        self._is_advancing = False
        self._is_tls = False
        self.remote_ip = ""
        self.expires = math.inf

    @property
    def context(self) -> "WireConnection":
        """Where the gate finds `remote_ip`."""
        return self

    # What the loop calls.

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Somebody has connected."""
        # uvloop's transports are none of asyncio's by class.
        self._transport = cast(asyncio.Transport, transport)
        self._inlet = Inlet(self._transport)
        self._outlet = Outlet(self._transport, self._wire)
        self._is_tls = transport.get_extra_info("sslcontext") is not None
        peer = transport.get_extra_info("peername")
        # A peer that is gone already has no address, nor has one on a Unix socket.
        self.remote_ip = peer[0] if isinstance(peer, tuple) else _NOWHERE
        if self._wire.admit(self):
            self.expires = self._wire.after(self._wire.idle_timeout)
        elif not transport.is_closing():
            self._started = clock.monotonic()
            self._refuse(unread.too_many_connections())

    def data_received(self, data: bytes) -> None:
        """Some bytes have come."""
        if self._phase is LINGER:
            if self._inlet.drop(data) > DISCARD_BYTES:
                self._transport.abort()
            return
        self._inlet.take(data)
        self._advance()

    def eof_received(self) -> bool:
        """The peer sends no more; whether to stay open for it, who may still read."""
        self._has_ended = True
        self._outlet.flush()
        if self._phase <= BODY and not self._inlet.waiting:
            return False
        self._tell_of_close()
        return not self._is_tls and self._phase is not LINGER

    def connection_lost(self, exc: Exception | None) -> None:
        """The connection is closed."""
        self._wire.dismiss(self)
        self._outlet.drain()
        self._tell_of_close()
        self._phase = LINGER
        self._exchange = None
        self._inlet.forget()
        self._reader.release()

    def pause_writing(self) -> None:
        """The caller takes less than it gets."""
        self._outlet.fill()
        if self._phase is IDLE:
            # It was answered in this turn, whose answers are being sent.
            self._phase = FLUSH
            self.expires = math.inf

    def resume_writing(self) -> None:
        """The caller has taken everything."""
        self._outlet.drain()
        if self._phase is FLUSH:
            self._next()
        elif self._phase is LINGER:
            self.expires = self._wire.after(DISCARD_SECONDS)

    # What the wire calls.

    def expire(self) -> None:
        """The deadline has passed."""
        if self._phase is HEAD:
            self._refuse(unread.head_too_slow(self._wire.header_timeout))
        elif self._phase is LINGER:
            self._transport.abort()
        else:
            self._end()

    def shut(self) -> None:
        """Close, once what is written is out."""
        self._outlet.flush()
        self._transport.close()

    def abort(self) -> None:
        """Close, with what is unsent."""
        self._transport.abort()

    # What the gate calls.

    def write_headers(
        self,
        start_line: RequestStartLine | ResponseStartLine,
        headers: HTTPHeaders,
        chunk: bytes | None = None,
    ) -> asyncio.Future[None]:
        """Send the head, and `chunk` with it; returns a future that is done when to write more."""
        assert isinstance(start_line, ResponseStartLine)
        if self._phase is LINGER:
            return self._wire.taken
        return self._outlet.write_head(start_line, headers, self._reader.line, chunk)

    def write(self, chunk: bytes) -> asyncio.Future[None]:
        """Send more of the body; returns a future, as above."""
        if self._phase is LINGER:
            return self._wire.taken
        return self._outlet.write_body(chunk)

    def finish(self) -> None:
        """The answer is complete: read the next request, or close."""
        if self._phase not in (BODY, ANSWER):
            return
        self._outlet.finish()
        self._exchange = None
        self._close_callback = None
        if self._phase is BODY or not self._outlet.keep_alive:
            self._end()
            return
        if self._inlet.waiting:
            self._outlet.flush()
        if self._outlet.is_full:
            self._phase = FLUSH
        else:
            self._next()

    def close(self) -> None:
        """Take no further request, and close."""
        if self._phase in (BODY, ANSWER):
            # Whoever asks is through with a request before this one.
            self._outlet.keep_alive = False
        elif self._phase is not LINGER:
            self._end()

    def set_close_callback(self, callback: Callable[[], None] | None) -> None:
        """Call back when the client goes away before its answer."""
        self._close_callback = callback

    # Reading.

    def _advance(self) -> None:
        """Read until an answer has to be waited for, or nothing is left to read."""
        if self._is_advancing:
            return
        self._is_advancing = True
        try:
            for _ in range(_TURN):
                if self._phase > BODY or not self._inlet.waiting:
                    break
                if self._phase is not IDLE or not self._read_known():
                    self._read_piece()
            else:
                asyncio.get_running_loop().call_soon(self._advance)
        except Refusal as refusal:
            self._refuse(refusal)
        except Exception:  # noqa: BLE001 - it would end up with whoever finished the last answer
            _log.exception("connection failed")
            self._transport.abort()
        finally:
            self._is_advancing = False
        if self._has_ended and self._phase <= BODY and not self._inlet.waiting:
            self.shut()
        else:
            self._inlet.throttle()

    def _read_piece(self) -> None:
        # Thousands of callers may send crumbs in one turn.
        self._wire.turn.hurry()
        if self._phase is IDLE:
            self._started = clock.monotonic()
        self._inlet.start = self._reader.feed(self._inlet.data, self._inlet.start)
        if self._phase is BODY:
            self._take_body()
        elif self._reader.has_head:
            self._begin()
        elif self._phase is IDLE:
            self._phase = HEAD
            self.expires = self._wire.after(self._wire.header_timeout)

    def _read_known(self) -> bool:
        """Hand over a request at once that is here whole, and whose head came before."""
        inlet = self._inlet
        known, start = self._wire.heads.get(inlet.data, inlet.start)
        if known is None or len(inlet.data) - start < known.length:
            return False
        inlet.start = start + known.length
        self._reader.line = known.line
        exchange = self._ask(ANSWER, keep_alive=known.keep_alive)
        exchange.received(known.aim, inlet.data[start : inlet.start])
        return True

    def _begin(self) -> None:
        """The head is complete."""
        reader = self._reader
        exchange = self._ask(BODY, keep_alive=reader.keep_alive)
        exchange.headers_received(reader.line, reader.fields)
        if not self._outlet.has_head:
            self._wire.heads.learn(reader, exchange.aim)
        if self._outlet.has_head or reader.is_complete or self._inlet.waiting:
            self._take_body()
        elif reader.expects_continue:
            self._outlet.write(header_writer.CONTINUE)

    def _ask(self, phase: Phase, *, keep_alive: bool) -> "Exchange":
        """An exchange for a request whose head is complete."""
        self._phase = phase
        self.expires = math.inf
        self._outlet.begin(keep_alive=keep_alive)
        self._exchange = self._wire.gate.exchange(self)
        return self._exchange

    def _take_body(self) -> None:
        """Hand over what has come of the body."""
        reader = self._reader
        if self._exchange is None:
            return
        if len(reader.body) >= _PIECE or (reader.body and reader.is_complete):
            self._exchange.data_received(bytes(reader.body))
            reader.body.clear()
        if reader.is_complete and self._phase is BODY:
            self._phase = ANSWER
            self._exchange.finish()

    def _next(self) -> None:
        """Wait for the next request, or read it."""
        self._phase = IDLE
        self.expires = self._wire.after(self._wire.idle_timeout)
        if self._reader.has_head:
            self._reader.begin()
        if not self._is_advancing and (self._inlet.waiting or self._has_ended):
            self._advance()

    # Ending.

    def _refuse(self, refusal: Refusal) -> None:
        """Answer what is no request, and close: where the next one begins cannot be known."""
        self._tell_of_close()
        self._exchange = None
        if self._phase is not BODY or not self._outlet.has_head:
            self._outlet.write(
                unread.answer(
                    refusal,
                    metrics=self._wire.gate.metrics,
                    remote=self.remote_ip,
                    since=self._started,
                )
            )
        self._end()

    def _end(self) -> None:
        """Send no more, and drop what still comes until the peer closes too.

        To close at once with something unread would reset the connection, and the peer might never
        see its answer.
        """
        self._phase = LINGER
        self._inlet.forget()
        self._inlet.throttle()
        self._outlet.flush()
        self.expires = math.inf if self._outlet.is_full else self._wire.after(DISCARD_SECONDS)
        if self._has_ended or self._is_tls:
            self._transport.close()
        elif not self._transport.is_closing():
            # A peer that has reset the connection is told to us next.
            with contextlib.suppress(OSError):
                self._transport.write_eof()

    def _tell_of_close(self) -> None:
        """Tell the exchange, once, that its client is gone."""
        callback, self._close_callback = self._close_callback, None
        if callback is not None:
            callback()
        elif self._exchange is not None and self._phase is BODY:
            self._exchange.on_connection_close()
