"""Custom HTTP endpoints as Skygear served them (spec skygear)."""

import uuid
from collections.abc import Iterator
from dataclasses import dataclass
from functools import partial
from html import escape

from tornado_cc.core import idempotency, json_value
from tornado_cc.core.call import Call, EndpointCall
from tornado_cc.core.errors import Reason, Refusal
from tornado_cc.core.message import Request, Response
from tornado_cc.core.outcome import Outcome, Reply
from tornado_cc.core.ports import Route, Surroundings, Vouched
from tornado_cc.core.redact import Redactor
from tornado_cc.dialects.skygear import write
from tornado_cc.dialects.skygear.paths import Table, location
from tornado_cc.dialects.skygear.request import Request as WebRequest
from tornado_cc.dialects.skygear.request import web_request
from tornado_cc.dialects.skygear.settings import DialectSettings
from tornado_cc.settings import secrets_in

KEY_HEADER = "X-Skygear-API-Key"
TOKEN_HEADER = "X-Skygear-Access-Token"  # noqa: S105 - the name of a header
SERVER = "Skygear Server/1.7.3"
HOOK = "http_endpoint"
_PARSE_KEY = "X-Parse-Webhook-Key"
_ASKING = ("GET", "HEAD", "OPTIONS")


@dataclass(frozen=True, slots=True)
class Credentials:
    """What a request carries; `bad_key` is the key that is none of ours."""

    access_key_type: str | None
    bad_key: str | None
    token: str | None


class Endpoints:
    """The dialect: a routing table and two pure functions, read and write."""

    name = "skygear"
    hooks = frozenset({HOOK})

    def __init__(self, settings: DialectSettings, surroundings: Surroundings) -> None:
        self.mount = settings.mount
        self.max_body = 0
        self._prefix = settings.mount.rstrip("/")
        self._settings = settings
        self._production = surroundings.production
        self._redactor = Redactor(secret.reveal() for secret in secrets_in(settings))
        self._home = settings.unmatched == "home" or (
            settings.unmatched == "auto" and surroundings.alone
        )
        self.warnings = tuple(_warnings(settings, surroundings))
        claims = surroundings.claims
        self._methods: dict[str, dict[str, dict[str, object]]] = {}
        for path, method in claims.of(HOOK):
            options = claims.options_of(HOOK, (path, method))
            self._methods.setdefault(path, {})[method] = dict(options)
        self._table = Table(self._methods, self._prefix)
        self.paths = tuple(self._prefix + path for path in self._methods)

    def match(self, method: str, path: str) -> Route:
        """The rules of Go's ServeMux, then the method; credentials come after both."""
        if method == "OPTIONS" and self._settings.cors_origin:
            return Route(f"{self.mount} (preflight)", "preflight")
        found = self._table.resolve(path)
        if found.moved:
            return Route(f"{self.mount} (redirect)", "redirect", {"to": found.path})
        if found.pattern is None:
            return Route("unmatched", "unmatched", {"pattern": found.path, "method": method})
        template = f"{self._prefix}{found.pattern}"
        if method not in self._methods[found.pattern]:
            return Route(template, "method")
        return Route(template, "endpoint", {"pattern": found.pattern, "method": method})

    def carries_credentials(self, route: Route, request: Request) -> bool:
        """Whether a key or a token would be looked at: not where no endpoint is asked."""
        if route.kind not in ("endpoint", "unmatched"):
            return False
        given = self._credentials(request, web_request(request, self._prefix))
        return (given.access_key_type or given.bad_key or given.token) is not None

    def masked(self, path: str) -> str:
        """The path itself: keys and tokens stand in headers or in the query."""
        return path

    def read(
        self, route: Route, request: Request, vouched: Vouched | None = None
    ) -> Call | Response:
        """The call of an endpoint, its key checked, or the answer where no endpoint is asked."""
        if route.kind == "preflight":
            return self._dressed(self._preflight(request))
        if route.kind == "redirect":
            return self._dressed(self._redirect(route, request))
        if route.kind == "method":
            raise Refusal("route unmatched", reason=Reason.NOT_FOUND)
        pattern, method = route.params["pattern"], route.params["method"]
        options = self._methods.get(pattern, {}).get(method, {})
        web = web_request(request, self._prefix)
        given = self._credentials(request, web) if vouched is None else _vouched(vouched)
        user_required = bool(options.get("user_required"))
        key_required = user_required or bool(options.get("key_required"))
        if key_required:
            _demand(given)
        call = EndpointCall(
            dialect=self.name,
            hook=HOOK,
            claim=(pattern, method),
            request=request,
            idempotency_key=self._idempotency_key(request),
            deadline=self._settings.response_timeout,
            matched=route.kind == "endpoint",
            web=web,
            request_id=str(uuid.uuid4()),
            access_key_type=given.access_key_type,
            # A bad key stops soft authentication, token and all (row 78).
            access_token=given.token if given.bad_key is None else None,
            bad_credentials=given.bad_key is not None,
            master=given.access_key_type == "master",
            key_required=key_required,
            user_required=user_required,
            verification_required=self._settings.verification_required,
            password_days=self._settings.password_days,
        )
        if vouched is not None:
            call.user_id = vouched.user_id
        web.call = call
        return call

    def accept(self, call: Call, value: object) -> object:
        """The response that a return value stands for."""
        return write.returned(value)

    def write(self, route: Route, call: Call | None, outcome: Outcome) -> Response:
        """The handler's response, an error envelope, or the answer of an unmatched path."""
        request_id = call.request_id if isinstance(call, EndpointCall) else str(uuid.uuid4())
        return self._dressed(self._spelt(call, outcome), request_id)

    def _spelt(self, call: Call | None, outcome: Outcome) -> Response:
        if isinstance(outcome, Refusal):
            clean = None if self._production else partial(self._redactor.clean, call=call)
            return write.refused(outcome, clean, with_traceback=self._settings.traceback)
        if isinstance(outcome, Reply):
            assert isinstance(outcome.value, Response)
            return outcome.value
        assert call is not None
        return self._unmatched(call.request)

    def _unmatched(self, request: Request) -> Response:
        """What the original's router said to a path it did not know (section 1, rule 5)."""
        if not self._home or _PARSE_KEY in request.headers:
            return write.unmatched()
        body: object = {}
        if request.body:
            try:
                body = json_value.parse(request.body)
            except json_value.NotJson:
                return Response(400, b"", write.TEXT)
        if not isinstance(body, dict):
            return Response(400, b"", write.TEXT)
        return write.unmatched() if "action" in body else write.home()

    def _credentials(self, request: Request, web: WebRequest) -> Credentials:
        key = _last(request, KEY_HEADER) or web.args.get("api_key")
        token = _last(request, TOKEN_HEADER) or web.args.get("access_token") or None
        if not key:
            return Credentials(None, None, token)
        kinds = {"client": self._settings.api_key, "master": self._settings.master_key}
        found = [kind for kind, secret in kinds.items() if secret and secret.matches(key)]
        return Credentials(found[-1] if found else None, None if found else key, token)

    def _idempotency_key(self, request: Request) -> str | None:
        """The sender's id of a request; one that only asks may be asked again."""
        if request.method in _ASKING:
            return None
        return idempotency.key_of(request, self._settings.idempotency_headers)

    def _preflight(self, request: Request) -> Response:
        asked = {
            "Access-Control-Allow-Methods": "Access-Control-Request-Method",
            "Access-Control-Allow-Headers": "Access-Control-Request-Headers",
        }
        echoed = [
            (name, request.headers[source])
            for name, source in asked.items()
            if source in request.headers
        ]
        return Response(200, b"", (*write.TEXT, *echoed))

    def _redirect(self, route: Route, request: Request) -> Response:
        target = location(self._prefix, route.params["to"], request.query)
        headers: tuple[tuple[str, str], ...] = (("Location", target),)
        if request.method not in ("GET", "HEAD"):
            return Response(301, b"", headers)
        text = f'<a href="{escape(target)}">Moved Permanently</a>.\n\n'
        headers += (("Content-Type", "text/html; charset=utf-8"),)
        return Response(301, text.encode(), headers)

    def _dressed(self, response: Response, request_id: str | None = None) -> Response:
        """The headers every answer of the original had, under those of the endpoint."""
        own = {name.lower() for name, _ in response.headers}
        common = [
            ("Server", SERVER),
            ("X-Skygear-Request-Id", request_id or str(uuid.uuid4())),
        ]
        if self._settings.cors_origin:
            common.append(("Access-Control-Allow-Origin", self._settings.cors_origin))
            common.append(("Access-Control-Allow-Credentials", "true"))
        added = tuple(pair for pair in common if pair[0].lower() not in own)
        return response._replace(headers=(*response.headers, *added))


def _warnings(settings: DialectSettings, surroundings: Surroundings) -> Iterator[str]:
    """What is allowed and hardly meant."""
    api_key, master_key = settings.api_key, settings.master_key
    if api_key and master_key and api_key.matches(master_key.reveal()):
        yield "api_key and master_key are the same, so every client has the master's rights"
    if settings.unmatched == "home" and not surroundings.alone:
        yield "unmatched = home answers 200 to a mistyped URL of another dialect"
    if settings.traceback and surroundings.production:
        yield "traceback = on has no effect in production"


def _vouched(vouched: Vouched) -> Credentials:
    return Credentials("master" if vouched.master else "client", None, None)


def _last(request: Request, header: str) -> str:
    """The last value of a header: the one that the endpoint sees."""
    return next(reversed(request.headers.get_all(header)), "")


def _demand(given: Credentials) -> None:
    """The checks of `key_required` that need no store; the token itself is looked up later."""
    if given.bad_key is not None:
        message = f"Cannot verify api key: `{given.bad_key}`"
        raise Refusal(message, reason=Reason.UNAUTHORIZED, log="wrong api key")
    if given.access_key_type is None and given.token is None:
        raise Refusal("no credentials", reason=Reason.NO_CREDENTIALS)
