"""The way out: the one HTTP client, and mail. Owns aiohttp and aiosmtplib."""

from tornado_cc.outbound.breaker import Held
from tornado_cc.outbound.errors import (
    AddressRefused,
    CircuitOpen,
    ConnectError,
    HttpError,
    OutboundError,
    ParseError,
    ParseInvalidSession,
    ParseObjectNotFound,
    RequestError,
    ResponseError,
    TimeoutExpired,
    TooManyRedirects,
)
from tornado_cc.outbound.http import HttpClient
from tornado_cc.outbound.mailbox import mailboxes
from tornado_cc.outbound.mime import Mail, mail_of
from tornado_cc.outbound.parse import ParseServer, Rights
from tornado_cc.outbound.parse_objects import CallParse, acting
from tornado_cc.outbound.response import HttpResponse
from tornado_cc.outbound.smtp import MailNotSent, MailServer
from tornado_cc.outbound.unsent import Unsent, UnsentClient

__all__ = [
    "AddressRefused",
    "CallParse",
    "CircuitOpen",
    "ConnectError",
    "Held",
    "HttpClient",
    "HttpError",
    "HttpResponse",
    "Mail",
    "MailNotSent",
    "MailServer",
    "OutboundError",
    "ParseError",
    "ParseInvalidSession",
    "ParseObjectNotFound",
    "ParseServer",
    "RequestError",
    "ResponseError",
    "Rights",
    "TimeoutExpired",
    "TooManyRedirects",
    "Unsent",
    "UnsentClient",
    "acting",
    "mail_of",
    "mailboxes",
]
