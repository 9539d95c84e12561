"""Functions that end in every way a function can."""

from typing import Any

from tornado_cc import FunctionCall, Plugin, Refusal

plugin = Plugin("functions")


@plugin.cloud_function("hello")
async def hello(call: FunctionCall) -> str:
    return "Hello World!"


@plugin.cloud_function("nothing")
async def nothing(call: FunctionCall) -> None:
    return None


@plugin.cloud_function("echo")
async def echo(call: FunctionCall) -> Any:
    return call.params


@plugin.cloud_function("who")
async def who(call: FunctionCall) -> dict[str, Any]:
    return {
        "user": call.user and call.user["username"],
        "master": call.master,
        "installation": call.installation_id,
        "context": call.context,
    }


@plugin.cloud_function("blocking")
def blocking(call: FunctionCall) -> str:
    return "from a thread"


@plugin.cloud_function("two words/and a slash")
async def oddly_named(call: FunctionCall) -> str:
    return "found"


@plugin.cloud_function("refusing")
async def refusing(call: FunctionCall) -> None:
    raise Refusal("Not today")


@plugin.cloud_function("refusingWithCode")
async def refusing_with_code(call: FunctionCall) -> None:
    raise Refusal("Not today", code=1234)


@plugin.cloud_function("refusingInSilence")
async def refusing_in_silence(call: FunctionCall) -> None:
    raise Refusal("")


@plugin.cloud_function("raising")
async def raising(call: FunctionCall) -> None:
    raise RuntimeError("the password is hunter2")


@plugin.cloud_function("nan")
async def nan(call: FunctionCall) -> float:
    return float("nan")


@plugin.cloud_function("set")
async def set_of_one(call: FunctionCall) -> set[int]:
    return {1}
