"""What one implementation works on: copies that nobody else sees."""

from typing import Any

from tornado_cc.core.call import TriggerCall
from tornado_cc.core.json_value import clone
from tornado_cc.hooks import Implementation


def copy_for(
    one: Implementation, call: TriggerCall, passed: dict[str, Any] | list[Any] | None = None
) -> TriggerCall:
    """The call for one implementation, deep-copied: what it changes late changes no answer.

    `passed` is what the chain passes on, in place of the object or of the objects found.
    """
    given = call.given_to(one.plugin, one.settings, one.log)
    given.object = clone(passed if isinstance(passed, dict) else call.object)
    given.original = clone(call.original)
    given.objects = clone(passed if isinstance(passed, list) else call.objects)
    given.user = clone(call.user)
    given.context = clone(call.context)
    given.query = clone(call.query)
    given.file = clone(call.file)
    given.params = clone(call.params)
    given.pending = None if call.pending is None else []
    return given
