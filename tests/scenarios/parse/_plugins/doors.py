"""The triggers that stand at a door: logins, password resets, files, connections, live queries."""

from tornado_cc import Plugin, Refusal, TriggerCall

plugin = Plugin("doors")


@plugin.parse_trigger("_User", "beforeLogin")
@plugin.parse_trigger("_User", "beforePasswordResetRequest")
async def keep_the_banned_out(call: TriggerCall) -> None:
    if call.object.get("banned"):
        raise Refusal("You are banned")


@plugin.parse_trigger("@File", "beforeSave")
async def keep_programs_out(call: TriggerCall) -> None:
    if call.file and call.file["name"].endswith(".exe"):
        raise Refusal("No programs")


@plugin.parse_trigger("@File", "afterSave")
@plugin.parse_trigger("@File", "beforeDelete")
@plugin.parse_trigger("@File", "afterDelete")
async def look_at_the_file(call: TriggerCall) -> bool:
    return call.file is not None


@plugin.parse_trigger("@Connect", "beforeConnect")
async def keep_strangers_out(call: TriggerCall) -> None:
    if call.user is None:
        raise Refusal("Log in first")


@plugin.parse_trigger("Comment", "beforeSubscribe")
@plugin.parse_trigger("Comment", "afterEvent")
async def look(call: TriggerCall) -> None:
    dict(call.object)
