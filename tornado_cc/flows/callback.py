"""An external callback: a chain over the script data; returning a value ends it."""

import copy
from collections.abc import Callable, Mapping
from functools import partial
from types import MappingProxyType
from typing import Any

from tornado_cc.core.call import CallbackCall
from tornado_cc.core.outcome import SILENCE, Outcome, Reply
from tornado_cc.hooks import Fires, Registry

Accept = Callable[[CallbackCall, object], Any]

RAW = "RESPONSE_RAW"


async def run(call: CallbackCall, accept: Accept, registry: Registry, runner: Fires) -> Outcome:
    """A reply with the script data, a refusal, or silence when nobody serves the credential.

    A returned mapping is laid over the script data; any other value is the raw answer.
    """
    asked = registry.who(call.hook, call.claim)
    script_data: dict[str, Any] = {}
    for one in asked:
        given = call.given_to(one.plugin, one.settings, one.log)
        given.script_data = copy.deepcopy(script_data)
        # Read-only on the outside, it holds lists; one script must not change what the next reads.
        given.data = MappingProxyType(copy.deepcopy(dict(call.data)))
        fired = await runner.run(one, given, partial(_settle, accept))
        if fired.refusal is not None:
            return fired.refusal
        script_data, ended = fired.value
        if ended:
            break
    return Reply(script_data) if asked else SILENCE


def _settle(accept: Accept, given: CallbackCall, value: Any) -> tuple[Any, bool]:
    if value is None:
        return accept(given, given.script_data), False
    returned = value if isinstance(value, Mapping) else {RAW: value}
    return accept(given, {**given.script_data, **returned}), True
