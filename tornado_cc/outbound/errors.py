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
        cause: what the network or the library had to say, in words; None when we found the fault.
    """

    def __init__(self, message: str, url: object, cause: str | None = None) -> None:
        self.url = shown(url)
        self.cause = cause
        words = f"{message}: {cause}" if cause else message
        super().__init__(f"{self.url}: {words}")


class RequestError(OutboundError):
    """The request makes no sense and nothing was sent: the address, a header or the body."""


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
