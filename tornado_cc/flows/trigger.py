"""Before-hooks and the other triggers a caller waits for: a chain, each fed by the one before."""

import logging
from collections.abc import Callable, Mapping
from functools import partial
from typing import Any

from tornado_cc.core.call import TriggerCall
from tornado_cc.core.errors import Failure, Refusal
from tornado_cc.core.json_value import same
from tornado_cc.core.outcome import SILENCE, Outcome, Reply
from tornado_cc.flows.copies import copy_for
from tornado_cc.hooks import Fired, Fires, Implementation, Registry

_log = logging.getLogger("tornado_cc.flows")

Accept = Callable[[TriggerCall, object], Any]


async def run(call: TriggerCall, accept: Accept, registry: Registry, runner: Fires) -> Outcome:
    """A reply with the object (or the found objects) as the chain left them.

    Each implementation works on its own deep copy, so that one that runs out of time can change
    nothing any more, whatever its thread still does.
    """
    asked = registry.who(call.hook, call.claim)
    settle = _settle_found if call.hook == "parse_trigger" else _settle_object
    current: dict[str, Any] | list[Any] = _subject(call)
    handled = False
    for one in asked:
        given = copy_for(one, call, current)
        fired = await runner.run(one, given, partial(settle, call, accept, current))
        _take_pending(call, given, fired)
        stop = _stop(call, one, fired)
        if stop is not None:
            return stop
        if fired.refusal is not None:
            handled = True
            continue
        left, answered = fired.value
        handled = handled or one.claim is not None or answered or not same(left, current)
        current = left
    return Reply(current) if handled else SILENCE


def _take_pending(call: TriggerCall, given: TriggerCall, fired: Fired) -> None:
    """What an implementation put off counts when it ended well.

    What it puts off after its end is on its own, and does not wait for the object.
    """
    jobs, given.pending = given.pending, None
    if call.pending is not None and jobs and fired.refusal is None:
        call.pending += jobs


def _subject(call: TriggerCall) -> dict[str, Any] | list[Any]:
    """What the chain passes on: the object, or what a find found."""
    return call.objects if call.hook == "parse_trigger" else call.object


def _settle_object(
    call: TriggerCall, accept: Accept, current: Any, given: TriggerCall, value: Any
) -> tuple[Any, bool]:
    """The object after one implementation: as it left it, under what it returned.

    The second value says whether it returned anything: a plain hookimpl that returns `{}` allows
    what it leaves unchanged, and its None means that the class is not its own.
    """
    if value is None and _is_untouched(given.object, current):
        return current, False
    if value is not None and not isinstance(value, Mapping):
        raise TypeError(
            f"{given.hook} returned a {type(value).__name__};"
            " return None, or a mapping of the fields to set"
        )
    return accept(call, {**given.object, **(value or {})}), value is not None


def _is_untouched(left: Any, current: Any) -> bool:
    """Whether a hook changed nothing; what it left may be anything at all."""
    try:
        return same(left, current)
    except TypeError:
        return False


def _settle_found(
    call: TriggerCall, accept: Accept, current: Any, given: TriggerCall, value: Any
) -> tuple[Any, bool]:
    """The found objects after one implementation: what it returned, or the list as it left it."""
    return accept(call, given.objects if value is None else value), value is not None


def _stop(call: TriggerCall, one: Implementation, fired: Fired) -> Refusal | None:
    """The refusal that ends the chain, if this one does."""
    refusal = fired.refusal
    if not isinstance(refusal, Failure):
        return refusal
    if not call.before:
        return None
    if refusal.timed_out and one.on_timeout == "allow":
        _log.warning(
            "allowed without an answer, as the plugin declared",
            extra={"hook": call.hook, "plugin": one.plugin, "error_id": refusal.error_id},
        )
        return None
    return refusal
