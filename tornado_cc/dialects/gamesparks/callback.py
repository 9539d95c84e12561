"""External callbacks as GameSparks took them (spec gamesparks)."""

import secrets
from collections.abc import Container, Iterator
from urllib.parse import unquote

from tornado_cc.core import idempotency, json_value
from tornado_cc.core.call import Call, CallbackCall
from tornado_cc.core.errors import Failure, Reason, Refusal
from tornado_cc.core.json_value import NotJson
from tornado_cc.core.message import Request, Response
from tornado_cc.core.outcome import Outcome, Reply
from tornado_cc.core.ports import Route, Surroundings, Vouched
from tornado_cc.core.redact import MASK, Redactor
from tornado_cc.core.secret import Secret
from tornado_cc.dialects.gamesparks import read, write
from tornado_cc.dialects.gamesparks.paths import SERVER, Path, resolve
from tornado_cc.dialects.gamesparks.settings import CredentialSettings, DialectSettings

# Compared when there is nothing to compare with, so that a guess at a name takes as long. Random,
# because a caller could know a constant.
_NOBODY = Secret(secrets.token_hex(32))


class Callbacks:
    """The dialect: a routing table and two pure functions, read and write."""

    name = "gamesparks"
    paths: tuple[str, ...] = ()
    hooks = frozenset({"on_callback"})

    def __init__(self, settings: DialectSettings, surroundings: Surroundings) -> None:
        self.mount = settings.mount
        self.max_body = 0
        self._prefix = settings.mount.rstrip("/") + "/"
        self._settings = settings
        self._production = surroundings.production
        credentials = surroundings.sections.get("credential", {})
        self._secrets = {
            name: one.secret
            for name, one in credentials.items()
            if isinstance(one, CredentialSettings) and one.callbacks
        }
        self._secrets[SERVER] = settings.server_secret
        known = (settings.api_key, *self._secrets.values())
        self._redactor = Redactor(secret.reveal() for secret in known)
        self.warnings = tuple(self._unreachable(surroundings, credentials))

    def match(self, method: str, path: str) -> Route:
        """The form of the URL: how many parts it has, never what they say."""
        rest = path.removeprefix(self._prefix)
        count = rest.count("/") + 1 if path.startswith(self._prefix) else 0
        template = f"{self._prefix}{'/'.join(['*'] * count)}" if 2 <= count <= 4 else "unmatched"
        return Route(template, "callback")

    def carries_credentials(self, route: Route, request: Request) -> bool:
        """Whether the path has a form that is served: then a secret stands in it."""
        return self._path(request) is not None

    def masked(self, path: str) -> str:
        """The path without its key and its secret; of one that has no form, without anything."""
        parts = path.removeprefix(self._prefix).split("/")
        found = self._resolved(path)
        known = () if found is None else (found.credential, found.player_id or "", "")
        shown = (one if unquote(read.as_sent(one)) in known else MASK for one in parts)
        return self._prefix + "/".join(shown)

    def read(self, route: Route, request: Request, vouched: Vouched | None = None) -> Call:
        """The call of one callback, its secret verified."""
        path = self._path(request)
        if path is None:
            raise Refusal("Not found", reason=Reason.NOT_FOUND)
        if vouched is None and not self._authentic(path):
            raise Refusal("Forbidden", reason=Reason.UNAUTHORIZED, log="wrong callback credentials")
        if request.method not in ("GET", "HEAD", "POST"):
            raise Refusal("Method not allowed", reason=Reason.METHOD)
        return CallbackCall(
            dialect=self.name,
            hook="on_callback",
            claim=(path.credential,),
            request=request,
            data=read.data(request),
            idempotency_key=idempotency.key_of(request, self._settings.idempotency_headers),
            credential=path.credential,
            player_id=path.player_id,
            player_required=self._settings.unknown_player == "404",
        )

    def accept(self, call: Call, value: object) -> object:
        """The script data after one hook, checked for what an answer can be made of."""
        script_data = json_value.checked(value)
        if not isinstance(script_data, dict):
            raise NotJson("script data is not a mapping")
        write.check(script_data)
        return script_data

    def write(self, route: Route, call: Call | None, outcome: Outcome) -> Response:
        """The script data as JSON or raw, with its headers; a callback nobody serves is `{}`."""
        if isinstance(outcome, Refusal):
            return write.refused(outcome, self._detail(call, outcome))
        assert isinstance(call, CallbackCall)
        script_data = outcome.value if isinstance(outcome, Reply) else {}
        assert isinstance(script_data, dict)
        return write.response(call, script_data)

    def _path(self, request: Request) -> Path | None:
        return self._resolved(request.path)

    def _resolved(self, path: str) -> Path | None:
        if not path.startswith(self._prefix):
            return None
        return resolve(
            read.as_sent(path.removeprefix(self._prefix)),
            self._secrets,
            strict=self._settings.strict_trailing_slash,
        )

    def _unreachable(
        self, surroundings: Surroundings, credentials: Container[str]
    ) -> Iterator[str]:
        """What stands in the conf or in a plugin and no URL leads to."""
        if SERVER in credentials:
            yield f"[credential:{SERVER}] counts for nothing: its secret is server_secret"
        for name, *more in surroundings.claims.of("on_callback"):
            # A claim of two names is one on a source.
            if more or name in self._secrets or name == "*":
                continue
            state = "is off" if name in credentials else "is missing"
            yield f"a plugin serves the credential {name}, but [credential:{name}] {state}"

    def _detail(self, call: Call | None, refusal: Refusal) -> str:
        """What a developer may read of a failure: its exception may quote the URL."""
        if self._production or not isinstance(refusal, Failure):
            return ""
        return self._redactor.clean(refusal.detail, call)

    def _authentic(self, path: Path) -> bool:
        """Both comparisons are made whatever the first says."""
        secret = self._secrets.get(path.credential) or _NOBODY
        key = self._settings.api_key or _NOBODY
        return key.matches(path.api_key) & secret.matches(path.secret)
