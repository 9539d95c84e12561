"""Takes its time, and leaves a file where it got to the end."""

from __future__ import annotations

import asyncio
from pathlib import Path

from tornado_cc import FunctionCall, Plugin, TriggerCall

plugin = Plugin("e2e_slow")


@plugin.after_save("Slow")
async def linger(call: TriggerCall) -> None:
    """Work for 3 seconds after the object was stored."""
    await asyncio.sleep(3)
    object_id = call.object["objectId"]
    Path(__file__).with_name(f"{object_id}.done").touch()


@plugin.cloud_function("slowAnswer")
async def answer_slowly(call: FunctionCall) -> str:
    """Be in the middle of something when the server is told to end."""
    Path(__file__).with_name("slowAnswer.started").touch()
    await asyncio.sleep(1)
    return "after all"
