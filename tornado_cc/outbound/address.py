"""Which addresses a request may go to, and the credentials in them (spec parse, section 5)."""

from base64 import b64encode
from urllib.parse import SplitResult, quote, unquote_to_bytes, urlsplit, urlunsplit

from yarl import URL

_SCHEMES = ("http", "https")
_LOW_PORTS = (80, 443)


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


def _split(url: str) -> SplitResult:
    try:
        return urlsplit(url)
    except ValueError:
        raise ValueError("this is not a URL") from None


def _host(name: str) -> str:
    """The name as the name service takes it."""
    try:
        built = URL.build(scheme="http", host=name)
        # What the resolver would do, and fail at, with an error that is not about the network.
        (built.raw_host or "").encode("idna")
    except ValueError:
        raise ValueError("the URL's host is no host's name") from None
    return built.host_subcomponent or ""


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
