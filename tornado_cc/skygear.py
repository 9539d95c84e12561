"""What Skygear endpoints import: `from tornado_cc.skygear import Response, current_user_id`."""

from tornado_cc.dialects.skygear.context import (
    current_context,
    current_request_id,
    current_user_id,
)
from tornado_cc.dialects.skygear.errors import SkygearException
from tornado_cc.dialects.skygear.request import Request, Response, redirect
from tornado_cc.dialects.skygear.rest import RestfulResource

__all__ = [
    "Request",
    "Response",
    "RestfulResource",
    "SkygearException",
    "current_context",
    "current_request_id",
    "current_user_id",
    "redirect",
]
