"""The protocols by which rooms meet that may not import one another."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Protocol

from tornado_cc.core.call import Call
from tornado_cc.core.message import Request, Response
from tornado_cc.core.outcome import Outcome


@dataclass(frozen=True, slots=True)
class Route:
    """Where in a dialect a request arrived.

    `template` names the route in logs and metrics and holds nothing the caller sent. A route with
    an `answer` is complete: no hook is asked and no body is read for it.
    """

    template: str
    kind: str
    params: Mapping[str, str] = field(default_factory=dict, repr=False)
    answer: Response | None = None


@dataclass(frozen=True, slots=True)
class Claims:
    """What the installed plugins declared by name: hook to claims, in the order they are asked."""

    by_hook: Mapping[str, Sequence[tuple[str, ...]]]

    def of(self, hook: str) -> Sequence[tuple[str, ...]]:
        """The claims on one hook."""
        return self.by_hook.get(hook, ())


class Dialect(Protocol):
    """A routing table and two pure functions; it touches no network, no disk and no plugin."""

    name: str
    mount: str
    max_body: int

    def match(self, method: str, path: str) -> Route:
        """Where a raw path leads. Total: a path that leads nowhere is a route too."""
        ...

    def read(self, route: Route, request: Request) -> Call:
        """The call a request makes.

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
