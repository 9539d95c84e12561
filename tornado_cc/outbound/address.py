"""Which addresses a request may go to, and the credentials in them (spec parse, section 5)."""

import re
from base64 import b64encode
from ipaddress import AddressValueError, IPv4Address
from urllib.parse import SplitResult, quote, unquote_to_bytes, urlsplit, urlunsplit

from yarl import URL

_SCHEMES = ("http", "https")
_LOW_PORTS = (80, 443)
_PORTS = {"http": 80, "https": 443}
# A host whose last part looks like this is an IPv4 address to the resolver, one spelling of many.
_NUMBER = re.compile(r"([0-9]+|0[xX][0-9a-fA-F]*)")
_BRACKETED = re.compile(r"\[[^\[\]]*\](:[0-9]*)?")


def check_url(url: object) -> tuple[str, str]:
    """An address without its credentials, and those as Basic authentication takes them.

    The messages quote nothing of the address: what stands where may be half of a password.

    Raises:
        ValueError: not http or https, no host, or a port outside 80, 443 and 1025-65535.
    """
    if not isinstance(url, str) or not url:
        raise ValueError("url is missing or not a string")
    if any(char <= " " or char == "\x7f" for char in url):
        raise ValueError("the URL holds white space or a control character; encode it")
    parts = _split(url)
    if parts.scheme not in _SCHEMES:
        raise ValueError("Unsupported protocol; only http and https")
    if not parts.hostname:
        raise ValueError("the URL has no host")
    host = _host(parts.hostname) + _port(parts)
    path = quote(parts.path or "/", safe="/%:@!$&'()*+,;=~")
    query = quote(parts.query, safe="/?%:@!$&'()*+,;=~")
    return urlunsplit((parts.scheme, host, path, query, "")), _credentials(parts)


def place_of(url: str) -> tuple[str, int]:
    """Host and port of an address that `check_url` made: where a connection is asked for.

    The host is in lower case, without brackets and without a dot at its end.
    """
    parts = urlsplit(url)
    return (parts.hostname or "").rstrip("."), parts.port or _PORTS[parts.scheme]


def _split(url: str) -> SplitResult:
    try:
        parts = urlsplit(url)
    except ValueError:
        raise ValueError("this is not a URL") from None
    place = parts.netloc.rpartition("@")[2]
    # Others read a host up to such a character, or past it: whoever looked at the address before
    # us may have seen another host in it.
    if "\\" in parts.netloc or ("[" in place and not _BRACKETED.fullmatch(place)):
        raise ValueError("this is not a URL")
    return parts


def _host(name: str) -> str:
    """The name as the name service takes it."""
    if "%" in name:
        raise ValueError("the URL's host is no host's name")
    try:
        built = URL.build(scheme="http", host=name)
        # What the resolver would do, and fail at, with an error that is not about the network.
        (built.raw_host or "").encode("idna")
    except ValueError:
        raise ValueError("the URL's host is no host's name") from None
    _check_number(built.raw_host or "")
    return built.host_subcomponent or ""


def _check_number(host: str) -> None:
    """Raise for an IPv4 address in another spelling than the usual one, such as 0x7f.1."""
    if not _NUMBER.fullmatch(host.rstrip(".").rpartition(".")[2]):
        return
    try:
        IPv4Address(host)
    except AddressValueError:
        raise ValueError("the URL's host is a number; write an address as 192.0.2.1") from None


def _port(parts: SplitResult) -> str:
    try:
        port = parts.port
    except ValueError:
        raise ValueError("what follows the URL's host is no port") from None
    if port is None:
        return ""
    if port not in _LOW_PORTS and port < 1025:
        raise ValueError(f"port {port} is not allowed; 80, 443 and 1025-65535 are")
    return f":{port}"


def _credentials(parts: SplitResult) -> str:
    if not parts.username and not parts.password:
        return ""
    pair = unquote_to_bytes(parts.username or "") + b":" + unquote_to_bytes(parts.password or "")
    return b64encode(pair).decode()
