"""What plugin authors import, and nothing else."""

from tornado_cc.core.call import Call, CallbackCall, EndpointCall, FunctionCall, TriggerCall
from tornado_cc.core.errors import Refusal
from tornado_cc.core.secret import Secret
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

__all__ = [
    "App",
    "Call",
    "CallbackCall",
    "ConnectError",
    "EndpointCall",
    "Field",
    "FunctionCall",
    "HttpError",
    "HttpResponse",
    "Names",
    "OutboundError",
    "Plugin",
    "Refusal",
    "RequestError",
    "ResponseError",
    "Seconds",
    "Secret",
    "SecretText",
    "Settings",
    "Size",
    "TimeoutExpired",
    "TooManyRedirects",
    "TriggerCall",
    "hookimpl",
    "inline",
]
