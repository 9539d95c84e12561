"""Running one implementation of a hook: always within its deadline, always to a value."""

import asyncio
import inspect
import logging
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Protocol, TypeVar

from tornado_cc.core import clock
from tornado_cc.core.call import CURRENT, Call, TriggerCall
from tornado_cc.core.errors import Failure, HookExit, Refusal
from tornado_cc.core.header import BadHeader
from tornado_cc.core.json_value import NotJson
from tornado_cc.core.meter import Meter, Unmetered
from tornado_cc.core.ports import Services
from tornado_cc.hooks.blocking import Blocking, unblocked
from tornado_cc.hooks.eager import EagerTasks, Pair, being_cancelled, to_pair, unpaired
from tornado_cc.hooks.registry import Implementation
from tornado_cc.hooks.specs import App
from tornado_cc.hooks.tasks import PLUGIN, Named, running
from tornado_cc.hooks.threads import ThreadPool
from tornado_cc.settings import HooksSettings

_log = logging.getLogger("tornado_cc.hooks")

_OURS = str(Path(__file__).parent)

C = TypeVar("C", bound=Call | App)


@dataclass(slots=True)
class Fired:
    """How one implementation ended: with a value, or with a refusal (a `Failure` is one)."""

    by: Implementation
    value: Any = field(default=None, repr=False)
    refusal: Refusal | None = None


class Fires(Protocol):
    """What runs implementations: the runner, or somebody in front of it."""

    async def run(
        self, one: Implementation, given: C, settle: Callable[[C, Any], Any] | None = None
    ) -> Fired:
        """Run one implementation on its own copy of the call."""
        ...


class _DeadlinePassed(Exception):
    """Raised to the runner only, never into a plugin."""


class _Unanswerable(Exception):
    """A hook returned what its dialect cannot spell."""


class Runner:
    """Runs implementations one at a time, each awaited before the next is asked."""

    def __init__(
        self, settings: HooksSettings, services: Services, meter: Meter | None = None
    ) -> None:
        self._services = services
        self._meter = meter or Unmetered()
        self._deadline = settings.deadline
        self._deadlines = settings.deadlines
        self._threads = ThreadPool(settings.threads, settings.stuck_threads)
        self._tasks = EagerTasks()
        # A cancelled task that goes on regardless must be held, or it vanishes without a word.
        self._abandoned: set[asyncio.Task[Any]] = set()

    def deadline(self, hook: str, given: Call | App) -> float:
        """Seconds one implementation of this hook may take for this call."""
        own = self._deadlines.get(hook)
        if given.deadline is None:
            return own or self._deadline
        return min(given.deadline, own or given.deadline)

    async def run(
        self,
        one: Implementation,
        given: C,
        settle: Callable[[C, Any], Any] | None = None,
    ) -> Fired:
        """Run one implementation on its own copy of the call.

        Args:
            one: the implementation.
            given: the copy it gets.
            settle: turns (copy, returned value) into the value that counts, where the hook itself
                runs; what it raises is the plugin's failure, because it only raises for what the
                plugin returned.
        """
        started = clock.monotonic()
        seconds = self.deadline(one.hook, given)
        given.services = self._services
        given.until = started + seconds
        try:
            if one.is_async:
                begun = self._begin(one, given, settle)
                pair = begun if isinstance(begun, tuple) else await self._result(begun, seconds)
                value = unpaired(pair)
            else:
                value = await self._of_plain(one, given, settle, seconds)
        except Refusal as refusal:
            return self._ended(one, started, Fired(one, refusal=refusal))
        except _DeadlinePassed:
            log = f"passed its deadline of {seconds:g} s"
            return self._failed(one, started, Failure(log, timed_out=True))
        except _Unanswerable as error:
            return self._failed(one, started, Failure(str(error), error=error.__cause__))
        except asyncio.CancelledError as error:
            if being_cancelled():
                raise
            return self._failed(one, started, Failure("cancelled itself", error=error))
        except BaseException as error:  # noqa: BLE001 - sys.exit() in a plugin included
            failure = Failure(f"raised {type(error).__name__}", error=error)
            return self._failed(one, started, failure)
        return self._ended(one, started, Fired(one, value=value))

    def stuck(self) -> str | None:
        """What is wrong when more threads are stuck than may be."""
        stuck, most = self._threads.stuck, self._threads.most_stuck
        return f"{stuck} are stuck, {most} may be" if stuck > most else None

    def close(self) -> None:
        """End the threads that wait; nothing is run after this."""
        self._threads.close()

    def _begin(
        self, one: Implementation, given: C, settle: Callable[[C, Any], Any] | None
    ) -> Pair | asyncio.Task[Pair]:
        """Begin a coroutine function in a task of its own: what it comes to, or the task."""
        if PLUGIN.get() is not None:
            # A hook led to this, and what it has set in its context holds here too.
            with _made_by(one.plugin):
                work = _awaited(one.function(given), given, settle)
                return asyncio.create_task(to_pair(work))
        work = Named(_begun(one, given, settle, CURRENT.get()), one.plugin)
        return self._tasks.begin(work)

    async def _of_plain(
        self, one: Implementation, given: C, settle: Callable[[C, Any], Any] | None, seconds: float
    ) -> Any:
        """Run a plain function."""
        loop, until = asyncio.get_running_loop(), given.until
        _take_services(given, lambda service: Blocking(service, loop, until))
        with _made_by(one.plugin):
            if one.inline:
                with running(one.plugin):
                    value = _called(one.function, given, settle)
            else:
                value = await self._in_thread(
                    lambda: _called(one.function, given, settle), seconds, nested=_is_nested(given)
                )
            if not isinstance(value, _Later):
                return value
            # What is awaited runs on the loop, where blocking would stop everybody.
            _take_services(given, None)
            task = asyncio.create_task(to_pair(_awaited(value.awaitable, given, settle)))
        return unpaired(await self._result(task, max(until - clock.monotonic(), 0)))

    async def _result(self, task: asyncio.Task[Pair], seconds: float) -> Pair:
        """What a task comes to within so many seconds."""
        try:
            await asyncio.wait({task}, timeout=seconds)
        except asyncio.CancelledError:
            self._abandon(task)
            raise
        if not task.done():
            self._abandon(task)
            raise _DeadlinePassed
        return task.result()

    async def _in_thread(self, function: Callable[[], Any], seconds: float, *, nested: bool) -> Any:
        job = self._threads.submit(function, seconds, nested=nested)
        try:
            await asyncio.wait({job.done}, timeout=seconds)
        except asyncio.CancelledError:
            job.abandon()
            raise
        if not job.done.done():
            job.abandon()
            raise _DeadlinePassed
        return unpaired(job.done.result())

    def _abandon(self, task: asyncio.Task[Any]) -> None:
        """Cancel without waiting: a plugin may swallow the cancellation and go on."""
        task.cancel()
        self._abandoned.add(task)
        task.add_done_callback(self._abandoned.discard)

    def _ended(self, one: Implementation, started: float, fired: Fired) -> Fired:
        seconds = clock.monotonic() - started
        how = "ok" if fired.refusal is None else _how(fired.refusal)
        self._meter.hook_ended(one.plugin, one.hook, how, seconds)
        if _log.isEnabledFor(logging.DEBUG):
            _log.debug("hook fired", extra=_facts(one, seconds, fired.refusal))
        return fired

    def _failed(self, one: Implementation, started: float, failure: Failure) -> Fired:
        seconds = clock.monotonic() - started
        self._meter.hook_ended(one.plugin, one.hook, _how(failure), seconds)
        facts = _facts(one, seconds, failure)
        _leave_out_our_frames(failure.error)
        _log.error("hook failed", exc_info=failure.error, extra={**facts, "cause": failure.log})
        return Fired(one, refusal=failure)


def _take_services(given: Call | App, form: Callable[[Any], Any] | None) -> None:
    """Give a plain hook its services in a form that blocks; or as they are, when it is through."""
    again = form or unblocked
    given.take(form, again)
    if isinstance(given, Call) and given.player is not None:
        given.player = again(given.player)


def _is_nested(given: Call | App) -> bool:
    """Whether a hook's own write led to this call, and waits for it in a thread of the pool."""
    return isinstance(given, TriggerCall) and not given.afterwards and given.depth > 0


def _leave_out_our_frames(error: BaseException | None) -> None:
    """Let the traceback begin in the plugin's own code: that is what its author looks for."""
    trace = error.__traceback__ if error is not None else None
    while trace is not None and trace.tb_frame.f_code.co_filename.startswith(_OURS):
        trace = trace.tb_next
    if error is not None and trace is not None:
        error.__traceback__ = trace


def _how(refusal: Refusal) -> str:
    """How an implementation ended, in the words of a `Meter`."""
    if isinstance(refusal, Failure):
        return "timeout" if refusal.timed_out else "failed"
    return "refused"


def _facts(one: Implementation, seconds: float, refusal: Refusal | None) -> dict[str, Any]:
    """What the log says of a firing; never the call's names, which callers choose."""
    facts: dict[str, Any] = {
        "hook": one.hook,
        "claim": ".".join(one.claim or ()),
        "plugin": one.plugin,
        "distribution": one.distribution,
        "function": one.place,
        "ms": round(seconds * 1000, 3),
    }
    if isinstance(refusal, Failure):
        facts["error_id"] = refusal.error_id
    elif refusal is not None:
        facts["refused"] = True
    return facts


@dataclass(frozen=True, slots=True)
class _Later:
    """What a plain function returned when it returned something to await."""

    awaitable: Awaitable[Any]


def _called(function: Callable[..., Any], given: C, settle: Callable[[C, Any], Any] | None) -> Any:
    try:
        value = function(given)
    except HookExit:
        value = None
    return _Later(value) if inspect.isawaitable(value) else _settled(settle, given, value)


async def _begun(
    one: Implementation, given: C, settle: Callable[[C, Any], Any] | None, call: Call | None
) -> Any:
    """A hook in a task that may have had others before it, and may have others after it."""
    current, plugin = CURRENT.set(call), PLUGIN.set(one.plugin)
    try:
        return _settled(settle, given, await one.function(given))
    finally:
        PLUGIN.reset(plugin)
        CURRENT.reset(current)


@contextmanager
def _made_by(plugin: str) -> Iterator[None]:
    """Have the tasks and threads that are made here be a plugin's."""
    token = PLUGIN.set(plugin)
    try:
        yield
    finally:
        PLUGIN.reset(token)


async def _awaited(
    awaitable: Awaitable[Any], given: C, settle: Callable[[C, Any], Any] | None
) -> Any:
    return _settled(settle, given, await awaitable)


def _settled(settle: Callable[[C, Any], Any] | None, given: C, value: Any) -> Any:
    if settle is None:
        return value
    try:
        return settle(given, value)
    except (NotJson, BadHeader, TypeError) as error:
        raise _Unanswerable(f"returned what cannot be answered: {error}") from error
