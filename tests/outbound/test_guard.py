"""No address leads inside, however it is spelt and whoever leads there; what is opened does."""

import asyncio
import logging
from typing import Any

import pytest

from tests.outbound.conftest import Opened, Wired
from tests.outbound.internal import Addresses, Canary, Names, attempts, canary
from tests.outbound.wire import answer, say
from tornado_cc.core import clock
from tornado_cc.outbound import (
    AddressRefused,
    ConnectError,
    HttpClient,
    RequestError,
    TooManyRedirects,
)
from tornado_cc.settings.schema import PluginSection

__all__ = ["attempts", "canary"]

NAMES: dict[str, list[Addresses]] = {
    "intranet.example": ["10.0.0.5"],
    "printer.example": ["192.168.7.7"],
    "metadata.google.internal": ["169.254.169.254"],
    "instance-data.example": [["fd00:ec2::254", "169.254.169.254"]],
    "db.example": [["10.0.0.5", "fd00::5"]],
    "localtest.example": ["127.0.0.1"],
    "local6.example": ["::1"],
    "mapped.example": ["::ffff:127.0.0.1"],
    "gateway.example": ["64:ff9b::7f00:1"],
    "tunnel.example": ["2002:7f00:1::1"],
    "nowhere.example": ["0.0.0.0"],
    "site.example": ["fe80::1%lo"],
    "example.org": ["203.0.113.7"],
    "127.0.0.1.nip.example": ["127.0.0.1"],
    "localhost": [["::1", "127.0.0.1"]],
    "ip6-localhost": ["::1"],
    "localhost.localdomain": ["127.0.0.1"],
}
SPELT = [
    # this machine
    "127.0.0.1",
    "127.0.0.1.",
    "127.1",
    "127.0.1",
    "127.255.255.254",
    "2130706433",
    "0x7f000001",
    "0x7F.0.0.1",
    "0x7f.1",
    "0177.0.0.1",
    "00000177.0.0.1",
    "017700000001",
    "127.0.0.0x1",
    "%31%32%37.0.0.1",
    "127%2e0%2e0%2e1",
    "\uff11\uff12\uff17.0.0.1",  # digits as wide as Chinese letters
    "127\u30020\u30020\u30021",  # the full stop of Chinese
    "\u2460\u2461\u2466.0.0.1",  # digits in circles
    "LOCALHOST",
    "localhost.",
    "[::1]",
    "[0:0:0:0:0:0:0:1]",
    "[::ffff:127.0.0.1]",
    "[::ffff:7f00:1]",
    "[0:0:0:0:0:FFFF:127.0.0.1]",
    "[::127.0.0.1]",
    "[64:ff9b::127.0.0.1]",
    "[64:ff9b:1::7f00:1]",
    "[2002:7f00:1::]",
    "[2001:0:4136:e378:8000:63bf:80ff:fffe]",
    "0",
    "0.0.0.0",
    "0x0",
    "[::]",
    "[::ffff:0:0]",
    # the network around it
    "10.0.0.1",
    "10.255.255.255",
    "0xa000001",
    "012.0.0.1",
    "172.16.0.1",
    "172.31.255.254",
    "192.168.0.1",
    "3232235521",
    "100.64.0.1",
    "100.127.255.254",
    "169.254.1.1",
    "[fc00::1]",
    "[fd00::2]",
    "[fe80::1]",
    "[fe80::1%25lo]",
    "[fe80::1%lo]",
    "[fec0::1]",
    "[::ffff:10.0.0.1]",
    "[64:ff9b::10.0.0.1]",
    "[2002:a00:1::1]",
    # where a cloud tells its secrets
    "169.254.169.254",
    "2852039166",
    "0xa9fea9fe",
    "0251.0376.0251.0376",
    "[::ffff:169.254.169.254]",
    "[64:ff9b::a9fe:a9fe]",
    "169.254.170.2",
    "100.100.100.200",
    "168.63.129.16",
    "192.0.0.192",
    "[fd00:ec2::254]",
    # nobody's
    "192.0.2.1",
    "192.88.99.1",
    "198.18.0.1",
    "198.51.100.1",
    "203.0.113.1",
    "224.0.0.1",
    "239.255.255.250",
    "240.0.0.1",
    "255.255.255.255",
    "256.256.256.256",
    "4294967297",
    "[ff02::1]",
    "[100::1]",
    "[2001:db8::1]",
    "[2001:10::1]",
    "[3fff::1]",
    "[4000::1]",
    "[5f00::1]",
]
# What one parser takes for the host, another takes for something else.
AMBIGUOUS = [
    "http://example.org@127.0.0.1:{port}/",
    "http://example.org:80@127.0.0.1:{port}/",
    "http://127.0.0.1:{port}@example.org/",
    "http://127.0.0.1:{port}\\@example.org/",
    "http://example.org\\@127.0.0.1:{port}/",
    "http://[::1].example.org:{port}/",
    "http://example.org[::1]:{port}/",
    "http://127.0.0.1:{port}#@example.org/",
    "http://example.org#@127.0.0.1:{port}/",
    "http://127.0.0.1:{port}?@example.org/",
    "http:127.0.0.1:{port}/",
    "http:///127.0.0.1:{port}/",
    "//127.0.0.1:{port}/",
    "http://127.0.0.1 @example.org:{port}/",
    "http://example.org\t@127.0.0.1:{port}/",
    "HTTP://127.0.0.1:{port}/",
    "https://127.0.0.1:{port}/",
    "gopher://127.0.0.1:{port}/",
    "file://127.0.0.1:{port}/etc/passwd",
]
# As the target of a redirect, these are paths on the host that said so.
STAYING = ["http:127.0.0.1:{port}/", "http:///127.0.0.1:{port}/"]
HOSTILE = [
    *(f"http://{host}:{{port}}/" for host in SPELT),
    *(f"http://{name}:{{port}}/" for name in NAMES),
    *AMBIGUOUS,
]


def hosts(text: str) -> Any:
    return PluginSection.model_validate({"hosts": text}).hosts


@pytest.fixture
async def guarded(opened: Opened, monkeypatch: pytest.MonkeyPatch) -> HttpClient:
    """A client of production, where the names above lead inside."""
    monkeypatch.setattr("socket.getaddrinfo", Names(NAMES).getaddrinfo)
    return await opened(loopback=False, timeout=3)


def test_there_are_many_of_them() -> None:
    assert len(set(HOSTILE)) == len(HOSTILE) > 100


@pytest.mark.parametrize("hostile", HOSTILE)
async def test_a_hostile_address_reaches_nobody(
    guarded: HttpClient, canary: Canary, attempts: list[str], hostile: str
) -> None:
    with pytest.raises((AddressRefused, RequestError)):
        await guarded.request(hostile.format(port=canary.port), follow_redirects=True)
    assert attempts == []
    assert not canary.was_reached()


@pytest.mark.parametrize("host", ["127.0.0.1", "[::1]", "localhost", "[::ffff:127.0.0.1]"])
async def test_without_the_guard_the_canary_would_have_been_reached(
    client: HttpClient, canary: Canary, host: str
) -> None:
    asking = asyncio.create_task(client.request(f"http://{host}:{canary.port}/"))
    async with asyncio.timeout(3):
        while not canary.was_reached():
            await asyncio.sleep(0.01)
    asking.cancel()


@pytest.mark.parametrize("hostile", [one for one in HOSTILE if one not in STAYING])
async def test_a_redirect_to_one_reaches_nobody_either(
    opened: Opened,
    wired: Wired,
    canary: Canary,
    attempts: list[str],
    monkeypatch: pytest.MonkeyPatch,
    hostile: str,
) -> None:
    monkeypatch.setattr("socket.getaddrinfo", Names(NAMES).getaddrinfo)
    location = hostile.format(port=canary.port).replace("\t", "%09").encode()
    head = b"HTTP/1.1 307 Moved\r\nContent-Length: 0\r\nLocation: " + location + b"\r\n\r\n"
    wire = await wired(say(head), answer(b"here again"))
    client = await opened(loopback=False, timeout=3, allow=wire.host)
    with pytest.raises((AddressRefused, TooManyRedirects)):
        await client.request(wire.url, method="POST", body="b", follow_redirects=True)
    assert (attempts, len(wire.received)) == (["127.0.0.1"], 1)
    assert not canary.was_reached()


async def test_each_hop_of_a_redirect_is_guarded(opened: Opened, wired: Wired) -> None:
    secret = await wired(answer(b"secret"))
    second = await wired(answer(b"", f"Location: {secret.url}", status="302 Found"))
    first = await wired(answer(b"", f"Location: {second.url}", status="302 Found"))
    client = await opened(loopback=False, allow=f"{first.host}, {second.host}")
    with pytest.raises(AddressRefused) as caught:
        await client.request(first.url, follow_redirects=True)
    assert caught.value.url == secret.url
    assert (len(first.received), len(second.received), secret.connections) == (1, 1, 0)


@pytest.mark.parametrize(
    "answers",
    [
        ["93.184.216.34", "127.0.0.1"],
        ["127.0.0.1"],
        [["127.0.0.1", "::1"]],
        [["::ffff:127.0.0.1"], ["127.0.0.1"]],
    ],
)
async def test_a_name_that_changes_its_addresses_is_judged_by_those_it_is_connected_to(
    opened: Opened,
    canary: Canary,
    attempts: list[str],
    monkeypatch: pytest.MonkeyPatch,
    answers: list[Addresses],
) -> None:
    names = Names({"rebinding.example": answers})
    monkeypatch.setattr("socket.getaddrinfo", names.getaddrinfo)
    client = await opened(loopback=False)
    for number in range(3):
        # Another port each time: aiohttp remembers for ten seconds what a name and a port led to.
        with pytest.raises((AddressRefused, ConnectError)):
            await client.request(f"http://rebinding.example:{canary.port - number}/")
    assert len(names.asked) == 3
    assert "127.0.0.1" not in attempts
    assert "::1" not in attempts
    assert not canary.was_reached()


async def test_of_several_addresses_only_those_that_are_public_are_tried(
    opened: Opened, canary: Canary, attempts: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    public, inside = "93.184.216.34", ["127.0.0.1", "::1", "10.0.0.1"]
    names = Names({"both.example": [[*inside, public]]})
    monkeypatch.setattr("socket.getaddrinfo", names.getaddrinfo)
    client = await opened(loopback=False)
    # That the public one was not reached is a failure of the network, and no refusal.
    with pytest.raises(ConnectError, match="refused"):
        await client.request(f"http://both.example:{canary.port}/")
    assert set(attempts) == {public}
    assert not canary.was_reached()


@pytest.mark.parametrize(
    ("allow", "host"),
    [
        ("127.0.0.1:{port}", "127.0.0.1"),
        ("127.0.0.0/8:{port}", "127.0.0.1"),
        ("10.0.0.0/8:443, 127.0.0.1/32:{port}", "127.0.0.1"),
        ("127.0.0.1:{port}", "localtest.example"),
        ("127.0.0.1:{port}", "[::ffff:127.0.0.1]"),
        ("localtest.example:{port}", "localtest.example"),
        ("LOCALTEST.example.:{port}", "LocalTest.Example."),
    ],
)
async def test_what_is_opened_is_reached(
    opened: Opened, wired: Wired, monkeypatch: pytest.MonkeyPatch, allow: str, host: str
) -> None:
    monkeypatch.setattr("socket.getaddrinfo", Names(NAMES).getaddrinfo)
    wire = await wired()
    port = wire.host.rpartition(":")[2]
    client = await opened(loopback=False, allow=allow.format(port=port))
    assert (await client.request(f"http://{host}:{port}/")).text == "ok"
    assert wire.connections == 1


@pytest.mark.parametrize(
    ("allow", "host"),
    [
        ("127.0.0.1:8080", "127.0.0.1"),
        ("127.0.0.2:{port}", "127.0.0.1"),
        ("10.0.0.0/8:{port}", "127.0.0.1"),
        ("[::1]:{port}", "127.0.0.1"),
        ("localtest.example:{port}", "127.0.0.1"),
        ("localtest.example:{port}", "other.localtest.example"),
        ("localtest.example:{port}", "localtest.example.org"),
        ("localtest.example:8080", "localtest.example"),
        # What a name leads to may change; these have to be opened by number.
        ("metadata.google.internal:{port}", "metadata.google.internal"),
        ("nowhere.example:{port}", "nowhere.example"),
    ],
)
async def test_nothing_more_is_opened_than_was_said(
    opened: Opened,
    canary: Canary,
    attempts: list[str],
    monkeypatch: pytest.MonkeyPatch,
    allow: str,
    host: str,
) -> None:
    more: dict[str, list[Addresses]] = {
        "other.localtest.example": ["127.0.0.1"],
        "localtest.example.org": ["127.0.0.1"],
    }
    monkeypatch.setattr("socket.getaddrinfo", Names({**NAMES, **more}).getaddrinfo)
    client = await opened(loopback=False, allow=allow.format(port=canary.port))
    with pytest.raises(AddressRefused):
        await client.request(f"http://{host}:{canary.port}/")
    assert attempts == []
    assert not canary.was_reached()


async def test_development_opens_this_machine_and_nothing_else(
    client: HttpClient, wired: Wired, attempts: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("socket.getaddrinfo", Names(NAMES).getaddrinfo)
    wire = await wired()
    assert (await client.request(wire.url)).text == "ok"
    for host in ("10.0.0.1", "169.254.169.254", "intranet.example", "0.0.0.0", "gateway.example"):
        with pytest.raises(AddressRefused):
            await client.request(f"http://{host}:{wire.host.rpartition(':')[2]}/")
    assert set(attempts) == {"127.0.0.1"}


async def test_a_refusal_names_the_host_and_never_where_it_leads(guarded: HttpClient) -> None:
    with pytest.raises(AddressRefused) as caught:
        await guarded.request("http://ann:secret@intranet.example/a?key=secret")
    told = f"{caught.value} {caught.value!r} {vars(caught.value)} {caught.value.args}"
    assert str(caught.value).startswith("http://intranet.example/a: not allowed")
    assert "10.0.0.5" not in told
    assert "secret" not in told
    assert caught.value.__cause__ is None
    assert caught.value.__context__ is None


async def test_a_refusal_is_logged_with_the_plugin(
    guarded: HttpClient, caplog: pytest.LogCaptureFixture
) -> None:
    bound = guarded.bound(clock.monotonic() + 5, "curious")
    with caplog.at_level(logging.WARNING, "tornado_cc.outbound"), pytest.raises(AddressRefused):
        await bound.request("http://intranet.example:8080/a?key=secret")
    (record,) = caplog.records
    facts = {name: vars(record)[name] for name in ("plugin", "host", "port", "kind")}
    assert record.getMessage() == "address refused"
    assert facts == {
        "plugin": "curious",
        "host": "intranet.example",
        "port": 8080,
        "kind": "private",
    }
    assert "secret" not in str(vars(record))
    assert "10.0.0.5" not in str(vars(record))


async def test_no_proxy_of_the_environment_makes_the_connections(
    client: HttpClient, canary: Canary, attempts: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    public = "93.184.216.34"
    monkeypatch.setattr("socket.getaddrinfo", Names({"public.example": [public]}).getaddrinfo)
    for name in ("http_proxy", "HTTP_PROXY", "all_proxy", "ALL_PROXY", "https_proxy"):
        monkeypatch.setenv(name, f"http://127.0.0.1:{canary.port}")
    for scheme in ("http", "https"):
        with pytest.raises(ConnectError):
            await client.request(f"{scheme}://public.example/")
    assert attempts == [public, public]
    assert not canary.was_reached()


async def test_a_plugin_with_hosts_reaches_no_others(opened: Opened, wired: Wired) -> None:
    mine, others = await wired(), await wired()
    client = await opened(hosts={"held": hosts(mine.host)})
    held = client.bound(clock.monotonic() + 5, "held")
    assert (await held.request(mine.url)).text == "ok"
    with pytest.raises(AddressRefused, match=r"not among the hosts of \[plugin:held\]"):
        await held.request(others.url)
    assert others.connections == 0
    for plugin in ("free", None):
        free = client.bound(clock.monotonic() + 5, plugin)
        assert (await free.request(others.url)).text == "ok"


async def test_its_redirects_are_held_to_them_too(opened: Opened, wired: Wired) -> None:
    others = await wired()
    mine = await wired(answer(b"", f"Location: {others.url}", status="302 Found"))
    client = await opened(hosts={"held": hosts(mine.host)})
    with pytest.raises(AddressRefused):
        await client.bound(clock.monotonic() + 5, "held").request(mine.url, follow_redirects=True)
    assert others.connections == 0


async def test_hosts_of_a_plugin_open_nothing(
    opened: Opened, canary: Canary, attempts: list[str]
) -> None:
    client = await opened(loopback=False, hosts={"held": hosts("127.0.0.1")})
    with pytest.raises(AddressRefused, match="no public address"):
        await client.bound(clock.monotonic() + 5, "held").request(
            f"http://127.0.0.1:{canary.port}/"
        )
    assert attempts == []


async def test_a_plugin_with_no_hosts_at_all_reaches_nobody(opened: Opened, wired: Wired) -> None:
    wire = await wired()
    client = await opened(hosts={"quiet": hosts("")})
    with pytest.raises(AddressRefused):
        await client.bound(clock.monotonic() + 5, "quiet").request(wire.url)
    assert wire.connections == 0


async def test_a_destination_of_the_conf_is_reached_and_is_no_way_in_for_others(
    opened: Opened, wired: Wired, attempts: list[str]
) -> None:
    wire, beside = await wired(), await wired()
    client = await opened(loopback=False)
    declared = client.declared([f"http://user:pw@{wire.host}/hooks?key=1", "no address"])
    assert (await declared.request(wire.url)).text == "ok"
    # Its connection is kept, and must not be lent to anybody else.
    with pytest.raises(AddressRefused):
        await client.request(wire.url)
    with pytest.raises(AddressRefused):
        await declared.request(beside.url)
    assert (wire.connections, beside.connections, len(attempts)) == (1, 0, 1)
