"""After-hooks that do what the object tells them to: none of it may reach the answer."""

from tornado_cc import Plugin, Refusal, TriggerCall

plugin = Plugin("afters")


@plugin.after_save("Comment")
@plugin.after_delete("Comment")
@plugin.parse_trigger("_User", "afterLogin")
@plugin.parse_trigger("_Session", "afterLogout")
async def obey(call: TriggerCall) -> object:
    match call.object.get("do"):
        case "refuse":
            raise Refusal("Too late")
        case "raise":
            raise RuntimeError("broken")
        case "return":
            return {"objectId": "another"}
        case "change":
            call.object["comment"] = "changed"
    return None
