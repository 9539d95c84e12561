"""Which addresses are reached, and the credentials in them."""

from base64 import b64decode

import pytest

from tests.outbound.wire import Wire
from tornado_cc.outbound import HttpClient, RequestError
from tornado_cc.outbound.request import prepare

SENSELESS = [
    (None, "missing or not a string"),
    ("", "missing or not a string"),
    (5, "missing or not a string"),
    (b"http://example.org/", "missing or not a string"),
    ("ftp://example.org/", "Unsupported protocol"),
    ("file:///etc/passwd", "Unsupported protocol"),
    ("example.org", "Unsupported protocol"),
    ("//example.org/", "Unsupported protocol"),
    ("http://", "no host"),
    ("http:///path", "no host"),
    ("http://user@/path", "no host"),
    ("http://example.org:81/", "port 81 "),
    ("http://example.org:0/", "port 0 "),
    ("http://example.org:1024/", "port 1024 "),
    ("http://example.org:65536/", "no port"),
    ("http://example.org:http/", "no port"),
    ("http://exam ple.org/", "white space"),
    ("http://example.org/\r\nHost: x", "white space"),
    ("http://[::1/", "not a URL"),
    ("http://[nonsense]/", "not a URL"),
    ("http://ex\u2100mple.org/", "not a URL"),
    ("http://a..b/", "host"),
    ("http://exa<mple/", "host"),
    (f"http://{'a' * 300}.org/", "host"),
    ("http://example.org/\udcff", "UTF-8"),
    ("http://127.0.0.1\\@example.org/", "not a URL"),
    ("http://example.org\\@127.0.0.1/", "not a URL"),
    ("http://[::1].example.org/", "not a URL"),
    ("http://[::1]a:80/", "not a URL"),
    ("http://%65xample.org/", "host"),
    ("http://[fe80::1%25lo]/", "host"),
    ("http://2130706433/", "192.0.2.1"),
    ("http://127.1/", "192.0.2.1"),
    ("http://0x7F.0.0.1/", "192.0.2.1"),
    ("http://0177.0.0.1/", "192.0.2.1"),
    ("http://93.184.216.34./", "192.0.2.1"),
    ("http://a.0x/", "192.0.2.1"),
]


@pytest.mark.parametrize(("url", "says"), SENSELESS)
async def test_an_address_that_leads_nowhere_is_refused(
    client: HttpClient, url: object, says: str
) -> None:
    with pytest.raises(RequestError, match=says):
        await client.request(url)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    "url",
    [
        "http://example.org:80/",
        "https://example.org:443/",
        "http://example.org:1025/",
        "http://example.org:65535/",
        "HTTP://example.org/",
        "http://[::1]:8080/",
        "http://exa_mple/",
        "http://93.184.216.34/",
        "http://1.2.3.example/",
        "http://0x7f.example/",
    ],
)
def test_every_other_port_and_host_is_allowed(url: str) -> None:
    assert prepare(url).url == url.replace("HTTP", "http")


def test_a_host_of_other_letters_is_spelt_for_the_name_service() -> None:
    assert prepare("http://bücher.example:8080/").url == "http://xn--bcher-kva.example:8080/"


def test_a_colon_without_a_port_is_left_out() -> None:
    assert prepare("http://example.org:/a").url == "http://example.org/a"


async def test_a_path_arrives_as_it_was_written(client: HttpClient, wire: Wire) -> None:
    await client.request(f"http://{wire.host}/a%2Fb/../é;x=1?q=%C3%A9&r=é&s=a+b#fragment")
    assert wire.last.target == "/a%2Fb/../%C3%A9;x=1?q=%C3%A9&r=%C3%A9&s=a+b"


@pytest.mark.parametrize(
    ("user_info", "pair"),
    [
        ("user:password", b"user:password"),
        ("user", b"user:"),
        (":password", b":password"),
        ("us%3Aer:p%40ss%2Fw%25rd", b"us:er:p@ss/w%rd"),
        ("J%C3%B6rg:%FF", "Jörg:".encode() + b"\xff"),
        ("Jörg:a@b", "Jörg:a@b".encode()),
    ],
)
async def test_credentials_in_the_address_become_basic_authentication(
    client: HttpClient, wire: Wire, user_info: str, pair: bytes
) -> None:
    await client.request(f"http://{user_info}@{wire.host}/a")
    (authorization,) = wire.last.every("authorization")
    assert authorization.startswith("Basic ")
    assert b64decode(authorization.removeprefix("Basic ")) == pair
    assert wire.last.every("host") == [wire.host]
    assert wire.last.target == "/a"


@pytest.mark.parametrize("name", ["Authorization", "authorization", "AUTHORIZATION"])
async def test_an_authorization_header_wins_over_the_credentials(
    client: HttpClient, wire: Wire, name: str
) -> None:
    await client.request(f"http://a:b@{wire.host}/", headers={name: "Bearer token"})
    assert wire.last.every("authorization") == ["Bearer token"]


@pytest.mark.parametrize("user_info", ["@", ":@"])
async def test_empty_credentials_are_none(client: HttpClient, wire: Wire, user_info: str) -> None:
    await client.request(f"http://{user_info}{wire.host}/")
    assert wire.last.every("authorization") == []


@pytest.mark.parametrize("method", ["GET", "get", "Post", "delete", "PATCH", "PuT", "options"])
async def test_the_method_may_be_in_any_case(client: HttpClient, wire: Wire, method: str) -> None:
    await client.request(wire.url, method=method)
    assert wire.last.method == method.upper()


async def test_the_method_is_get_by_default(client: HttpClient, wire: Wire) -> None:
    await client.request(wire.url)
    assert wire.last.method == "GET"


@pytest.mark.parametrize("method", ["", "GE T", "GET\r\n", "GÉT", None, 5, "CONNECT", "connect"])
async def test_what_is_no_method_is_refused(client: HttpClient, wire: Wire, method: object) -> None:
    with pytest.raises(RequestError, match="HTTP method"):
        await client.request(wire.url, method=method)
    assert wire.connections == 0
