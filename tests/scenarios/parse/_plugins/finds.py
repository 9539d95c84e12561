"""Find triggers; each class is named after what its hooks do."""

from typing import Any

from tornado_cc import Plugin, Refusal, TriggerCall

plugin = Plugin("finds")


@plugin.parse_trigger("Found", "beforeFind")
@plugin.parse_trigger("Found", "afterFind")
async def look(call: TriggerCall) -> None:
    len(call.objects)


@plugin.parse_trigger("Refused", "beforeFind")
@plugin.parse_trigger("Refused", "afterFind")
async def refuse(call: TriggerCall) -> None:
    raise Refusal("Look elsewhere")


@plugin.parse_trigger("Raising", "beforeFind")
@plugin.parse_trigger("Raising", "afterFind")
async def fail(call: TriggerCall) -> None:
    raise RuntimeError("broken")


@plugin.parse_trigger("Masked", "beforeFind")
async def narrow(call: TriggerCall) -> dict[str, Any]:
    return {"where": {"public": True}}


@plugin.parse_trigger("Masked", "afterFind")
async def mask(call: TriggerCall) -> list[dict[str, Any]]:
    return [{**one, "phone": "hidden"} for one in call.objects]


@plugin.parse_trigger("MaskedInPlace", "afterFind")
async def mask_in_place(call: TriggerCall) -> None:
    for one in call.objects:
        one["phone"] = "hidden"


@plugin.parse_trigger("Nonsense", "afterFind")
async def answer_true(call: TriggerCall) -> bool:
    return True


@plugin.parse_trigger("NonsenseList", "afterFind")
async def answer_names(call: TriggerCall) -> list[str]:
    return ["one", "two"]
