"""Jobs: what a hook puts off, and what runs when it is due, in the name of the same caller."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any

from tornado_cc.core import json_value
from tornado_cc.core.call import Call, JobCall
from tornado_cc.core.redact import Redactor
from tornado_cc.core.state import Service
from tornado_cc.flows.afterwards import request_of
from tornado_cc.flows.attempt import Attempt, run_once
from tornado_cc.flows.payload import checked
from tornado_cc.flows.promise import promise
from tornado_cc.hooks import Fires, Registry
from tornado_cc.store import Store
from tornado_cc.store.lanes import NewDelivery, Withdrawal, lane
from tornado_cc.store.outbox import Claimed

JOB = "job"
"""The kind of delivery that runs a job."""

LONGEST_DELAY = timedelta(days=365)

_NOBODY: dict[str, Any] = {"dialect": "store", "user_id": None, "client": "", "master": False}
"""In whose name a plugin puts off that starts or stops."""


class Jobs:
    """Promises jobs, and runs them when they are due."""

    def __init__(self, store: Store, registry: Registry, runner: Fires, redactor: Redactor) -> None:
        self._store = store
        self._registry = registry
        self._runner = runner
        self._redactor = redactor
        self.wake: Callable[[], None] = lambda: None

    async def add(
        self,
        plugin: str,
        origin: Call | None,
        name: str,
        payload: object,
        delay: float | timedelta,
        key: str | None,
    ) -> str:
        """Promise a job and return the id of its delivery.

        While an object is about to be stored it is only put beside it, to be stored with it.

        Args:
            plugin: who puts it off, whose the key is.

        Raises:
            ValueError: no plugin has such a job, or payload, delay or key are not allowed.
            StoreUnavailable: it cannot be promised.
        """
        of_key = None if key is None else self._lane(plugin, key)
        new = self._delivery(origin, name, payload, _seconds(delay), of_key)
        await promise(self._store, self.wake, origin, new)
        return new.id

    async def cancel(self, plugin: str, origin: Call | None, key: str) -> None:
        """Have the job of a key not run, unless it does already; nothing when there is none.

        While an object is about to be stored, it is done with it.

        Raises:
            ValueError: the key is not allowed.
            StoreUnavailable: it cannot be noted.
        """
        withdrawal = Withdrawal(self._lane(plugin, key))
        await promise(self._store, self.wake, origin, withdrawal)

    async def perform(self, claimed: Claimed) -> Attempt:
        """Run one job once."""
        asked = self._registry.who("job", (claimed.target,))
        if not asked:
            return Attempt(error=f"no plugin has a job {claimed.target} now")
        call = _call(claimed)
        opinion = "a job refused, and is not tried again"
        return await run_once(
            asked[0], call, self._store.players, self._runner, self._redactor, opinion
        )

    def _lane(self, plugin: str, key: object) -> str:
        """What the jobs of a key have to themselves, so that one waits and one runs at most."""
        if not isinstance(key, str) or not key:
            raise ValueError(f"the key of a job is a text that is not empty, not {key!r}")
        if self._redactor.kept(key) != key:
            raise ValueError("the key of a job is a secret, which the database must not have")
        return lane(f"{JOB} {plugin}|{key}")

    def _delivery(
        self, origin: Call | None, name: str, payload: object, delay: float, of_key: str | None
    ) -> NewDelivery:
        asked = self._registry.who("job", (name,)) if isinstance(name, str) else ()
        if not asked:
            raise ValueError(f"no plugin has a job {name!r}; @plugin.job declares one")
        kept = dict(_NOBODY)
        if origin is not None:
            kept = {field: getattr(origin, field) for field in _NOBODY}
            # What runs at once belongs to the same chain of writes, which must not go on for ever.
            kept["depth"] = 0 if delay else origin.depth
        kept["params"] = checked(f"job {name} cannot be put off", payload, self._redactor)
        record = None if origin is None else origin.record
        return NewDelivery(
            kind=JOB,
            plugin=asked[0].plugin,
            target=name,
            payload=json_value.dump(kept).decode(),
            lane=of_key,
            delay=delay,
            replaces=of_key is not None,
            request_id=None if record is None else record.id,
        )


class CallJobs(Service):
    """What puts work off, as one hook has it."""

    __slots__ = ("_call", "_jobs", "_plugin")

    def __init__(self, jobs: Jobs, plugin: str, call: Call | None) -> None:
        self._jobs = jobs
        self._plugin = plugin
        self._call = call

    def __repr__(self) -> str:
        return "<Jobs>"

    async def later(
        self,
        name: str,
        payload: object = None,
        *,
        delay: float | timedelta = 0,
        key: str | None = None,
    ) -> str:
        """Have a job run later; see `Call.later`."""
        return await self._jobs.add(self._plugin, self._call, name, payload, delay, key)

    async def cancel_later(self, key: str) -> None:
        """Have a job not run; see `Call.cancel_later`."""
        await self._jobs.cancel(self._plugin, self._call, key)


def _call(claimed: Claimed) -> JobCall:
    kept: dict[str, Any] = json_value.parse(claimed.payload.encode())
    call = JobCall(
        **kept,
        hook="job",
        claim=(claimed.target,),
        name=claimed.target,
        request=request_of(claimed.record),
        delivery_id=claimed.id,
        attempt=claimed.attempts,
    )
    call.record = claimed.record
    return call


def _seconds(delay: object) -> float:
    seconds = delay.total_seconds() if isinstance(delay, timedelta) else delay
    if isinstance(seconds, bool) or not isinstance(seconds, int | float):
        raise ValueError(f"a delay is a number of seconds or a timedelta, not {delay!r}")
    if not 0 <= seconds <= LONGEST_DELAY.total_seconds():
        raise ValueError(f"a delay is 0 to {LONGEST_DELAY.days} days, not {delay!r} seconds")
    return float(seconds)
