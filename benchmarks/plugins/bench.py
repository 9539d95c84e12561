"""The hooks that are measured, one for each scenario; each finishes without waiting."""

from tornado_cc import CallbackCall, FunctionCall, Plugin, TriggerCall
from tornado_cc.skygear import Request

plugin = Plugin("bench")


@plugin.cloud_function("hello")
async def hello(call: FunctionCall) -> str:
    """Answer every caller alike."""
    return "Hello World!"


@plugin.before_save("Review")
async def shorten(call: TriggerCall) -> None:
    """Cut the comment, so that there is a changed object to answer with."""
    call.object["comment"] = call.object["comment"][:137] + "..."


@plugin.on_callback(credential="bench")
async def callback(call: CallbackCall) -> None:
    """Give the parameters back."""
    call.script_data["key"] = call.data["attr1"]
    call.script_data["list"] = call.data["attr2"]


@plugin.handler("query", method=["GET"])
async def query(request: Request) -> dict[str, str | int]:
    """Give the query back."""
    return {"key": request.args["key"], "value": int(request.args["value"])}
