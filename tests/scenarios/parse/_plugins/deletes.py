"""Before-delete hooks."""

from tornado_cc import Plugin, Refusal, TriggerCall

plugin = Plugin("deletes")


@plugin.before_delete("Deletable")
async def let_go(call: TriggerCall) -> dict[str, str]:
    return {"comment": "a Parse Server ignores this"}


@plugin.before_delete("Kept")
async def keep(call: TriggerCall) -> None:
    raise Refusal("This one stays")


@plugin.before_delete("Raising")
async def fail(call: TriggerCall) -> None:
    raise RuntimeError("broken")
