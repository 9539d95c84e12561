"""What addresses are for, as the registries of IANA and the makers of clouds have it.

Python's own `is_private` and `is_global` change from one release to the next, so the table is here.
"""

from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address

Address = IPv4Address | IPv6Address

METADATA = "metadata"
LINK_LOCAL = "link-local"
MULTICAST = "multicast"
UNSPECIFIED = "unspecified"

_RESERVED = "reserved"

# Where a machine of a cloud is told its own credentials. One of them looks public.
_METADATA = frozenset(
    map(
        ip_address,
        (
            "169.254.169.254",  # nearly all
            "169.254.170.2",  # containers of AWS
            "169.254.170.23",  # pods of AWS
            "100.100.100.200",  # Alibaba
            "168.63.129.16",  # Azure
            "192.0.0.192",  # Oracle
            "fd00:ec2::254",
            "fd00:ec2::23",
            "fd20:ce::254",  # Google
        ),
    )
)

_V4 = tuple(
    (IPv4Network(network), kind)
    for network, kind in (
        ("0.0.0.0/8", UNSPECIFIED),
        ("10.0.0.0/8", "private"),
        ("100.64.0.0/10", "carrier-grade NAT"),
        ("127.0.0.0/8", "loopback"),
        ("169.254.0.0/16", LINK_LOCAL),
        ("172.16.0.0/12", "private"),
        ("192.0.0.0/24", _RESERVED),
        ("192.0.2.0/24", "documentation"),
        ("192.88.99.0/24", "6to4"),
        ("192.168.0.0/16", "private"),
        ("198.18.0.0/15", "benchmarking"),
        ("198.51.100.0/24", "documentation"),
        ("203.0.113.0/24", "documentation"),
        ("224.0.0.0/4", MULTICAST),
        ("240.0.0.0/4", _RESERVED),
    )
)

# The first that fits says what it is.
_V6 = tuple(
    (IPv6Network(network), kind)
    for network, kind in (
        ("::/128", UNSPECIFIED),
        ("::1/128", "loopback"),
        ("::/96", "v4-compatible"),
        ("64:ff9b:1::/48", "NAT64"),
        ("fc00::/7", "private"),
        ("fe80::/10", LINK_LOCAL),
        ("fec0::/10", "private"),
        ("ff00::/8", MULTICAST),
        ("2001::/32", "Teredo"),
        ("2001:db8::/32", "documentation"),
        ("2001::/23", _RESERVED),
        ("2002::/16", "6to4"),
        ("3fff::/20", "documentation"),
    )
)
_UNICAST = IPv6Network("2000::/3")
"""All that IANA has given out so far; what lies beside it is nobody's."""

_NAT64 = IPv6Network("64:ff9b::/96")


def kind_of(address: Address) -> str | None:
    """What an address is for, in a word or two; None when it is a public one.

    An IPv6 address that stands for an IPv4 one is what that is. Such a mapped one reaches the same
    machine. A NAT64 gateway, by which networks without IPv4 reach the rest, leads to the embedded
    one. Tunnels (6to4, Teredo) are refused as a whole: they are history, and lead anywhere.
    """
    address = unmapped(address)
    if address in _METADATA:
        return METADATA
    if isinstance(address, IPv4Address):
        return next((kind for network, kind in _V4 if address in network), None)
    if address in _NAT64:
        return kind_of(IPv4Address(int(address) & 0xFFFF_FFFF))
    known = next((kind for network, kind in _V6 if address in network), None)
    return known or (None if address in _UNICAST else _RESERVED)


def unmapped(address: Address) -> Address:
    """The IPv4 address of `::ffff:192.0.2.1`, and any other as it is."""
    if isinstance(address, IPv6Address) and address.ipv4_mapped is not None:
        return address.ipv4_mapped
    return address
