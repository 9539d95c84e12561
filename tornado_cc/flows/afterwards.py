"""After-hooks: the caller is answered once they are promised, then each runs on its own.

An implementation and an object make a lane, so that a hook meets the changes of an object in
their order, and one that fails holds up nobody else.
"""

import logging
from collections.abc import Callable, Sequence
from typing import Any

from tornado_cc.core import json_value
from tornado_cc.core.call import TriggerCall
from tornado_cc.core.message import Headers, Request
from tornado_cc.core.outcome import SILENCE, Outcome, Reply
from tornado_cc.core.record import Record
from tornado_cc.core.redact import Redactor
from tornado_cc.flows.attempt import Attempt, run_once
from tornado_cc.hooks import Fires, Implementation, Registry
from tornado_cc.store import Store, StoreUnavailable
from tornado_cc.store.engine import StatementFailed
from tornado_cc.store.lanes import NewDelivery, lane
from tornado_cc.store.outbox import Claimed

_log = logging.getLogger("tornado_cc.flows")

HOOK = "hook"
"""The kind of delivery that runs one implementation of an after-hook."""

_KEPT = (
    "dialect",
    "hook",
    "claim",
    "user",
    "user_id",
    "client",
    "master",
    "installation_id",
    "context",
    "depth",
    "trigger",
    "class_name",
    "object",
    "original",
    "objects",
    "query",
    "file",
    "params",
)
"""What of a call its after-hooks get back."""


class Afterwards:
    """Promises after-hooks, and runs them when they are due."""

    def __init__(self, store: Store, registry: Registry, runner: Fires, redactor: Redactor) -> None:
        self._store = store
        self._registry = registry
        self._runner = runner
        self._redactor = redactor
        self.wake: Callable[[], None] = lambda: None

    async def add(self, call: TriggerCall) -> Outcome:
        """Promise what a call asks for; silence when no plugin wants it.

        Raises:
            StoreUnavailable: it cannot be promised. Whoever asked may not ask again, so the log
                has what was lost.
        """
        asked = self._registry.who(call.hook, call.claim)
        if not asked:
            return SILENCE
        try:
            await self._store.outbox.add(self.deliveries(call), call.record)
        except (StoreUnavailable, StatementFailed) as error:
            _log_lost(call, asked, error)
            raise
        self.wake()
        return Reply()

    def is_wanted(self, hook: str, class_name: str) -> bool:
        """Whether any plugin has such a hook."""
        return bool(self._registry.who(hook, (class_name,)))

    def deliveries(self, call: TriggerCall) -> list[NewDelivery]:
        """One for each implementation that wants the call."""
        kept = {name: getattr(call, name) for name in _KEPT}
        payload = self._redactor.kept_json(kept).decode()
        object_id = call.object.get("objectId")
        request_id = None if call.record is None else call.record.id
        found = []
        for one in self._registry.who(call.hook, call.claim):
            key = self._registry.key_of(one)
            of_object = f"{one.plugin} {key}|{call.class_name}:{object_id}"
            found.append(
                NewDelivery(
                    kind=HOOK,
                    plugin=one.plugin,
                    target=key,
                    payload=payload,
                    lane=lane(of_object) if isinstance(object_id, str) else None,
                    request_id=request_id,
                )
            )
        return found

    async def run_now(self, call: TriggerCall) -> list[tuple[NewDelivery, Attempt]]:
        """Run what a call asks for at once, one after another; how each ended. Nothing is kept."""
        return [(one, await self.perform(_claimed(one, call))) for one in self.deliveries(call)]

    async def perform(self, claimed: Claimed) -> Attempt:
        """Run one implementation once."""
        one = self._registry.by_key(claimed.plugin, claimed.target)
        if one is None:
            return Attempt(error=f"plugin {claimed.plugin} has no such hook now")
        return await run_once(
            one,
            _call(claimed),
            self._store.players,
            self._runner,
            self._redactor,
            "after-hook refused what has happened",
        )


def _claimed(one: NewDelivery, call: TriggerCall) -> Claimed:
    """A delivery as whoever claims it would have it."""
    return Claimed(
        number=0,
        id=one.id,
        kind=one.kind,
        plugin=one.plugin,
        target=one.target,
        lane=one.lane,
        payload=one.payload,
        request_id=one.request_id,
        attempts=1,
        created_at=0,
        failures=[],
        record=call.record,
    )


def _call(claimed: Claimed) -> TriggerCall:
    kept: dict[str, Any] = json_value.parse(claimed.payload.encode())
    return TriggerCall(
        **{**kept, "claim": tuple(kept["claim"])},
        request=request_of(claimed.record),
        afterwards=True,
        delivery_id=claimed.id,
        attempt=claimed.attempts,
    )


def request_of(record: Record | None) -> Request:
    """The request as it was kept; an empty one when it was not."""
    if record is None:
        return Request("", "", "", Headers(), b"")
    return Request(
        record.method,
        record.path,
        record.query,
        Headers((name, value) for name, value in record.headers),
        record.body or b"",
        record.remote,
    )


def _log_lost(
    call: TriggerCall,
    asked: Sequence[Implementation],
    error: StoreUnavailable | StatementFailed,
) -> None:
    facts = {
        "hook": call.hook,
        "class": call.class_name,
        "object_id": call.object.get("objectId"),
        "plugins": ", ".join(one.plugin for one in asked),
        "cause": error.log if isinstance(error, StoreUnavailable) else str(error),
        # The commit was under way: it may be found there after all.
        "perhaps_kept": isinstance(error, StoreUnavailable) and error.maybe_done,
    }
    _log.error("an after-event was lost", extra=facts)
