"""Calls a Parse Server makes to us: where they arrive, and what they say (spec parse, 1 and 3)."""

from collections.abc import Mapping
from typing import Any
from urllib.parse import unquote

from tornado_cc.core import json_value
from tornado_cc.core.call import Call, FunctionCall, TriggerCall
from tornado_cc.core.errors import Reason, Refusal
from tornado_cc.core.json_value import NotJson
from tornado_cc.core.message import Request, Response
from tornado_cc.core.outcome import Outcome
from tornado_cc.core.ports import Claims, Route, Vouched
from tornado_cc.dialects.parse import objects, triggers, write
from tornado_cc.dialects.parse.manifest import manifest
from tornado_cc.dialects.parse.settings import DialectSettings

KEY_HEADER = "X-Parse-Webhook-Key"

# What the answer is made from. A hook gets copies of these; in `params` it would get the originals.
_COMPARED = frozenset({"object", "original", "objects"})


class ParseWebhooks:
    """The dialect: a routing table and two pure functions, read and write."""

    name = "parse"
    paths: tuple[str, ...] = ()
    hooks = frozenset({"cloud_function", "parse_trigger", *triggers.NAMES})
    warnings: tuple[str, ...] = ()

    def __init__(self, settings: DialectSettings, claims: Claims) -> None:
        self.mount = settings.mount
        self.max_body = settings.max_body
        self._settings = settings
        self._prefix = settings.mount.rstrip("/")
        self._manifest = Route(self.mount, "page")
        self._health = Route(f"{self._prefix}/health", "page")
        self._pages = {
            self._manifest.template: _page(manifest(claims)),
            self._health.template: _page({"status": "ok"}),
        }
        self._hook = Route(self.mount, "hook")
        self._unknown = Route(f"{self._prefix}/*", "unknown")

    def match(self, method: str, path: str) -> Route:
        """The layout of ParseCloud/1.0: functions/NAME, triggers/CLASS/TRIGGER, or by the body."""
        prefix = self._prefix
        if path != prefix and not path.startswith(f"{prefix}/"):
            return self._unknown
        parts = [unquote(part) for part in path[len(prefix) :].split("/")[1:]]
        if parts in ([], [""]):
            return self._manifest if method in ("GET", "HEAD") else self._hook
        if parts == ["health"] and method in ("GET", "HEAD"):
            return self._health
        if len(parts) == 2 and parts[0] == "functions" and parts[1]:
            return Route(f"{prefix}/functions/{{name}}", "hook", {"function": parts[1]})
        if len(parts) == 3 and parts[0] == "triggers" and all(parts):
            named = {"class": parts[1], "trigger": parts[2]}
            return Route(f"{prefix}/triggers/{{class}}/{{trigger}}", "hook", named)
        return self._unknown

    def carries_credentials(self, route: Route, request: Request) -> bool:
        """Whether there is a key to compare, and one to compare it with."""
        asked = bool(self._settings.webhook_key) and route.kind != "page"
        return asked and bool(request.headers.get(KEY_HEADER))

    def masked(self, path: str) -> str:
        """The path itself: the key stands in a header."""
        return path

    def read(
        self, route: Route, request: Request, vouched: Vouched | None = None
    ) -> Call | Response:
        """The call of one webhook. The key is checked before anything the body says is believed."""
        if route.kind == "page":
            return self._pages[route.template]
        key = self._settings.webhook_key
        if vouched is None and key and not key.matches(request.headers.get(KEY_HEADER)):
            raise _unauthorized(is_guess=bool(request.headers.get(KEY_HEADER)))
        if route is self._unknown:
            raise Refusal("Unknown route", reason=Reason.NOT_FOUND)
        if request.method != "POST":
            raise Refusal("Use POST", reason=Reason.METHOD)
        body = _body(request)
        function = _agreed("functionName", route.params.get("function"), body)
        trigger = _agreed("triggerName", route.params.get("trigger"), body)
        if (function is None) == (trigger is None):
            raise _malformed("Name one functionName or one triggerName")
        if function is not None:
            return _function_call(request, body, function)
        assert trigger is not None
        return _trigger_call(request, body, trigger, route.params.get("class"))

    def accept(self, call: Call, value: object) -> object:
        """What a hook returned, as JSON this dialect can spell (spec parse, 2)."""
        if isinstance(call, TriggerCall) and call.hook == "parse_trigger":
            plain = triggers.accept_found(call, value)
        else:
            plain = json_value.checked(value)
            if isinstance(call, TriggerCall):
                objects.check_fields(plain, call.object)
        if len(json_value.dump(plain)) > self.max_body:
            raise NotJson(f"the answer is larger than {self.max_body} bytes")
        return plain

    def write(self, route: Route, call: Call | None, outcome: Outcome) -> Response:
        """The answer: HTTP 200 and a JSON object, whatever happened."""
        return write.response(self._settings, call, outcome)


def _unauthorized(*, is_guess: bool) -> Refusal:
    """The refusal of a wrong key, or of none: the caller is told the same."""
    reason = Reason.UNAUTHORIZED if is_guess else Reason.NO_CREDENTIALS
    log = "wrong webhook key" if is_guess else "no webhook key"
    return Refusal("Request Unauthorized", reason=reason, log=log)


def _page(value: dict[str, Any]) -> Response:
    return Response(200, json_value.dump(value))


def _body(request: Request) -> dict[str, Any]:
    try:
        body = json_value.parse(request.body)
    except NotJson as error:
        raise _malformed(f"The body is {error}") from None
    if not isinstance(body, dict):
        raise _malformed("The body is not a JSON object")
    return body


def _malformed(message: str) -> Refusal:
    return Refusal(message, reason=Reason.MALFORMED)


def _agreed(key: str, from_path: str | None, body: Mapping[str, Any]) -> str | None:
    """A name that path and body may both say: then they have to agree."""
    from_body = body.get(key)
    if from_body is not None and not (isinstance(from_body, str) and from_body):
        raise _malformed(f"{key} is not a name")
    if from_path and from_body and from_path != from_body:
        raise _malformed(f"The path and the body name a different {key}")
    return from_body or from_path


def _common(request: Request, body: Mapping[str, Any]) -> dict[str, Any]:
    installation = body.get("installationId")
    user = _mapping(body, "user")
    user_id = (user or {}).get("objectId")
    return {
        "dialect": ParseWebhooks.name,
        "request": request,
        "user": user,
        "user_id": user_id if isinstance(user_id, str) else None,
        "client": ip if isinstance(ip := body.get("ip"), str) else "",
        "master": body.get("master") is True,
        "installation_id": installation if isinstance(installation, str) else None,
        "context": _mapping(body, "context") or {},
    }


def _mapping(body: Mapping[str, Any], key: str) -> dict[str, Any] | None:
    value = body.get(key)
    if value is not None and not isinstance(value, dict):
        raise _malformed(f"{key} is not a JSON object")
    return value


def _function_call(request: Request, body: Mapping[str, Any], name: str) -> FunctionCall:
    return FunctionCall(
        **_common(request, body),
        hook="cloud_function",
        claim=(name,),
        name=name,
        params=_mapping(body, "params") or {},
    )


def _trigger_call(
    request: Request, body: Mapping[str, Any], trigger: str, from_path: str | None
) -> TriggerCall:
    subject = _mapping(body, "object")
    class_name = _agreed("className", from_path, subject or {}) or triggers.class_of(trigger, body)
    hook = triggers.hook_of(class_name, trigger)
    if hook != "parse_trigger" and subject is None:
        raise _malformed(f"A {trigger} without an object")
    found = body.get("objects")
    return TriggerCall(
        **_common(request, body),
        hook=hook,
        claim=(class_name,) if hook != "parse_trigger" else (class_name, trigger),
        trigger=trigger,
        class_name=class_name,
        object=subject or {},
        original=_mapping(body, "original"),
        objects=found if isinstance(found, list) else [],
        query=_mapping(body, "query"),
        file=_mapping(body, "file"),
        before=triggers.is_before(trigger),
        afterwards=triggers.is_answered_first(trigger),
        params={key: value for key, value in body.items() if key not in _COMPARED},
    )
