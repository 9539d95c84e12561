"""What plugin authors import, and nothing else."""

from tornado_cc.core.call import Call, CallbackCall, EndpointCall, FunctionCall, TriggerCall
from tornado_cc.core.errors import Refusal
from tornado_cc.core.secret import Secret
from tornado_cc.core.state import Player, Session, User
from tornado_cc.hooks import App, Plugin, hookimpl, inline
from tornado_cc.outbound import (
    ConnectError,
    HttpError,
    HttpResponse,
    OutboundError,
    RequestError,
    ResponseError,
    TimeoutExpired,
    TooManyRedirects,
)
from tornado_cc.settings import Field, Names, Seconds, SecretText, Settings, Size
from tornado_cc.store import (
    BadCredentials,
    DuplicateValue,
    IncorrectType,
    InvalidName,
    InvalidQuery,
    InvalidValue,
    ObjectNotFound,
    StoreError,
    StoreUnavailable,
    TooDeep,
    UserDisabled,
)

__all__ = [
    "App",
    "BadCredentials",
    "Call",
    "CallbackCall",
    "ConnectError",
    "DuplicateValue",
    "EndpointCall",
    "Field",
    "FunctionCall",
    "HttpError",
    "HttpResponse",
    "IncorrectType",
    "InvalidName",
    "InvalidQuery",
    "InvalidValue",
    "Names",
    "ObjectNotFound",
    "OutboundError",
    "Player",
    "Plugin",
    "Refusal",
    "RequestError",
    "ResponseError",
    "Seconds",
    "Secret",
    "SecretText",
    "Session",
    "Settings",
    "Size",
    "StoreError",
    "StoreUnavailable",
    "TimeoutExpired",
    "TooDeep",
    "TooManyRedirects",
    "TriggerCall",
    "User",
    "UserDisabled",
    "hookimpl",
    "inline",
]
