"""How an outcome is spelt for a Parse Server: spec parse, section 2, row by row."""

from collections.abc import Mapping
from typing import Any

from tornado_cc.core import json_value
from tornado_cc.core.call import Call, FunctionCall, TriggerCall
from tornado_cc.core.errors import Reason, Refusal
from tornado_cc.core.message import Response
from tornado_cc.core.outcome import SILENCE, Outcome, Reply
from tornado_cc.dialects.parse import objects
from tornado_cc.dialects.parse.settings import DialectSettings

_UNAUTHORIZED = {Reason.UNAUTHORIZED: 401, Reason.NO_CREDENTIALS: 401, Reason.TOO_MANY: 429}


def response(settings: DialectSettings, call: Call | None, outcome: Outcome) -> Response:
    """Always 200 with a JSON object: an error page would count as leave to save."""
    if isinstance(outcome, Refusal):
        return Response(
            _status(settings, outcome.reason), json_value.dump({"error": _error(outcome)})
        )
    if isinstance(call, FunctionCall):
        return Response(200, json_value.dump(_function(outcome)))
    assert isinstance(call, TriggerCall)
    return Response(200, json_value.dump(_trigger(settings, call, outcome)))


def _status(settings: DialectSettings, reason: Reason) -> int:
    if settings.unauthorized_status == 200:
        return 200
    return _UNAUTHORIZED.get(reason, 200)


def _error(refusal: Refusal) -> Any:
    """The message alone, or with the code: today's Parse Servers answer 141 for both."""
    if refusal.code is None:
        return refusal.message
    return {"code": refusal.code, "message": refusal.message}


def _function(outcome: Outcome) -> dict[str, Any]:
    if isinstance(outcome, Reply):
        return {"success": outcome.value}
    return {"error": "Unknown function"}


def _trigger(settings: DialectSettings, call: TriggerCall, outcome: Outcome) -> dict[str, Any]:
    if outcome is SILENCE and call.before:
        return {"error": "Unknown trigger"}
    if not isinstance(outcome, Reply):
        return {}
    if call.hook == "before_save":
        return _before_save(settings, call, outcome.value)
    if call.trigger == "afterFind" and not json_value.same(outcome.value, call.objects):
        return {"success": outcome.value}
    return {}


def _before_save(settings: DialectSettings, call: TriggerCall, final: Any) -> dict[str, Any]:
    assert isinstance(final, Mapping)
    changed = objects.answer(call.object, call.original, final)
    if changed is not None:
        return {"success": changed}
    return {"success": True} if settings.unchanged == "true" else {}
