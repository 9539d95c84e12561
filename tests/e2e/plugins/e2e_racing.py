"""Holds every update until another one has arrived: two that truly overlap.

Where updates were handled one after another, the first would wait in vain and
its save would be refused; so the tests need not measure time.
"""

from __future__ import annotations

import asyncio

from tornado_cc import Plugin, TriggerCall

plugin = Plugin("e2e_racing")

PATIENCE = 5.0
meetings = {"Race": asyncio.Barrier(2), "RaceChanged": asyncio.Barrier(2)}


async def meet(call: TriggerCall, class_name: str) -> None:
    """Wait for the other update; the first save of the object has no other."""
    if call.original is not None:
        async with asyncio.timeout(PATIENCE):
            await meetings[class_name].wait()


@plugin.before_save("Race")
async def meet_only(call: TriggerCall) -> None:
    """Change nothing."""
    await meet(call, "Race")


@plugin.before_save("RaceChanged")
async def meet_and_change(call: TriggerCall) -> None:
    """Change a third field."""
    await meet(call, "RaceChanged")
    call.object["seen"] = "in place"
