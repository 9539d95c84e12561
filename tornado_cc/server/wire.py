"""The fast wire: HTTP/1.1 connections around llhttp, the parser of Node.js."""

import asyncio
import math
import resource
import socket
from collections.abc import Sequence

from tornado_cc.core import clock
from tornado_cc.server import tls
from tornado_cc.server.gate import Gate
from tornado_cc.server.limits import DISCARD_SECONDS
from tornado_cc.server.wire_connection import WireConnection
from tornado_cc.server.wire_known import KnownHeads
from tornado_cc.server.wire_outlet import Outlet
from tornado_cc.server.wire_turn import Turn
from tornado_cc.settings import ServerSettings

# Well above the gate's limits, which are answered in the dialect's spelling.
_HEAD = 256 << 10
_HEADERS = 1000
# Connections that the kernel keeps while they wait to be accepted.
_BACKLOG = 1024
# How much more than `max_connections` are told so; what comes on top is only closed.
_TOLD = 32
_LONGEST_TICK = 1.0
# So many are refused in half a millisecond, which is what everybody else waits for it.
_TURN = 8
# What is written gets so many seconds to go out at the end.
_PATIENCE = 1.0
_STEP = 0.005


class Wire:
    """Listens, and has all connections and their deadlines. `start`, `stop`, then `close`.

    Attributes:
        gate: what requests are handed to.
        max_head: bytes of the largest head that is read.
        max_headers: headers of the longest head that is read.
        header_timeout: seconds a head may take.
        idle_timeout: seconds a connection may wait for its next request.
        write_timeout: seconds for which a caller may take nothing of its answer.
        heads: those that came last.
        taken: a future that is done.
        turn: gathers the answers of a turn of the loop.
        slow: what has unsent bytes.
    """

    def __init__(self, gate: Gate, settings: ServerSettings) -> None:
        self.gate = gate
        self.max_head = max(_HEAD, 2 * settings.max_headers_size)
        self.max_headers = max(_HEADERS, 2 * settings.max_headers)
        self.header_timeout = settings.header_timeout
        self.idle_timeout = settings.idle_timeout
        self.write_timeout = settings.write_timeout
        self.heads = KnownHeads()
        self.slow: set[Outlet] = set()
        self.taken: asyncio.Future[None]
        self.turn = Turn()
        self._tls = tls.context_of(settings)
        self._limit = connection_limit(settings.max_connections)
        self._connections: set[WireConnection] = set()
        self._servers: list[asyncio.Server] = []
        shortest = min(self.header_timeout, self.idle_timeout, self.write_timeout)
        self._step = min(_LONGEST_TICK, shortest / 4)
        self._next_tick = 0.0
        self._timer: asyncio.TimerHandle | None = None

    async def start(self, sockets: Sequence[socket.socket]) -> None:
        """Serve on sockets that are bound; they are closed at the stop."""
        loop = asyncio.get_running_loop()
        self.taken = loop.create_future()
        self.taken.set_result(None)
        self._tick()
        for one in sockets:
            is_unix = one.family == socket.AF_UNIX
            serve = loop.create_unix_server if is_unix else loop.create_server
            server = await serve(
                lambda: WireConnection(self),
                sock=one,
                backlog=_BACKLOG,
                ssl=self._tls,
                ssl_handshake_timeout=self.header_timeout if self._tls else None,
                ssl_shutdown_timeout=DISCARD_SECONDS if self._tls else None,
            )
            self._servers.append(server)

    @property
    def connections(self) -> int:
        """How many are open."""
        return len(self._connections)

    @property
    def is_sending(self) -> bool:
        """Whether some answer is not out yet."""
        return bool(self.slow)

    def stop(self) -> None:
        """Accept no more connections; those that are there go on."""
        for server in self._servers:
            server.close()

    async def close(self) -> None:
        """Close every connection, whatever is being answered."""
        for one in tuple(self._connections):
            one.shut()
        until = clock.monotonic() + _PATIENCE
        # A connection is gone when the loop has said so, which it says to each of them alone.
        while self._connections and clock.monotonic() < until:  # noqa: ASYNC110 - see above
            await asyncio.sleep(_STEP)
        for one in tuple(self._connections):
            one.abort()
        await asyncio.sleep(0)
        if self._timer is not None:
            self._timer.cancel()

    def admit(self, connection: WireConnection) -> bool:
        """Take a new connection into care; whether there is room for it."""
        self._connections.add(connection)
        if self.connections > self._limit + _TOLD:
            connection.abort()
        return self.connections <= self._limit

    def dismiss(self, connection: WireConnection) -> None:
        """Forget a connection that is closed."""
        self._connections.discard(connection)

    def after(self, seconds: float) -> float:
        """The deadline that is in so many seconds, on the monotonic clock; up to a tick later."""
        return self._next_tick + seconds

    def _tick(self) -> None:
        """Look at all deadlines: a timer for each request would cost more than reading it."""
        now = clock.monotonic()
        self._next_tick = now + self._step
        self._timer = asyncio.get_running_loop().call_later(self._step, self._tick)
        self._expire([one for one in self._connections if one.expires <= now], now)
        for outlet in tuple(self.slow):
            outlet.check(now)

    def _expire(self, due: list[WireConnection], now: float) -> None:
        """Let the deadlines of some pass, and those of the others when everybody had a turn.

        Thousands that came at once would hold up everybody when they go at once.
        """
        for one in due[:_TURN]:
            if one.expires <= now:
                one.expire()
        if len(due) > _TURN:
            asyncio.get_running_loop().call_soon(self._expire, due[_TURN:], now)


def connection_limit(wanted: int) -> int:
    """How many connections there may be, so that files are left for whatever else is open.

    Args:
        wanted: what the conf says, 0 when it says nothing.
    """
    files = resource.getrlimit(resource.RLIMIT_NOFILE)[0]
    possible = math.inf if files == resource.RLIM_INFINITY else files * 3 // 4
    return int(min(wanted or math.inf, possible, 1 << 31))
