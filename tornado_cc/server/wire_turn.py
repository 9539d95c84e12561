"""The answers of one turn of the event loop, which go out one after the other at its end."""

import asyncio
import logging
from typing import Protocol

from tornado_cc.core import clock

_log = logging.getLogger("tornado_cc.server")

_LONGEST = 0.002
"""Seconds that the first of them waits for the others at most."""


class Unsent(Protocol):
    """What has something to send."""

    def flush(self) -> None:
        """Send it."""
        ...


class Turn:
    """Gathers what is to be sent.

    To send to a caller that sleeps is to wake it too, which takes longer than all the rest of
    sending. One that has just been woken, or is busy with what came before, is awake.
    """

    __slots__ = ("_ends", "_unsent")

    def __init__(self) -> None:
        self._unsent: list[Unsent] = []
        self._ends = 0.0

    def add(self, unsent: Unsent) -> None:
        """Have it flushed at the end of the turn, or before."""
        self._unsent.append(unsent)
        if len(self._unsent) == 1:
            self._ends = clock.monotonic() + _LONGEST
            asyncio.get_running_loop().call_soon(self.end)
        else:
            self.hurry()

    def hurry(self) -> None:
        """End it now, when the first has waited for long."""
        if self._unsent and clock.monotonic() > self._ends:
            self.end()

    def end(self) -> None:
        """Flush all that was added."""
        unsent, self._unsent = self._unsent, []
        for one in unsent:
            try:
                one.flush()
            except Exception:  # noqa: BLE001 - the others are waited for
                _log.exception("an answer could not be sent")
