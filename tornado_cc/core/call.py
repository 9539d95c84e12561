"""A call: one request, read by its dialect, as the hooks receive it."""

import logging
import math
from collections.abc import Awaitable, Mapping, MutableMapping
from contextvars import ContextVar
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any, Self

from tornado_cc.core import clock
from tornado_cc.core.message import Request
from tornado_cc.core.record import ACCEPTED, Record
from tornado_cc.core.served import Served

if TYPE_CHECKING:
    from tornado_cc.core.state import Player

SOURCE = "source"
"""What a route to a source is, and the first name of a claim on its events: no credential."""

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


@dataclass(kw_only=True, repr=False, eq=False)
class Call(Served):
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
        idempotency_key: the sender's own id of the request, which its repeats carry too; None when
            it sent none.
        plugin: the plugin this copy of the call was given to.
        settings: that plugin's own settings.
        http: the way out: `await call.http.request(...)`, without `await` in a plain `def` hook.
        store: what is kept: `await call.store.objects("Comment").get(...)`, players and users.
        config: the configuration: `await call.config.get()`.
        webhooks: webhooks to others: `await call.webhooks.send("shop", {...})`.
        parse: the Parse Server, asked in the name of the user who calls:
            `await call.parse.objects("Post").get(...)`.
        mail: mail to anybody: `await call.mail.send(to=..., subject=..., text=...)`.
        jobs: what `later` asks.
        player: the player or user who calls, with what is kept for them; None when unknown.
        depth: how many writes of hooks led to this call; 0 for one that came from outside.
        deadline: seconds each hook may take, where the dialect sets its own.
        verdict: how its credentials were judged, for the journal.
        record: what the journal keeps of the request; None when it keeps nothing.
        delivery_id: of what runs from the outbox, an id that is the same at every attempt.
        attempt: which attempt it is, from 1.
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
    idempotency_key: str | None = None
    plugin: str = ""
    settings: Any = None
    player: "Player | None" = field(default=None, init=False)
    depth: int = 0
    deadline: float | None = None
    verdict: str = ACCEPTED
    record: Record | None = field(default=None, init=False)
    delivery_id: str = ""
    attempt: int = 1
    # The plugin's own logger.
    logger: logging.Logger = field(default=logging.getLogger("tornado_cc.plugin"), init=False)
    # The runner's: the time of the clock at which the hook's deadline passes.
    until: float = field(default=math.inf, init=False)
    # The flows': what is put off while an object is about to be stored, to be stored with it.
    pending: list[Any] | None = field(default=None, init=False)
    # The flows': other players that are saved with the calling one.
    loaded: list[Any] | None = field(default=None, init=False)
    # The redactor's: what to mask in this call's log lines, found once, when the first is written.
    redactions: list[str] | None = field(default=None, init=False)

    def __repr__(self) -> str:
        """The kind of call only: everything else may hold a password or a token."""
        return f"<{type(self).__name__} {self.hook} from {self.dialect}>"

    def given_to(self, plugin: str, settings: Any, log: logging.Logger) -> Self:
        """This call as one implementation gets it; what it assigns stays on its own copy."""
        mine = object.__new__(type(self))
        mine.__dict__ = vars(self).copy()
        mine.plugin = plugin
        mine.settings = settings
        mine.logger = log
        return mine

    def _asking(self) -> "Call":
        return self

    @property
    def log(self) -> CallLog:
        """That plugin's own logger."""
        # Kept here, each would keep the other until the garbage collector comes.
        return CallLog(self.logger, self)

    @log.setter
    def log(self, logger: logging.Logger) -> None:
        self.logger = logger

    @property
    def remaining(self) -> float:
        """Seconds until the hook's deadline passes; 0 when it has."""
        return max(self.until - clock.monotonic(), 0)

    def later(
        self,
        name: str,
        payload: object = None,
        *,
        delay: float | timedelta = 0,
        key: str | None = None,
    ) -> Awaitable[str]:
        """Put a job off: it runs on its own, in the name of this caller, whatever happens here.

        It is on the disk when this returns. In a before-hook of an object that a plugin stores, it
        is stored with the object, or not at all. In a plain `def` hook this blocks.

        Args:
            name: the job, as `@plugin.job` declares it.
            payload: JSON of at most 1 MiB without secrets, the job's `call.params`.
            delay: seconds, or a timedelta, of at most 365 days.
            key: what this plugin knows the job by. It takes the place of a job with the same key
                that waits, and waits for one that runs.

        Returns:
            the id of the delivery, which is the job's `call.delivery_id`.

        Raises:
            ValueError: no plugin has such a job, or payload, delay or key are not allowed.
            StoreUnavailable: it cannot be kept.
        """
        return self.jobs.later(name, payload, delay=delay, key=key)

    def cancel_later(self, key: str) -> Awaitable[None]:
        """Have the job that this plugin put off with a key not run; nothing when none waits.

        One that runs already goes on. In a before-hook of an object that a plugin stores, it is
        done when the object is stored. In a plain `def` hook this blocks.

        Raises:
            ValueError: the key is not allowed.
            StoreUnavailable: it cannot be noted.
        """
        return self.jobs.cancel_later(key)


@dataclass(kw_only=True, repr=False, eq=False)
class FunctionCall(Call):
    """A named function was called.

    Attributes:
        name: the function.
        params: its parameters, JSON.
    """

    name: str
    params: Mapping[str, Any] = field(default_factory=dict)


@dataclass(kw_only=True, repr=False, eq=False)
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


@dataclass(kw_only=True, repr=False, eq=False)
class CallbackCall(Call):
    """An external callback arrived, or the signed event of a source.

    Attributes:
        data: its parameters, read-only: a string, or a list of strings for a repeated name;
            `REQUEST_BODY` is the posted text. Of a source, the JSON object or the form it posted.
        script_data: what the answer is made of; hooks add to it.
        player_id: the player in the URL, None when there is none or nobody knows them.
        player_required: whether an unknown player is refused.
        credential: the credential in the URL; `server` for the default callback.
        source: the source whose signature was verified, as in `[source:NAME]`; empty for callbacks.
    """

    data: Mapping[str, Any] = field(default_factory=dict)
    script_data: dict[str, Any] = field(default_factory=dict)
    player_id: str | None = None
    player_required: bool = False
    credential: str = ""
    source: str = ""


@dataclass(kw_only=True, repr=False, eq=False)
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
        mine = super().given_to(plugin, settings, log)
        mine.web.call = mine
        return mine


@dataclass(kw_only=True, repr=False, eq=False)
class JobCall(Call):
    """A job that was put off is due; `user_id`, `player` and `master` are those of who did.

    Attributes:
        name: the job.
        params: what it was put off with, JSON.
    """

    name: str
    params: Any = None


@dataclass(kw_only=True, repr=False, eq=False)
class ScheduleCall(Call):
    """A schedule is due.

    Attributes:
        name: the schedule.
        due_at: when it was due, in UTC; it runs a little later, or much, when nothing could run.
    """

    name: str
    due_at: datetime


@dataclass(kw_only=True, repr=False, eq=False)
class MailCall(Call):
    """A mail is to be handed over, and the conf names this plugin for it.

    Attributes:
        message: `from`, `to`, `cc`, `bcc`, `reply_to`, `subject`, `text`, `html`, `attachments`.
            An address is a mapping of `name` and `address`, an attachment one of `name`, `type`
            and `content`, in base64. All of it is checked, and JSON.
    """

    message: Mapping[str, Any] = field(default_factory=dict)


CURRENT: ContextVar[Call | None] = ContextVar("tornado_cc_call", default=None)
"""The call being run, for the redactor: its secrets must not reach a log line written meanwhile."""
