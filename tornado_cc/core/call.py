"""A call: one request, read by its dialect, as the hooks receive it."""

import logging
from collections.abc import Mapping, MutableMapping
from contextvars import ContextVar
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Self, TypeVar, cast

from tornado_cc.core.message import Request

if TYPE_CHECKING:
    from tornado_cc.core.ports import Http
    from tornado_cc.core.state import Config, Player, Store

CALL = "tornado_cc_call"
"""The attribute of a log record that holds the call in which a plugin wrote it."""


class CallLog(logging.LoggerAdapter[logging.Logger]):
    """A plugin's logger within a call: its lines are cleaned of that call's secrets.

    Also in threads and callbacks of the plugin's own, which do not know whose call they serve.
    """

    def __init__(self, logger: logging.Logger, call: "Call") -> None:
        super().__init__(logger)
        self._call = call

    def process(
        self, msg: object, kwargs: MutableMapping[str, Any]
    ) -> tuple[object, MutableMapping[str, Any]]:
        """The line with its call attached."""
        kwargs["extra"] = {**(kwargs.get("extra") or {}), CALL: self._call}
        return msg, kwargs


@dataclass(slots=True, kw_only=True, repr=False, eq=False)
class Call:
    """What every hook is given, whichever dialect the caller spoke.

    Attributes:
        dialect: the dialect's name, as in its conf section.
        hook: the hook this call fires.
        claim: the names by which plugins claim it, for example `("Review",)`.
        request: the exact bytes and headers received.
        user: the calling user, when there is one. A Parse user carries its `sessionToken`.
        user_id: who calls, by the id that all dialects share; None when nobody is known to.
        client: the address of whoever the call is made for: a Parse Server calls for its clients.
        master: whether the caller used the master key.
        bad_credentials: whether a credential was wrong and passed over; it counts as a guess.
        installation_id: the calling installation, when known.
        context: what the caller passed along for hooks to read.
        plugin: the plugin this copy of the call was given to.
        settings: that plugin's own settings.
        log: that plugin's own logger.
        http: the way out: `await call.http.request(...)`, without `await` in a plain `def` hook.
        store: what is kept: `await call.store.objects("Comment").get(...)`, players and users.
        config: the configuration: `await call.config.get()`.
        player: the player or user who calls, with what is kept for them; None when unknown.
        depth: how many writes of hooks led to this call; 0 for one that came from outside.
        deadline: seconds each hook may take, where the dialect sets its own.
    """

    dialect: str
    hook: str
    claim: tuple[str, ...]
    request: Request
    user: Mapping[str, Any] | None = None
    user_id: str | None = None
    client: str = ""
    master: bool = False
    bad_credentials: bool = False
    installation_id: str | None = None
    context: Mapping[str, Any] = field(default_factory=dict)
    plugin: str = ""
    settings: Any = None
    log: logging.Logger | CallLog = field(default=logging.getLogger("tornado_cc.plugin"))
    http: "Http" = field(default=cast("Http", None), init=False)
    store: "Store" = field(default=cast("Store", None), init=False)
    config: "Config" = field(default=cast("Config", None), init=False)
    player: "Player | None" = field(default=None, init=False)
    depth: int = 0
    deadline: float | None = None
    # The redactor's: what to mask in this call's log lines, found once, when the first is written.
    redactions: list[str] | None = field(default=None, init=False)

    def __repr__(self) -> str:
        """The kind of call only: everything else may hold a password or a token."""
        return f"<{type(self).__name__} {self.hook} from {self.dialect}>"

    def given_to(self, plugin: str, settings: Any, log: logging.Logger) -> Self:
        """This call as one implementation gets it; what it assigns stays on its own copy."""
        mine = _copied(self)
        mine.plugin = plugin
        mine.settings = settings
        mine.log = CallLog(log, mine)
        return mine


C = TypeVar("C", bound=Call)


def _copied(call: C) -> C:
    """A shallow copy; `copy.copy` takes ten times as long for a class with slots."""
    mine = object.__new__(type(call))
    for name in call.__dataclass_fields__:
        setattr(mine, name, getattr(call, name))
    return mine


@dataclass(slots=True, kw_only=True, repr=False, eq=False)
class FunctionCall(Call):
    """A named function was called.

    Attributes:
        name: the function.
        params: its parameters, JSON.
    """

    name: str
    params: Mapping[str, Any] = field(default_factory=dict)


@dataclass(slots=True, kw_only=True, repr=False, eq=False)
class TriggerCall(Call):
    """Something is about to happen to an object, or has happened.

    Attributes:
        trigger: the trigger in its dialect's own spelling, for example `beforeSave`.
        class_name: the class of the object; empty when the caller does not say it.
        object: the object as JSON; before a save it may be changed.
        original: the stored object before the change, None on create.
        objects: what a find found; an afterFind hook may empty it (docs/parse.md says why no more).
        query: the query of a find.
        file: the file of a file trigger.
        before: whether the caller waits for leave; a failure then refuses.
        afterwards: whether the caller is answered first and the hooks run after that.
        params: everything the caller said, for triggers that carry more than the above.
    """

    trigger: str
    class_name: str
    object: dict[str, Any] = field(default_factory=dict)
    original: Mapping[str, Any] | None = None
    objects: list[Any] = field(default_factory=list)
    query: Mapping[str, Any] | None = None
    file: Mapping[str, Any] | None = None
    before: bool = False
    afterwards: bool = False
    params: Mapping[str, Any] = field(default_factory=dict)


@dataclass(slots=True, kw_only=True, repr=False, eq=False)
class CallbackCall(Call):
    """An external callback arrived.

    Attributes:
        data: its parameters, read-only: a string, or a list of strings for a repeated name;
            `REQUEST_BODY` is the posted text.
        script_data: what the answer is made of; hooks add to it.
        player_id: the player in the URL, None when there is none or nobody knows them.
        player_required: whether an unknown player is refused.
        credential: the credential in the URL; `server` for the default callback.
    """

    data: Mapping[str, Any] = field(default_factory=dict)
    script_data: dict[str, Any] = field(default_factory=dict)
    player_id: str | None = None
    player_required: bool = False
    credential: str = ""


@dataclass(slots=True, kw_only=True, repr=False, eq=False)
class EndpointCall(Call):
    """A custom endpoint was requested.

    Attributes:
        web: the Werkzeug request its handler is given.
        matched: whether a declared endpoint has this path.
        request_id: the id the answer carries.
        key_required: whether the caller needs a key or a token.
        user_required: whether the caller has to be a user.
        access_key_type: `client`, `master` or None.
        access_token: the token as sent, not looked up yet.
        verification_required: whether a user who is not verified is refused.
        password_days: days after which a password is too old; 0 is never.
    """

    web: Any = None
    matched: bool = True
    request_id: str = ""
    key_required: bool = False
    user_required: bool = False
    access_key_type: str | None = None
    access_token: str | None = None
    verification_required: bool = False
    password_days: int = 0

    def given_to(self, plugin: str, settings: Any, log: logging.Logger) -> Self:
        """This call for one implementation, which its web request leads back to."""
        # super() without arguments needs a cell that a class with slots does not keep.
        mine = Call.given_to(self, plugin, settings, log)
        mine.web.call = mine
        return mine


CURRENT: ContextVar[Call | None] = ContextVar("tornado_cc_call", default=None)
"""The call being run, for the redactor: its secrets must not reach a log line written meanwhile."""
