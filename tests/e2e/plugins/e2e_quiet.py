"""Looks at everything and changes nothing: what the Parse Server must not notice."""

from __future__ import annotations

from typing import Any

from tornado_cc import FunctionCall, Plugin, TriggerCall

plugin = Plugin("e2e_quiet")


@plugin.before_save("Typed")
@plugin.before_save("Tally")
@plugin.before_save("Locked")
async def look_before(call: TriggerCall) -> None:
    """Read the object, as a plugin that only checks it does."""
    dict(call.object)


@plugin.after_save("Typed")
async def look_after(call: TriggerCall) -> None:
    """Read the object once it is stored."""
    dict(call.object)


@plugin.cloud_function("lockedFunction")
async def locked(call: FunctionCall) -> str:
    """Answer something that only the right webhook key may learn."""
    return "a secret"


@plugin.cloud_function("echo")
async def echo(call: FunctionCall) -> Any:
    """Give the parameters back, typed values and all."""
    return call.params
