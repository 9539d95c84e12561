"""Whom requests may reach: places that an operator opens, and hosts that a plugin is held to."""

import re
from collections.abc import Iterable
from dataclasses import dataclass
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address, ip_network
from typing import Annotated, Any

from pydantic import BeforeValidator, InstanceOf

Network = IPv4Network | IPv6Network

_LABEL = r"[a-z0-9_]([a-z0-9_-]{0,61}[a-z0-9_])?"
_NAME = re.compile(rf"{_LABEL}(\.{_LABEL})*")
# As the resolver takes it, the last part decides whether a text is a name or a number.
_NUMBER = re.compile(r"([0-9]+|0x[0-9a-f]*)")
_PLACE = re.compile(r"(\[(?P<v6>[^\[\]]+)\]|(?P<other>[^:\[\]]+))(:(?P<port>[0-9]{1,5}))?")
_LOW_PORTS = (80, 443)
_HIGH_PORTS = range(1025, 65536)

_OPENING = "write host:port or network:port, as in intranet.example:8443, 10.0.0.0/8:443, [::1]:80"
_HOST = "write for example api.example.com, *.example.com, api.example.com:8443, [2001:db8::1]"


@dataclass(frozen=True, slots=True)
class Opening:
    """One entry of `[outbound] allow`: a port of a name, or of a network's addresses.

    Attributes:
        text: for people.
        name: in lower case and without a dot at its end; empty where there is a network.
        network: one address is a network too.
    """

    text: str
    port: int
    name: str = ""
    network: Network | None = None

    @classmethod
    def of(cls, host: str, port: int) -> "Opening":
        """What a place opens that an operator has named elsewhere, such as a webhook's receiver.

        Args:
            host: a name as `name` has it, or an address without brackets.
        """
        address = _address(host)
        text = f"[{host}]:{port}" if ":" in host else f"{host}:{port}"
        if address is None:
            return cls(text, port, name=host)
        return cls(text, port, network=ip_network(address))

    @property
    def hosts(self) -> Iterable["HostPattern"]:
        """The one host that it opens, none for a network of many addresses."""
        if self.network is None:
            yield HostPattern(self.text, self.name, self.port)
        elif self.network.num_addresses == 1:
            yield HostPattern(self.text, str(self.network.network_address), self.port)

    def covers(self, host: str, port: int, address: IPv4Address | IPv6Address) -> bool:
        """Whether it opens an address, asked for by this name or literally."""
        if port != self.port:
            return False
        if self.network is None:
            return host == self.name
        return address in self.network

    def __str__(self) -> str:
        return self.text


@dataclass(frozen=True, slots=True)
class HostPattern:
    """One entry of `[plugin:NAME] hosts`.

    Attributes:
        text: for people.
        name: in lower case and without a dot at its end; an address in its shortest form.
        port: None for every port.
        below: whether it is the names below `name` that are meant, and not the name itself.
    """

    text: str
    name: str
    port: int | None = None
    below: bool = False

    def covers(self, host: str, port: int) -> bool:
        """Whether a host, spelt as `name` is, and its port are meant."""
        if self.port not in (None, port):
            return False
        return host.endswith(f".{self.name}") if self.below else host == self.name

    def __str__(self) -> str:
        return self.text


def _parts(text: str) -> Iterable[str]:
    return (part for part in re.split(r"[,\s]+", text) if part)


def _opening(text: str) -> Opening:
    match = _PLACE.fullmatch(text)
    if match is None or match["port"] is None:
        raise ValueError(f"names {text}, which is no place; {_OPENING}")
    port = _port(text, match["port"])
    host = match["v6"] or match["other"]
    network = _network(text, host)
    if network is not None and (network.version == 6) == bool(match["v6"]):
        return Opening(text, port, network=network)
    name = host.lower().rstrip(".")
    if match["v6"] or not _is_name(name):
        raise ValueError(f"names {text}, which is no place; {_OPENING}")
    return Opening(text, port, name=name)


def _network(text: str, host: str) -> Network | None:
    """The network or the address a text is, None for what may be a name."""
    try:
        return ip_network(host)
    except ValueError:
        pass
    try:
        meant = ip_network(host, strict=False)
    except ValueError:
        return None
    address = host.partition("/")[0]
    raise ValueError(f"names {text}, which is {meant} as a network and {address} as an address")


def _host(text: str) -> HostPattern:
    match = _PLACE.fullmatch(text)
    if match is None:
        raise ValueError(f"names {text}, which is no host; {_HOST}")
    port = _port(text, match["port"]) if match["port"] else None
    host = (match["v6"] or match["other"]).lower().rstrip(".")
    address = _address(host)
    if address is not None and (address.version == 6) == bool(match["v6"]):
        return HostPattern(text, str(address), port)
    below = host.startswith("*.")
    name = host.removeprefix("*.")
    if match["v6"] or not _is_name(name):
        raise ValueError(f"names {text}, which is no host; {_HOST}")
    return HostPattern(text, name, port, below)


def _address(host: str) -> IPv4Address | IPv6Address | None:
    try:
        return ip_address(host)
    except ValueError:
        return None


def _is_name(text: str) -> bool:
    return bool(_NAME.fullmatch(text)) and not _NUMBER.fullmatch(text.rpartition(".")[2])


def _port(text: str, digits: str) -> int:
    """A port that requests may go to; one they may not would be a promise nobody keeps."""
    port = int(digits)
    if port not in _LOW_PORTS and port not in _HIGH_PORTS:
        allowed = "the ports 80, 443 and 1025-65535 only"
        raise ValueError(f"names {text}, and requests go to {allowed}")
    return port


def _openings(value: Any) -> Any:
    return tuple(map(_opening, _parts(value))) if isinstance(value, str) else value


def _hosts(value: Any) -> Any:
    return tuple(map(_host, _parts(value))) if isinstance(value, str) else value


Openings = Annotated[tuple[InstanceOf[Opening], ...], BeforeValidator(_openings)]
"""Places, `host:port` or `network:port`, separated by commas or white space."""

Hosts = Annotated[tuple[InstanceOf[HostPattern], ...], BeforeValidator(_hosts)]
"""Hosts, each with or without a port, separated by commas or white space."""
