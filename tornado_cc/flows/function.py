"""A named function: its owner answers, or the first plain hookimpl that takes it for its own."""

from collections.abc import Callable

from tornado_cc.core.call import FunctionCall
from tornado_cc.core.outcome import SILENCE, Outcome, Reply
from tornado_cc.hooks import Fires, Registry


async def run(
    call: FunctionCall,
    accept: Callable[[FunctionCall, object], object],
    registry: Registry,
    runner: Fires,
) -> Outcome:
    """A reply with the value, a refusal, or silence when nobody has that name."""

    for one in registry.who(call.hook, call.claim):
        given = call.given_to(one.plugin, one.settings, one.log)
        fired = await runner.run(one, given, accept)
        if fired.refusal is not None:
            return fired.refusal
        if one.claim is not None or fired.value is not None:
            return Reply(fired.value)
    return SILENCE
