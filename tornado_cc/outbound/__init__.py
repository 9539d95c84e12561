"""The way out: the one HTTP client. Owns aiohttp."""

from tornado_cc.outbound.errors import (
    ConnectError,
    HttpError,
    OutboundError,
    RequestError,
    ResponseError,
    TimeoutExpired,
    TooManyRedirects,
)
from tornado_cc.outbound.http import HttpClient
from tornado_cc.outbound.response import HttpResponse

__all__ = [
    "ConnectError",
    "HttpClient",
    "HttpError",
    "HttpResponse",
    "OutboundError",
    "RequestError",
    "ResponseError",
    "TimeoutExpired",
    "TooManyRedirects",
]
