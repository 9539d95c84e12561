"""What addresses are for, in every form that an address has."""

import socket
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address, ip_network

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tornado_cc.outbound.address import check_url, place_of
from tornado_cc.outbound.guard import Guard, Trip
from tornado_cc.outbound.ranges import kind_of, unmapped

Address = IPv4Address | IPv6Address

KINDS = [
    ("0.0.0.0/8", "unspecified"),
    ("10.0.0.0/8", "private"),
    ("100.64.0.0/10", "carrier-grade NAT"),
    ("127.0.0.0/8", "loopback"),
    ("169.254.0.0/16", "link-local"),
    ("172.16.0.0/12", "private"),
    ("192.0.0.0/24", "reserved"),
    ("192.168.0.0/16", "private"),
    ("192.88.99.0/24", "6to4"),
    ("198.18.0.0/15", "benchmarking"),
    ("224.0.0.0/4", "multicast"),
    ("240.0.0.0/4", "reserved"),
    ("64:ff9b:1::/48", "NAT64"),
    ("2001::/32", "Teredo"),
    ("2002::/16", "6to4"),
    ("2001:db8::/32", "documentation"),
    ("fc00::/7", "private"),
    ("fe80::/10", "link-local"),
    ("fec0::/10", "private"),
    ("ff00::/8", "multicast"),
    ("100::/8", "reserved"),
    ("4000::/3", "reserved"),
    ("e000::/4", "reserved"),
]
METADATA = [
    "169.254.169.254",
    "169.254.170.2",
    "100.100.100.200",
    "168.63.129.16",
    "192.0.0.192",
    "fd00:ec2::254",
]
PUBLIC = ["1.1.1.1", "9.255.255.255", "100.63.255.255", "100.128.0.0", "172.15.255.255"]
PUBLIC += ["172.32.0.0", "192.0.1.0", "192.167.255.255", "198.17.255.255", "198.20.0.0"]
PUBLIC += ["223.255.255.255", "2606:4700::1111", "2a00:1450:4001::1", "2001:200::1", "2003::1"]

INTERNAL = [
    network for text, _ in KINDS if isinstance(network := ip_network(text), IPv4Network)
] + [ip_network(f"{text}/32") for text in METADATA if ":" not in text]


def in_network(network: IPv4Network | IPv6Network) -> st.SearchStrategy[Address]:
    low, high = int(network.network_address), int(network.broadcast_address)
    kind: type[Address] = IPv4Address if isinstance(network, IPv4Network) else IPv6Address
    return st.integers(low, high).map(kind)


internal = st.sampled_from(INTERNAL).flatmap(in_network)


def number(value: int, base: int) -> str:
    """One part of an address, as the resolvers of C take it."""
    return {8: f"0{value:o}", 10: str(value), 16: f"0x{value:x}"}[base]


@st.composite
def spelt(draw: st.DrawFn) -> tuple[str, IPv4Address]:
    """An internal IPv4 address, in one to four numbers of any base."""
    address = draw(internal)
    assert isinstance(address, IPv4Address)
    parts = draw(st.integers(1, 4))
    value, numbers = int(address), []
    for at in range(parts - 1):
        numbers.append(value >> (24 - 8 * at) & 0xFF)
    numbers.append(value & (1 << (32 - 8 * (parts - 1))) - 1)
    bases = draw(st.lists(st.sampled_from([8, 10, 16]), min_size=parts, max_size=parts))
    text = ".".join(map(number, numbers, bases))
    return draw(st.sampled_from([text, text.upper(), f"{text}."])), address


def embedded(address: Address) -> list[IPv6Address]:
    """The IPv6 addresses that stand for an IPv4 one."""
    value = int(address)
    return [
        IPv6Address(0xFFFF << 32 | value),  # v4-mapped
        IPv6Address(value),  # v4-compatible
        IPv6Address(0x64FF9B << 96 | value),  # NAT64
        IPv6Address(0x64FF9B0001 << 80 | value),  # NAT64 of one's own
        IPv6Address(0x2002 << 112 | value << 80 | 1),  # 6to4
        IPv6Address(0x20010000 << 96 | value << 64),  # Teredo, the server
        IPv6Address(0x20010000 << 96 | value ^ 0xFFFFFFFF),  # Teredo, the client
    ]


@pytest.mark.parametrize(("text", "kind"), KINDS)
def test_a_network_is_of_its_kind_from_its_first_to_its_last_address(text: str, kind: str) -> None:
    network = ip_network(text)
    assert kind_of(network.broadcast_address) == kind
    assert kind_of(network.network_address) == kind


@pytest.mark.parametrize("text", METADATA)
def test_an_address_that_tells_credentials_is_metadata_first(text: str) -> None:
    assert kind_of(ip_address(text)) == "metadata"


@pytest.mark.parametrize("text", PUBLIC)
def test_the_neighbours_of_such_networks_are_public(text: str) -> None:
    assert kind_of(ip_address(text)) is None


@given(st.ip_addresses())
def test_nothing_is_public_that_python_knows_to_be_otherwise(address: Address) -> None:
    plain = unmapped(address)
    if plain in ip_network("64:ff9b::/96"):
        return  # reserved to Python; what it stands for decides
    if not plain.is_global or plain.is_multicast or plain.is_reserved:
        assert kind_of(address) is not None


@given(st.ip_addresses(v=4))
def test_what_stands_for_an_address_is_no_better_than_that(address: Address) -> None:
    mapped, *others = embedded(address)
    assert kind_of(mapped) == kind_of(address)
    for one in others:
        assert kind_of(one) is not None or kind_of(address) is None


@given(internal)
def test_no_form_of_an_internal_address_passes_the_guard(address: Address) -> None:
    guard = Guard()
    for one in (address, *embedded(address)):
        assert guard.objection(Trip("public.example", 80), str(one)) is not None


@given(spelt())
def test_no_spelling_of_an_internal_address_passes_both_checks(
    given: tuple[str, IPv4Address],
) -> None:
    text, address = given
    # A resolver would take it: the spelling is a real one.
    assert socket.inet_aton(text.rstrip(".").lower()) == address.packed
    try:
        url, _ = check_url(f"http://{text}:8080/")
    except ValueError:
        return
    host, port = place_of(url)
    assert host == str(address)
    assert Guard().objection(Trip(host, port), host) is not None


@given(st.text("0123456789xXabcf.:[]%@\\/#?", max_size=20))
def test_whatever_is_let_through_as_a_number_is_the_address_it_looks_like(text: str) -> None:
    try:
        url, _ = check_url(f"http://{text}/")
        host, _ = place_of(url)
        meant = socket.inet_aton(host)
    except (ValueError, OSError):
        return
    assert host == str(IPv4Address(meant))


@pytest.mark.parametrize("text", ["", "localhost", "0177.0.0.1", "2130706433", "1.1.1.1 ", "::g"])
def test_what_is_no_address_is_not_connected_to(text: str) -> None:
    # The loop would ask the name service once more, and connect to what that says.
    assert Guard(loopback=True).objection(Trip("a", 80), text) == "not an address"
