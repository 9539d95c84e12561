"""Who calls, for code that was not handed the call: `current_user_id()` and its kin."""

from typing import Any

from tornado_cc.core.call import CURRENT, EndpointCall


def _current() -> EndpointCall | None:
    call = CURRENT.get()
    return call if isinstance(call, EndpointCall) else None


def current_user_id() -> str | None:
    """The calling user's id; None for nobody, and outside of a call."""
    call = _current()
    return call.user_id if call else None


def current_request_id() -> str | None:
    """The id that the answer carries as `X-Skygear-Request-Id`; None outside of a call."""
    call = _current()
    return call.request_id if call else None


def current_context() -> dict[str, Any]:
    """User, kind of key and request id, under the original's names; empty outside of a call."""
    call = _current()
    if call is None:
        return {}
    return {
        "user_id": call.user_id,
        "access_key_type": call.access_key_type,
        "request_id": call.request_id,
        "request_tag": "plugin",
    }
