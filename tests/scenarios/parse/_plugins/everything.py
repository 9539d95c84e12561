"""Every class that is sent to us: `*` takes nothing away from those who name theirs."""

from tornado_cc import Plugin, Refusal, TriggerCall

plugin = Plugin("everything")


@plugin.before_delete("*")
async def mind_the_lock(call: TriggerCall) -> None:
    if call.object.get("locked"):
        raise Refusal("Locked")
