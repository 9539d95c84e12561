"""Plugins that take the events of sources."""

from tornado_cc import CallbackCall, Plugin, Refusal

plugin = Plugin("taking")


@plugin.on_callback(source="github")
async def pushed(call: CallbackCall) -> None:
    call.script_data["source"] = call.source
    call.script_data["event"] = call.request.headers.get("X-GitHub-Event")
    call.script_data["data"] = dict(call.data)
    call.script_data["bytes"] = len(call.request.body)


@plugin.on_callback(source="shop")
async def ordered(call: CallbackCall) -> object:
    match call.data.get("do"):
        case "refuse":
            raise Refusal("This shop is closed")
        case "later":
            raise Refusal("Not now", retry_after=60)
        case "fail":
            raise ValueError("no")
        case "say":
            return "thanks"
        case "list":
            return [1, 2]
    return None


@plugin.on_callback(source="*", trylast=True)
async def audited(call: CallbackCall) -> None:
    call.log.info("event", extra={"source": call.source})
