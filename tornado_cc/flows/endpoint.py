"""A custom endpoint: its owner, or the first plain hookimpl that takes it."""

from collections.abc import Callable
from typing import Any

from tornado_cc.core.call import EndpointCall
from tornado_cc.core.outcome import SILENCE, Outcome, Reply
from tornado_cc.hooks import Fires, Registry


async def run(
    call: EndpointCall,
    accept: Callable[[EndpointCall, object], Any],
    registry: Registry,
    runner: Fires,
) -> Outcome:
    """A reply with the response, a refusal, or silence when nobody serves the path."""
    for one in registry.who(call.hook, call.claim):
        given = call.given_to(one.plugin, one.settings, one.log)
        if one.claim is None:
            # None of a plain hookimpl means "not mine", which has no response.
            fired = await runner.run(
                one, given, lambda mine, value: _unless_none(accept, mine, value)
            )
        else:
            fired = await runner.run(one, given, accept)
        if fired.refusal is not None:
            return fired.refusal
        if fired.value is not None:
            return Reply(fired.value)
    return SILENCE


def _unless_none(
    accept: Callable[[EndpointCall, object], Any], given: EndpointCall, value: object
) -> Any:
    return None if value is None else accept(given, value)
