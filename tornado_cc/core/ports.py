"""The protocols by which rooms meet that may not import one another."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any, Protocol

from tornado_cc.core.call import Call
from tornado_cc.core.message import Request, Response
from tornado_cc.core.outcome import Outcome
from tornado_cc.core.parse import Parse
from tornado_cc.core.state import Config, Store, User

Addresses = str | Mapping[str, str] | Sequence[str | Mapping[str, str]]
"""Addresses of mail, as `Mail.send` takes them."""


@dataclass(frozen=True, slots=True)
class Route:
    """Where in a dialect a request arrived.

    `template` names the route in logs and metrics and holds nothing the caller sent.
    """

    template: str
    kind: str
    params: Mapping[str, str] = field(default_factory=dict, repr=False)


@dataclass(frozen=True, slots=True)
class Vouched:
    """Who made a request that was let in once; its credentials were not kept.

    Attributes:
        user_id: in whose name, None for nobody's.
        master: whether with the master's rights.
    """

    user_id: str | None = None
    master: bool = False


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
        raise_for_status: bool = True,
    ) -> Any:
        """Send a request and wait for the whole answer; docs/http.md says the rest."""
        ...


class Jobs(Protocol):
    """What puts work off, as a hook has it: `await call.later(...)`."""

    async def later(
        self,
        name: str,
        payload: object = None,
        *,
        delay: float | timedelta = 0,
        key: str | None = None,
    ) -> str:
        """Have a job run later; see `Call.later`."""
        ...

    async def cancel_later(self, key: str) -> None:
        """Have a job not run; see `Call.cancel_later`."""
        ...


class Webhooks(Protocol):
    """Outgoing webhooks, as a hook has them: `await call.webhooks.send(...)`."""

    @property
    def names(self) -> tuple[str, ...]:
        """Those that the conf has, each a section `[webhook:NAME]`."""
        ...

    async def send(
        self, name: str, payload: object, *, key: str | None = None, event: str | None = None
    ) -> str:
        """Have a webhook sent until its receiver has taken it; docs/http.md says how.

        It is on the disk when this returns. In a before-hook of an object that a plugin stores, it
        is stored with the object, or not at all.

        Args:
            name: the receiver, as in `[webhook:NAME]`.
            payload: JSON of at most 1 MiB without secrets.
            key: those with the same one arrive in their order.
            event: what has happened, as in `review.created`; the payload is then sent as the data
                of an event, with its type and time.

        Returns:
            the id of the delivery, which the receiver gets as `webhook-id`.

        Raises:
            ValueError: the conf has no such webhook, or payload, key or event are not allowed.
            StoreUnavailable: it cannot be kept.
        """
        ...


class Mail(Protocol):
    """Mail, as a hook has it: `await call.mail.send(...)`."""

    @property
    def is_on(self) -> bool:
        """Whether the conf says where mail goes."""
        ...

    async def send(
        self,
        message: Mapping[str, object] | None = None,
        /,
        *,
        from_: Addresses | None = None,
        to: Addresses | None = None,
        cc: Addresses | None = None,
        bcc: Addresses | None = None,
        reply_to: Addresses | None = None,
        subject: str | None = None,
        text: str | None = None,
        html: str | None = None,
        attachments: Sequence[Mapping[str, object]] | None = None,
        **parse: object,
    ) -> str:
        """Have a mail sent until a mail server has taken it; docs/mail.md says how.

        It is on the disk when this returns. In a before-hook of an object that a plugin stores, it
        is stored with the object, or not at all.

        Args:
            message: the same options in a mapping, as Parse.Cloud.sendEmail takes them.
            from_: whom it is from; `[mail] sender` when not given.
            to: whom it goes to: `Name <name@example.com>`, several with commas between, a mapping
                of `name` and `address`, or a list of these.
            cc: who gets it too.
            bcc: who gets it unseen.
            reply_to: whom an answer goes to.
            subject: one line of at most 1000 characters.
            text: what it says; it or `html` has to be there.
            html: the same as HTML.
            attachments: mappings of `name`, `type` and `content`, bytes or a text in base64.
            parse: the spellings `from` and `replyTo`, of `**{"from": ...}`.

        Returns:
            the id of the delivery, which the mail has in its Message-ID.

        Raises:
            ValueError: the conf has no [mail] url, or something in the mail is not allowed.
            StoreUnavailable: it cannot be kept.
        """
        ...


class Services(Protocol):
    """What a hook may use besides its call.

    Attributes:
        config: the configuration.
    """

    config: Config

    def http(self, plugin: str, until: float) -> Http:
        """The client, for a hook of this plugin whose deadline is at this time of the clock."""
        ...

    def store(self, call: Call | None) -> Store:
        """The store, for the hook that got this call; None for one that starts or stops."""
        ...

    def jobs(self, plugin: str, call: Call | None) -> Jobs:
        """What puts work off, for the hook of this plugin that got this call; None as above."""
        ...

    def parse(self, call: Call | None, until: float) -> Parse:
        """The Parse Server, for the hook that got this call and its deadline; None as above."""
        ...

    def webhooks(self, plugin: str, call: Call | None) -> Webhooks:
        """Outgoing webhooks, for the hook of this plugin that got this call; None as above."""
        ...

    def mail(self, plugin: str, call: Call | None) -> Mail:
        """Mail, for the hook of this plugin that got this call; None as above."""
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

    def masked(self, path: str) -> str:
        """A raw path without the credentials that stand in it."""
        ...

    def read(
        self, route: Route, request: Request, vouched: Vouched | None = None
    ) -> Call | Response:
        """The call a request makes, or the answer when no hook has to be asked for it.

        Args:
            vouched: who calls, when that is known already: no credentials are looked at.

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
