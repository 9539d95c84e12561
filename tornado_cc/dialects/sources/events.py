"""Signed events: `POST {mount}/NAME`, verified, read, given to `on_callback`, answered."""

from collections.abc import Iterator, Mapping
from types import MappingProxyType
from typing import Any
from urllib.parse import parse_qsl, quote, unquote

from tornado_cc.core import idempotency, json_value
from tornado_cc.core.call import SOURCE, Call, CallbackCall
from tornado_cc.core.errors import Reason, Refusal
from tornado_cc.core.json_value import NotJson
from tornado_cc.core.message import JSON, Request, Response
from tornado_cc.core.outcome import SILENCE, Outcome, Reply
from tornado_cc.core.ports import Route, Surroundings, Vouched
from tornado_cc.core.record import ACCEPTED
from tornado_cc.core.verdict import Verdict
from tornado_cc.dialects.sources import explain, verify
from tornado_cc.dialects.sources.settings import DialectSettings, SourceSettings
from tornado_cc.dialects.sources.verify import Signed, Source

RAW = "RESPONSE_RAW"
"""Where the flow puts what a hook returned that is no mapping."""

_TEXT = (("Content-Type", "text/plain; charset=utf-8"),)
_FORM = "application/x-www-form-urlencoded"

_STATUS_OF = {
    Reason.BAD_SIGNATURE: 401,
    Reason.UNAUTHORIZED: 401,
    Reason.NO_CREDENTIALS: 401,
    Reason.BAD_TOKEN: 401,
    Reason.NO_USER: 401,
    Reason.DISABLED: 403,
    Reason.UNVERIFIED: 403,
    Reason.PASSWORD_EXPIRED: 401,
    Reason.TOO_MANY: 429,
    Reason.NOT_FOUND: 404,
    Reason.METHOD: 405,
    Reason.TOO_LARGE: 413,
    Reason.TOO_SLOW: 408,
    Reason.HEADERS_TOO_LARGE: 431,
    Reason.IN_PROGRESS: 409,
    Reason.UNAVAILABLE: 503,
    **dict.fromkeys(
        (
            Reason.MALFORMED,
            Reason.REFUSED,
            Reason.NO_OBJECT,
            Reason.TAKEN,
            Reason.INVALID,
            Reason.BAD_LOGIN,
        ),
        400,
    ),
}


class Events:
    """The dialect: a path for each source, and two pure functions, read and write."""

    name = "sources"
    paths: tuple[str, ...] = ()
    hooks = frozenset({"on_callback"})

    def __init__(self, settings: DialectSettings, surroundings: Surroundings) -> None:
        self.mount = settings.mount
        self.max_body = settings.max_body
        self._prefix = settings.mount.rstrip("/") + "/"
        self._sources = {
            name: Source.of(name, one)
            for name, one in surroundings.sections.get(SOURCE, {}).items()
            if isinstance(one, SourceSettings)
        }
        self._explainer = explain.Explainer()
        self.warnings = tuple(self._unserved(surroundings))

    def match(self, method: str, path: str) -> Route:
        """The source whose path this is, with or without a slash at its end."""
        name = unquote(path.removeprefix(self._prefix).removesuffix("/"))
        if not path.startswith(self._prefix) or name not in self._sources:
            return Route("unmatched", "unmatched")
        return Route(f"{self._prefix}{quote(name)}", SOURCE, {SOURCE: name})

    def carries_credentials(self, route: Route, request: Request) -> bool:
        """No: an address that guesses passwords elsewhere must not keep a provider's events out."""
        return False

    def masked(self, path: str) -> str:
        """The path as it is: no credentials stand in it."""
        return path

    def read(
        self, route: Route, request: Request, vouched: Vouched | None = None
    ) -> Call | Response:
        """The call of one event, its signature verified; or the answer to Slack's challenge."""
        source = self._sources.get(route.params.get(SOURCE, ""))
        if source is None:
            raise Refusal("Not found", reason=Reason.NOT_FOUND)
        if request.method != "POST":
            raise Refusal("Method not allowed", reason=Reason.METHOD)
        verdict, found = ACCEPTED, None
        if vouched is None:
            found = self._signed(source, request)
            verdict = self._verdict(source, found)
        data = _data(request)
        if source.scheme.challenge and data.get("type") == "url_verification":
            return _challenged(data)
        return CallbackCall(
            dialect=self.name,
            hook="on_callback",
            claim=(SOURCE, source.name),
            request=request,
            data=MappingProxyType(data),
            idempotency_key=_event_id(source, request, data, found),
            source=source.name,
            verdict=verdict,
        )

    def accept(self, call: Call, value: object) -> object:
        """The script data after one hook, checked for what an answer can be made of."""
        script_data = json_value.checked(value)
        if not isinstance(script_data, dict):
            raise NotJson("script data is not a mapping")
        return script_data

    def write(self, route: Route, call: Call | None, outcome: Outcome) -> Response:
        """200 with what hooks said, nothing when they said nothing; else a status and an error."""
        if outcome is SILENCE:
            return Response(404, json_value.dump({"error": "No plugin serves this source"}))
        if isinstance(outcome, Refusal):
            return _refused(outcome)
        script_data = outcome.value if isinstance(outcome, Reply) else {}
        assert isinstance(script_data, dict)
        said = script_data.get(RAW)
        if isinstance(said, str):
            return Response(200, said.encode(), _TEXT)
        if said is not None or script_data:
            return Response(200, json_value.dump(script_data if said is None else said))
        return Response(200, b"", _TEXT)

    def _signed(self, source: Source, request: Request) -> Signed:
        try:
            return verify.signed(source.scheme, request)
        except Refusal as refusal:
            raise explain.without_header(source.scheme, request, refusal) from None

    def _verdict(self, source: Source, found: Signed) -> str:
        """Which of the secrets signed it."""
        for keys, verdict in zip(source.keys, (Verdict.ACCEPTED, Verdict.PREVIOUS), strict=False):
            if any(found.fits(source.scheme, key) for key in keys):
                off = verify.off_clock(source, found)
                if off is not None:
                    raise off
                return verdict.value
        others = [one for one in self._sources.values() if one is not source]
        raise self._explainer.refusal(source, others, found)

    def _unserved(self, surroundings: Surroundings) -> Iterator[str]:
        """What stands in the conf and no plugin serves, or the other way round."""
        claims = surroundings.claims.of("on_callback")
        named = [claim[1] for claim in claims if len(claim) == 2 and claim[0] == SOURCE]
        for name in self._sources:
            if name not in named and "*" not in named:
                yield f"no plugin says that it serves the source {name}, which [source:{name}] has"
        for name in named:
            if name not in self._sources and name != "*":
                yield f"a plugin serves the source {name}, but [source:{name}] is missing"


def _data(request: Request) -> dict[str, Any]:
    """The JSON object or the form that was posted; of anything else nothing."""
    kind = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    if kind == _FORM:
        return _form(request.body.decode("utf-8", "replace"))
    try:
        value = json_value.parse(request.body)
    except NotJson:
        return {}
    return value if isinstance(value, dict) else {}


def _form(text: str) -> dict[str, Any]:
    grouped: dict[str, list[str]] = {}
    for key, value in parse_qsl(text, keep_blank_values=True, errors="replace"):
        grouped.setdefault(key, []).append(value)
    return {key: values[0] if len(values) == 1 else values for key, values in grouped.items()}


def _event_id(
    source: Source, request: Request, data: Mapping[str, Any], found: Signed | None
) -> str | None:
    """By what a repeat of an event is known; None when it cannot be told from another event.

    An event without an id that is signed for a time is known by all that is signed: what somebody
    has overheard and sends again within the tolerance is not run again.

    Raises:
        Refusal: the id is empty or too long.
    """
    scheme = source.scheme
    key = idempotency.key_of(request, scheme.id)
    if key is not None:
        return key
    value = data.get(scheme.id_field) if scheme.id_field else None
    if isinstance(value, str) and 0 < len(value) <= idempotency.LONGEST:
        return value
    return found.fingerprint(scheme) if found is not None and scheme.is_timed else None


def _challenged(data: Mapping[str, Any]) -> Response:
    value = data.get("challenge")
    if not isinstance(value, str):
        raise Refusal("The challenge is not a text", reason=Reason.MALFORMED)
    return Response(200, json_value.dump({"challenge": value}))


def _refused(refusal: Refusal) -> Response:
    if refusal.reason is Reason.ANSWERED:
        # It was done, only the words are gone: a sender that reads an error would send it for days.
        return Response(200, b"", _TEXT)
    status = _STATUS_OF.get(refusal.reason, 500)
    headers = (*JSON, ("Allow", "POST")) if status == 405 else JSON
    return Response(status, json_value.dump({"error": refusal.message}), headers)
