"""The protocols by which rooms meet that may not import one another."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol

from tornado_cc.core.call import Call
from tornado_cc.core.message import Request, Response
from tornado_cc.core.outcome import Outcome
from tornado_cc.core.state import Config, Store, User


@dataclass(frozen=True, slots=True)
class Route:
    """Where in a dialect a request arrived.

    `template` names the route in logs and metrics and holds nothing the caller sent.
    """

    template: str
    kind: str
    params: Mapping[str, str] = field(default_factory=dict, repr=False)


@dataclass(frozen=True, slots=True)
class Claims:
    """What the installed plugins declared by name: hook to claims, in the order they are asked.

    `options` holds what a declaration said besides its name, by hook and claim.
    """

    by_hook: Mapping[str, Sequence[tuple[str, ...]]]
    options: Mapping[tuple[str, tuple[str, ...]], Mapping[str, Any]] = field(default_factory=dict)

    def of(self, hook: str) -> Sequence[tuple[str, ...]]:
        """The claims on one hook."""
        return self.by_hook.get(hook, ())

    def options_of(self, hook: str, claim: tuple[str, ...]) -> Mapping[str, Any]:
        """What one declaration said besides its name."""
        return self.options.get((hook, claim), {})


@dataclass(frozen=True, slots=True)
class Surroundings:
    """What a dialect is built into.

    Attributes:
        claims: what the plugins declared.
        production: whether answers must hide what only developers may see.
        alone: whether no other dialect is on.
        sections: the settings of the further sections the dialect asked for, by prefix and name.
    """

    claims: Claims
    production: bool = False
    alone: bool = True
    sections: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)


class Users(Protocol):
    """Who is who: filled by the store."""

    async def by_token(self, token: str) -> User | None:
        """Whose access token this is; None for an unknown, expired or revoked one."""
        ...


class Http(Protocol):
    """The way out, as a hook has it: `await call.http.request(...)`."""

    async def request(
        self,
        url: str,
        *,
        method: str = "GET",
        params: Mapping[str, Any] | str | None = None,
        headers: Mapping[str, Any] | None = None,
        body: object = None,
        follow_redirects: bool = False,
        timeout: float | None = None,  # noqa: ASYNC109 - a limit the caller states
    ) -> Any:
        """Send a request and wait for the whole answer; docs/http.md says the rest."""
        ...


class Services(Protocol):
    """What a hook may use besides its call.

    Attributes:
        config: the configuration.
    """

    config: Config

    def http(self, until: float) -> Http:
        """The client, for a hook whose deadline is at this time of the clock."""
        ...

    def store(self, call: Call | None) -> Store:
        """The store, for the hook that got this call; None for one that starts or stops."""
        ...


class Dialect(Protocol):
    """A routing table and two pure functions; it touches no network, no disk and no plugin.

    Attributes:
        name: as in the conf section.
        mount: the path below which it answers.
        max_body: bytes; 0 is the server's own limit.
        paths: the paths it serves, where plugins choose them: none may lie in another's mount.
        hooks: the hooks its calls fire.
        warnings: what an operator should know about its settings and plugins at the start.
    """

    name: str
    mount: str
    max_body: int
    paths: tuple[str, ...]
    hooks: frozenset[str]
    warnings: tuple[str, ...]

    def match(self, method: str, path: str) -> Route:
        """Where a raw path leads. Total: a path that leads nowhere is a route too."""
        ...

    def carries_credentials(self, route: Route, request: Request) -> bool:
        """Whether the answer could tell a guess from a hit.

        An address that has been guessing is refused where it could, before `read`.
        """
        ...

    def read(self, route: Route, request: Request) -> Call | Response:
        """The call a request makes, or the answer when no hook has to be asked for it.

        Raises:
            Refusal: no such route or method, a wrong key, a body that cannot be read.
        """
        ...

    def accept(self, call: Call, value: object) -> object:
        """What a hook returned or left behind, checked and copied for this dialect's answer.

        Raises:
            NotJson: this dialect cannot spell the value.
        """
        ...

    def write(self, route: Route, call: Call | None, outcome: Outcome) -> Response:
        """The answer in this dialect's spelling; `call` is None when there was none to run."""
        ...
