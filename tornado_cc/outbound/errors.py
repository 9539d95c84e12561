"""Why a request to a third party failed: one tree, each error with the address and the cause."""

from typing import TYPE_CHECKING
from urllib.parse import urlsplit

if TYPE_CHECKING:
    from tornado_cc.outbound.response import HttpResponse


def shown(url: object) -> str:
    """An address as it may be logged: user, password, query and fragment may all be secrets."""
    try:
        parts = urlsplit(url if isinstance(url, str) else "")
        port = f":{parts.port}" if parts.port else ""
    except ValueError:
        return "(not a URL)"
    if not parts.hostname:
        return "(not a URL)"
    return f"{parts.scheme}://{parts.hostname}{port}{parts.path}"


class OutboundError(Exception):
    """A request that did not end in an answer below 400.

    No library's exception is chained to it: their texts, arguments and attributes repeat the whole
    address and the headers that were sent.

    Attributes:
        url: where it went, without credentials and query.
        problem: what went wrong, without the address.
        cause: what the network or the library had to say, in words; None when we found the fault.
    """

    def __init__(self, message: str, url: object, cause: str | None = None) -> None:
        self.url = shown(url)
        self.cause = cause
        self.problem = f"{message}: {cause}" if cause else message
        super().__init__(f"{self.url}: {self.problem}")


class RequestError(OutboundError):
    """The request makes no sense and nothing was sent: the address, a header or the body."""


class AddressRefused(OutboundError):
    """The host is not one that may be reached, and nothing was sent.

    It has no public address and `[outbound] allow` opens none, or the plugin's `hosts` are others.
    What its addresses are is not said: a caller might read it, and they are ours.

    Attributes:
        kind: what the address is for, as in `private`, for the log; None when it was not looked at.
    """

    def __init__(self, message: str, url: object, *, kind: str | None = None) -> None:
        self.kind = kind
        super().__init__(message, url)


class CircuitOpen(OutboundError):
    """The host has kept failing and is left alone for a while; nothing was sent.

    Attributes:
        retry_after: seconds after which it is tried again.
    """

    def __init__(self, retry_after: float, url: object) -> None:
        self.retry_after = retry_after
        problem = f"not asked, because it kept failing; it is asked again in {retry_after:.0f} s"
        super().__init__(problem, url)


class ConnectError(OutboundError):
    """No connection: the name, the network, the other side or its certificate."""


class TimeoutExpired(OutboundError):
    """No complete answer in time."""


class ResponseError(OutboundError):
    """The connection broke, or the answer was malformed or too large."""


class TooManyRedirects(ResponseError):
    """More redirects than `[outbound] max_redirects`, or one that leads somewhere worse."""


class HttpError(OutboundError):
    """The other side answered 400 or more.

    Attributes:
        response: the answer, complete.
    """

    def __init__(self, response: "HttpResponse", url: object) -> None:
        self.response = response
        super().__init__(f"answered {response.status}", url)

    @property
    def status(self) -> int:
        """The status of the answer."""
        return self.response.status


class ParseError(OutboundError):
    """A Parse Server said no.

    Attributes:
        code: its own, as in 101; -1 where it gave none, as for a wrong key.
        message: its own words.
        status: the HTTP status.
    """

    def __init__(self, code: int, message: str, *, status: int, url: object) -> None:
        self.code = code
        self.message = message
        self.status = status
        super().__init__(f"the Parse Server refused with code {code}: {message}", url)


class ParseObjectNotFound(ParseError):
    """There is no such object, or it may not be seen or changed by whoever asked (code 101)."""


class ParseInvalidSession(ParseError):
    """The session token is none, or its session has ended (code 209)."""
