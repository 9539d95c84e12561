"""The function that says hello: the smallest plugin there is."""

from tornado_cc import FunctionCall, Plugin

plugin = Plugin("hello")


@plugin.cloud_function("helloWorld")
async def hello_world(call: FunctionCall) -> str:
    """Answer every caller alike."""
    return "Hello World!"
