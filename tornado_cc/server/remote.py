"""Whose address a request comes from: its peer, or whom a trusted proxy names."""

import re
from collections.abc import Sequence
from functools import lru_cache
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address

from tornado_cc.core.message import Headers
from tornado_cc.server.connection import Fields

HEADER = "X-Forwarded-For"

# Some proxies add the port, and IPv6 addresses have brackets then.
_ENTRY = re.compile(
    r"\[(?P<v6>[0-9A-Fa-f:.]+)\](:\d+)?|(?P<v4>[0-9.]+):\d+|(?P<bare>[0-9A-Fa-f:.]+)"
)


class Remote:
    """Finds the caller's address behind the proxies a conf trusts."""

    def __init__(self, proxies: Sequence[IPv4Network | IPv6Network]) -> None:
        self._proxies = tuple(proxies)

    def of(self, peer: str, headers: Fields | Headers) -> str:
        """The rightmost forwarded address that is no trusted proxy's.

        What stands left of it is the caller's own word. An entry that is no address ends the
        search: whoever wrote it is the last that is known.
        """
        if not self._proxies or not self._is_trusted(_parsed(peer)):
            return peer
        found = peer
        for entry in reversed(headers.get(HEADER, "").split(",")):
            match = _ENTRY.fullmatch(entry.strip())
            address = _parsed(match["v6"] or match["v4"] or match["bare"]) if match else None
            if address is None:
                break
            found = str(address)
            if not self._is_trusted(address):
                break
        return found

    def _is_trusted(self, address: IPv4Address | IPv6Address | None) -> bool:
        return address is not None and any(address in network for network in self._proxies)


@lru_cache(maxsize=1024)
def _parsed(text: str) -> IPv4Address | IPv6Address | None:
    """An address; an IPv4 one that a socket for both spells as IPv6 is itself."""
    try:
        address = ip_address(text)
    except ValueError:
        return None
    mapped = address.ipv4_mapped if isinstance(address, IPv6Address) else None
    return mapped or address
