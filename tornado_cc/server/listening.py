"""Sockets that listen: bound by us, or handed over by a service manager or a supervisor."""

import asyncio
import contextlib
import ctypes
import os
import socket
import struct
from collections.abc import MutableMapping, Sequence
from dataclasses import dataclass

from tornado.netutil import bind_sockets

from tornado_cc.core import clock

# sd_listen_fds(3): they begin behind standard input, output and error.
_FIRST = 3
_ADMIN = "admin"

# A program of the kernel's packet filter, which is given packets from their TCP header on. It drops
# those that ask for a connection, which have SYN and not ACK.
_INSTRUCTIONS = (
    (0x30, 0, 0, 13),  # load the flags
    (0x54, 0, 0, 0x12),  # keep SYN and ACK
    (0x15, 0, 1, 0x02),  # unless SYN alone is left, skip one
    (0x06, 0, 0, 0),  # drop it
    (0x06, 0, 0, 0xFFFF_FFFF),  # let it pass
)
_SO_ATTACH_FILTER = 26
_TCP_INFO = 11
# Of a socket that listens, tcpi_unacked is how many connections wait to be accepted.
_WAITING = struct.Struct("=24xI")
# Whoever does not accept for so long will not.
_PATIENCE = 0.2
_STEP = 0.002


class CannotListen(Exception):
    """An address that cannot be listened on; the message says why."""


@dataclass(frozen=True, slots=True)
class Sockets:
    """What a server listens on where it does not bind itself.

    Attributes:
        public: for callers; None to bind `[server] bind`.
        admin: for those who look after it; None to bind `[admin] bind`, empty to listen nowhere.
    """

    public: Sequence[socket.socket] | None = None
    admin: Sequence[socket.socket] | None = None


def activated(environ: MutableMapping[str, str]) -> Sockets:
    """The sockets that a service manager has opened for this process, as systemd hands them over.

    Those it calls `admin` are for the admin listener, all others for callers. What says so is taken
    out of the environment, or a plugin's own processes would take them for theirs.
    """
    pid, count, names = (environ.pop(f"LISTEN_{key}", "") for key in ("PID", "FDS", "FDNAMES"))
    if pid != str(os.getpid()) or not count.isdigit():
        return Sockets()
    sockets = adopted(range(_FIRST, _FIRST + int(count)))
    called = [*names.split(":"), *[""] * len(sockets)]
    admin = [one for one, name in zip(sockets, called, strict=False) if name == _ADMIN]
    public = [one for one in sockets if one not in admin]
    return Sockets(public or None, admin or None)


def adopted(files: Sequence[int]) -> list[socket.socket]:
    """The sockets that a parent has handed over, by the numbers of their files."""
    found = [socket.socket(fileno=one) for one in files]
    for one in found:
        # A plugin's own processes would keep the port.
        one.set_inheritable(False)
        one.setblocking(False)
    return found


def bound(bind: tuple[str, int]) -> list[socket.socket]:
    """Sockets that listen on `host, port`. Raises `CannotListen`."""
    host, port = bind
    try:
        return bind_sockets(port, host)
    except OSError as error:
        text = f"cannot listen on {_spelt(host, port)}: {error.strerror or error}"
        raise CannotListen(text) from None


def bound_for_admin(bind: tuple[str, int] | None) -> list[socket.socket]:
    """The same for the admin listener, none when it is off. Raises `CannotListen`."""
    if bind is None:
        return []
    try:
        return bound(bind)
    except CannotListen as error:
        raise CannotListen(f"[admin] bind: {error}; set another port, or off") from None


def address(one: socket.socket) -> str:
    """Where a socket listens, `host:port`."""
    if one.family == socket.AF_UNIX:
        return f"unix:{one.getsockname()}"
    return _spelt(*one.getsockname()[:2])


async def let_in_the_last(sockets: Sequence[socket.socket]) -> None:
    """Have no more connections made, and wait until those that are made have been accepted.

    To close a socket resets what waits in its queue, and its callers may have sent their requests.
    Who comes now hears nothing, and asks again a second later. Where the kernel is not Linux, or
    does not allow this, nothing is done.
    """
    ours = [one for one in sockets if one.family != socket.AF_UNIX]
    with contextlib.suppress(OSError):
        for one in ours:
            _drop_newcomers(one)
        until = clock.monotonic() + _PATIENCE
        # The kernel tells nobody that a queue is empty.
        while any(map(_waiting, ours)) and clock.monotonic() < until:  # noqa: ASYNC110 - see above
            await asyncio.sleep(_STEP)


def _drop_newcomers(one: socket.socket) -> None:
    program = b"".join(struct.pack("=HBBI", *each) for each in _INSTRUCTIONS)
    kept = ctypes.create_string_buffer(program, len(program))
    described = struct.pack("HP", len(_INSTRUCTIONS), ctypes.addressof(kept))
    one.setsockopt(socket.SOL_SOCKET, _SO_ATTACH_FILTER, described)


def _waiting(one: socket.socket) -> int:
    """How many connections wait to be accepted."""
    found: int
    (found,) = _WAITING.unpack(one.getsockopt(socket.IPPROTO_TCP, _TCP_INFO, _WAITING.size))
    return found


def _spelt(host: str, port: int) -> str:
    return f"[{host}]:{port}" if ":" in host else f"{host}:{port}"
