"""Before-save hooks; each class is named after what happens to its objects."""

from typing import Any

from tornado_cc import Plugin, Refusal, TriggerCall

plugin = Plugin("saves")


@plugin.before_save("Unchanged")
async def look(call: TriggerCall) -> None:
    dict(call.object)


@plugin.before_save("Shortened")
async def shorten(call: TriggerCall) -> None:
    call.object["comment"] = call.object["comment"][:5]


@plugin.before_save("Stamped")
async def stamp(call: TriggerCall) -> dict[str, Any]:
    return {"stamp": "ok", "updatedAt": "2000-01-01T00:00:00.000Z"}


@plugin.before_save("Stripped")
async def strip(call: TriggerCall) -> None:
    del call.object["secret"]


@plugin.before_save("Counted")
async def count(call: TriggerCall) -> dict[str, Any]:
    return {"saves": {"__op": "Increment", "amount": 1}, "draft": {"__op": "Delete"}}


@plugin.before_save("_User")
async def welcome(call: TriggerCall) -> None:
    call.object["nick"] = call.object["username"].title()


@plugin.before_save("Refused")
async def refuse(call: TriggerCall) -> None:
    call.object["comment"] = "never stored"
    raise Refusal("Say something nicer")


@plugin.before_save("RefusedInSilence")
async def refuse_in_silence(call: TriggerCall) -> None:
    raise Refusal


@plugin.before_save("Raising")
async def fail(call: TriggerCall) -> None:
    raise RuntimeError("broken")


@plugin.before_save("Vetoed")
async def veto_the_wrong_way(call: TriggerCall) -> bool:
    return False


@plugin.before_save("Reserved")
async def reserve(call: TriggerCall) -> dict[str, Any]:
    return {"__mine": 1}
