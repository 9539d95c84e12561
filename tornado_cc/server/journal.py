"""What of an exchange the journal keeps, written when its caller has long been answered.

After-events are the exception: what is kept of them is written with their deliveries, before the
answer, by `flows`.
"""

import asyncio
import logging
from collections.abc import Iterable

from tornado_cc.core import clock
from tornado_cc.core.call import SOURCE, Call, CallbackCall, TriggerCall
from tornado_cc.core.errors import Failure, Reason, Refusal
from tornado_cc.core.message import Request, Response
from tornado_cc.core.outcome import Outcome, Reply
from tornado_cc.core.ports import Dialect, Route
from tornado_cc.core.record import ACCEPTED, Record
from tornado_cc.core.redact import Redactor
from tornado_cc.hooks import Registry
from tornado_cc.settings import JournalSettings
from tornado_cc.store import Requests, StoreUnavailable
from tornado_cc.store.ids import new_ulid

_log = logging.getLogger("tornado_cc.server")

_CREDENTIALS = frozenset(
    {Reason.UNAUTHORIZED, Reason.NO_CREDENTIALS, Reason.BAD_TOKEN, Reason.NO_USER}
)
_REFUSED_A_MINUTE = 300
"""How many refused requests are kept in a minute: a stranger shall not fill the disk."""
_WAITING = 10_000
"""How many records may wait to be written before the oldest is given up."""
_AT_ONCE = 500
_GATHER = 0.1
"""Seconds for which records gather: most requests have ended by then, and are written once."""
_PAUSE = 1.0
_LONGEST = 4096
"""Characters of a header, a path or a query that are kept."""


class Journal:
    """Keeps requests. `start`, then `close`."""

    def __init__(
        self, settings: JournalSettings, requests: Requests, registry: Registry, redactor: Redactor
    ) -> None:
        self._record = settings.record
        self._max_body = settings.max_body
        self._requests = requests
        self._registry = registry
        self._redactor = redactor
        self._waiting: dict[str, Record] = {}
        self._awake = asyncio.Event()
        self._minute = 0.0
        self._refused = 0
        self._lost = 0
        self._task: asyncio.Task[None] | None = None

    def start(self) -> None:
        """Begin to write, on the running loop."""
        self._task = asyncio.get_running_loop().create_task(self._write())

    async def close(self) -> None:
        """Write what is left, if that is possible."""
        if self._task is None:
            return
        self._task.cancel()
        await asyncio.wait({self._task})
        try:
            await self._write_some()
        except StoreUnavailable:
            self._lost += len(self._waiting)
        self._tell_lost()

    def opened(self, dialect: Dialect, route: Route, call: Call) -> Record | None:
        """What is kept of a call that was let in; None when nothing is."""
        if self._record == "none":
            return None
        is_event = isinstance(call, TriggerCall) and call.afterwards
        is_source = isinstance(call, CallbackCall) and bool(call.source)
        if self._record == "events" and not is_event and not is_source:
            return None
        asked = self._registry.who(call.hook, call.claim)
        record = self._made(dialect, route, call.request)
        record.hook = _storable(" ".join((call.hook, ".".join(call.claim))))
        record.plugins = ", ".join(
            dict.fromkeys(f"{one.plugin} {one.version}".strip() for one in asked)
        )
        record.user_id, record.master = call.user_id, call.master
        record.verdict = call.verdict
        if is_event:
            record.outcome = ACCEPTED
        else:
            self._add(record)
        return record

    def ended(
        self, call: Call, outcome: Outcome | None, response: Response, seconds: float
    ) -> None:
        """Note what came of a call."""
        record = call.record
        if record is None or (record.outcome == ACCEPTED and self._record == "events"):
            return
        record.user_id = call.user_id
        self._note(record, outcome, response, seconds)
        self._add(record)

    def wants(self, route: Route, refusal: Refusal) -> bool:
        """Whether a request that made no call is kept."""
        return self._record == "all" or (self._record == "events" and _is_capped(route, refusal))

    def refused(
        self,
        dialect: Dialect,
        route: Route,
        request: Request,
        refusal: Refusal,
        response: Response,
        seconds: float,
    ) -> None:
        """Note a request that made no call: its credentials were refused, or it was malformed."""
        if _is_capped(route, refusal) and not self._has_room():
            return
        record = self._made(dialect, route, request)
        if _is_about_credentials(refusal):
            record.verdict = refusal.verdict or refusal.reason.value
            record.not_replayable = "its credentials were refused"
        self._note(record, refusal, response, seconds)
        self._add(record)

    def _made(self, dialect: Dialect, route: Route, request: Request) -> Record:
        is_whole = len(request.body) <= self._max_body
        shown = request if is_whole else request._replace(body=b"")
        kept = self._redactor.kept_request(shown, dialect.masked(request.path))
        is_whole = is_whole and not _is_long(
            (kept.path, kept.query, *(value for _, value in kept.headers))
        )
        return Record(
            id=new_ulid(),
            received_at=clock.now(),
            dialect=dialect.name,
            method=_storable(request.method),
            route=route.template,
            path=_storable(kept.path),
            query=_storable(kept.query),
            headers=[[_storable(name), _storable(value)] for name, value in kept.headers],
            body=kept.body if is_whole else None,
            size=len(request.body),
            remote=_storable(request.remote),
            not_replayable=_reason(is_whole=is_whole, is_changed=kept.changed),
        )

    def _note(
        self, record: Record, outcome: Outcome | None, response: Response, seconds: float
    ) -> None:
        refusal = outcome if isinstance(outcome, Refusal) else None
        if isinstance(refusal, Failure):
            record.outcome, record.error_id = "failed", refusal.error_id
        elif refusal is not None:
            record.outcome = "refused"
        elif record.outcome is None:
            record.outcome = "replied" if isinstance(outcome, Reply | None) else "silent"
        if refusal is not None:
            record.cause = self._redactor.kept(refusal.log or refusal.message)[:_LONGEST]
        record.status = response.status
        record.ms = round(seconds * 1000, 3)
        if len(response.body) <= self._max_body:
            record.answer = self._redactor.kept_body(response.body)

    def _has_room(self) -> bool:
        """Whether one more refused request may be kept in this minute."""
        now = clock.monotonic()
        if now - self._minute >= 60:
            self._minute, self._refused = now, 0
        self._refused += 1
        return self._refused <= _REFUSED_A_MINUTE

    def _add(self, record: Record) -> None:
        self._waiting[record.id] = record
        if len(self._waiting) > _WAITING:
            del self._waiting[next(iter(self._waiting))]
            self._lost += 1
        self._awake.set()

    async def _write(self) -> None:
        while True:
            await self._awake.wait()
            await asyncio.sleep(_GATHER)
            self._awake.clear()
            try:
                await self._write_some()
                self._tell_lost()
            except StoreUnavailable:
                await asyncio.sleep(_PAUSE)
                self._awake.set()
            except Exception:  # noqa: BLE001 - one record that cannot be written is not the end
                _log.exception("requests could not be kept")
                self._waiting.clear()

    async def _write_some(self) -> None:
        while self._waiting:
            some = list(self._waiting.values())[:_AT_ONCE]
            # What is noted of them from now on is another write.
            for one in some:
                del self._waiting[one.id]
            try:
                await self._requests.keep(some)
            except (StoreUnavailable, asyncio.CancelledError):
                # Whoever ends the task writes what is left; what was written stays as it is.
                self._waiting = {**{one.id: one for one in some}, **self._waiting}
                raise

    def _tell_lost(self) -> None:
        if self._lost:
            _log.error("requests were not kept", extra={"requests": self._lost})
            self._lost = 0


def _is_capped(route: Route, refusal: Refusal) -> bool:
    """Whether a refused request is kept by default, of all of which strangers may send many."""
    return route.kind == SOURCE or _is_about_credentials(refusal)


def _is_about_credentials(refusal: Refusal) -> bool:
    """Whether credentials, or what stands for them in a signed request, were not good."""
    return refusal.reason in _CREDENTIALS or bool(refusal.verdict)


def _reason(*, is_whole: bool, is_changed: bool) -> str | None:
    if not is_whole:
        return "it is larger than what is kept"
    return "a secret was taken out of it" if is_changed else None


def _is_long(texts: Iterable[str]) -> bool:
    return any(len(one) > _LONGEST for one in texts)


def _storable(text: str) -> str:
    """A text that both databases take: no NUL, no lone surrogate, and not without an end."""
    return text[:_LONGEST].replace("\0", "\\0").encode("utf-8", "backslashreplace").decode()
