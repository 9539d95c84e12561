"""Raises what a plugin with a bug raises."""

from __future__ import annotations

from tornado_cc import FunctionCall, Plugin, TriggerCall

plugin = Plugin("e2e_failing")


@plugin.before_save("Broken")
async def fail_to_save(call: TriggerCall) -> None:
    """Fail with a message that is nobody else's business."""
    raise RuntimeError("the inner detail")


@plugin.after_save("BrokenAfter")
async def fail_after_save(call: TriggerCall) -> None:
    """Fail when it is too late to refuse anything."""
    raise RuntimeError("the inner detail")


@plugin.cloud_function("broken")
async def fail_to_answer(call: FunctionCall) -> None:
    """Fail where a value is expected."""
    raise RuntimeError("the inner detail")
