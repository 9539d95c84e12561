"""Changes one field and leaves the others alone, in each way there is."""

from __future__ import annotations

from typing import Any

from tornado_cc import Plugin, TriggerCall

plugin = Plugin("e2e_changing")


@plugin.before_save("Diary")
@plugin.before_save("TallyChanged")
@plugin.before_save("_User")
async def set_in_place(call: TriggerCall) -> None:
    """Set a field of the object."""
    call.object["seen"] = "in place"


@plugin.before_save("Partial")
async def set_by_mapping(call: TriggerCall) -> dict[str, Any]:
    """Return only what is to be set."""
    return {"seen": "by mapping"}


@plugin.before_save("Removal")
@plugin.before_save("RemovalNew")
async def remove(call: TriggerCall) -> None:
    """Take a field away from whatever is to be clean."""
    if call.object["cleaning"]:
        call.object.pop("unwanted", None)


@plugin.before_save("Counted")
async def count(call: TriggerCall) -> dict[str, Any]:
    """Answer with an operation instead of a value."""
    return {"saves": {"__op": "Increment", "amount": 1}}
