"""What one implementation works on: copies that nobody else sees."""

from tornado_cc.core.call import TriggerCall
from tornado_cc.core.json_value import clone
from tornado_cc.hooks import Implementation


def copy_for(one: Implementation, call: TriggerCall) -> TriggerCall:
    """The call for one implementation, deep-copied: what it changes late changes no answer."""
    given = call.given_to(one.plugin, one.settings, one.log)
    given.object = clone(call.object)
    given.original = clone(call.original)
    given.objects = clone(call.objects)
    given.user = clone(call.user)
    given.context = clone(call.context)
    given.query = clone(call.query)
    given.file = clone(call.file)
    given.params = clone(call.params)
    return given
