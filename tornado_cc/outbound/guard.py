"""Which addresses a connection may be made to, judged where the socket is made.

There every form of address has become the one that the operating system connects to: of a name all
its addresses, of a redirect its target, of a name whose addresses change those it has now.
"""

import socket
from collections.abc import Iterable
from contextvars import ContextVar
from dataclasses import dataclass
from ipaddress import ip_address

from aiohttp import AddrInfoType

from tornado_cc.outbound import ranges
from tornado_cc.settings.reach import Opening

# A name is what somebody else may lead elsewhere; these an operator has to open by number.
_NEVER_BY_NAME = (
    ranges.LINK_LOCAL,
    ranges.METADATA,
    ranges.MULTICAST,
    ranges.UNSPECIFIED,
)


@dataclass(slots=True)
class Trip:
    """One request on its way to one host, and what became of the addresses of that host.

    Attributes:
        host: in lower case, without brackets and without a dot at its end.
        port: of the request.
        refused: what the last refused address was for; None when none was.
        admitted: whether a connection to any of them was tried.
    """

    host: str
    port: int
    refused: str | None = None
    admitted: bool = False

    @property
    def is_refused(self) -> bool:
        """Whether all addresses were refused."""
        return self.refused is not None and not self.admitted


TRIP: ContextVar[Trip] = ContextVar("tornado_cc_trip")
"""The trip that connections are made for in this context.

aiohttp says of a connection only which address it goes to.
"""


class Refused(OSError):
    """A connection that is not made; aiohttp takes it for one that failed."""


class Guard:
    """Makes the sockets of a connection pool, or refuses to.

    A kept connection is used by whoever asks for the same host and port, so all who share a pool
    share its guard.

    Args:
        openings: what else may be reached besides public addresses.
        loopback: whether this machine itself may be, as in development.
    """

    def __init__(self, openings: Iterable[Opening] = (), *, loopback: bool = False) -> None:
        self._openings = tuple(openings)
        self._loopback = loopback

    def socket(self, info: AddrInfoType) -> socket.socket:
        """The socket for a connection to an address.

        Raises:
            Refused: it may not be connected to; the trip says why.
        """
        family, kind, protocol, _, address = info
        trip = TRIP.get()
        why = self.objection(trip, str(address[0]))
        if why is not None:
            trip.refused = why
            raise Refused("not allowed")
        trip.admitted = True
        return socket.socket(family, kind, protocol)

    def objection(self, trip: Trip, text: str) -> str | None:
        """What an address is for that the trip may not lead to; None when it may."""
        try:
            address = ip_address(text)
        except ValueError:
            # It would be resolved once more, behind our back.
            return "not an address"
        kind = ranges.kind_of(address)
        plain = ranges.unmapped(address)
        if kind is None or (self._loopback and plain.is_loopback):
            return None
        opened = (one for one in self._openings if one.covers(trip.host, trip.port, plain))
        if any(one.network is not None or kind not in _NEVER_BY_NAME for one in opened):
            return None
        return kind
