"""The watchdog: names the plugin, file and line that blocks the event loop.

A deadline cannot help against a hook that never gives the loop back: nobody is left to notice it.
A thread can.
"""

import asyncio
import logging
import sys
import sysconfig
import threading
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from types import FrameType

from tornado_cc.core import clock
from tornado_cc.core.meter import Meter, Unmetered
from tornado_cc.hooks import tasks

STALL = 0.25
"""Seconds after which a loop that does not turn counts as blocked."""

_BEAT = STALL / 5
_OURS = str(Path(__file__).parents[1])
_STANDARD = sysconfig.get_path("stdlib")

_log = logging.getLogger("tornado_cc.hooks")


class Watchdog:
    """Watches one loop from a daemon thread. `start` on the loop, `stop` when it ends."""

    def __init__(
        self,
        meter: Meter | None = None,
        on_stall: Callable[[Mapping[str, object]], None] | None = None,
    ) -> None:
        """Args: on_stall: is told once per stall who it is, in the watchdog's thread."""
        self._meter = meter or Unmetered()
        self._on_stall = on_stall
        self._ended = threading.Event()
        self._beat = clock.monotonic()
        self._timer: asyncio.TimerHandle | None = None

    def start(self) -> None:
        """Begin to watch the running loop, in whose thread this is called."""
        loop = asyncio.get_running_loop()
        self._turn(loop)
        threading.Thread(
            target=self._watch,
            args=(threading.get_ident(),),
            name="tornado_cc-watchdog",
            daemon=True,
        ).start()

    def stop(self) -> None:
        """Stop watching."""
        self._ended.set()
        if self._timer is not None:
            self._timer.cancel()

    def _turn(self, loop: asyncio.AbstractEventLoop) -> None:
        """The loop shows that it turns."""
        self._beat = clock.monotonic()
        self._timer = loop.call_later(_BEAT, self._turn, loop)

    def _watch(self, thread: int) -> None:
        reported = 0.0
        while not self._ended.wait(_BEAT):
            beat = self._beat
            if beat != reported and clock.monotonic() - beat > STALL:
                reported = beat
                plugin = tasks.running_plugin() or "none"
                self._meter.loop_stalled(plugin)
                facts = _facts(plugin, sys._current_frames().get(thread))
                _log.error("the event loop is blocked", extra=facts)
                if self._on_stall is not None:
                    self._on_stall(facts)


def _facts(plugin: str, frame: FrameType | None) -> dict[str, object]:
    """Who it is, and where."""
    culprit = _culprit(frame)
    facts: dict[str, object] = {"plugin": plugin}
    if culprit is not None:
        facts["file"] = culprit.f_code.co_filename
        facts["line"] = culprit.f_lineno
        facts["function"] = culprit.f_code.co_qualname
    return facts


def _culprit(frame: FrameType | None) -> FrameType | None:
    """The innermost frame of a hook that is neither ours nor the standard library's."""
    inside = list(_inside(frame))
    return next((one for one in inside if not _is_standard(one)), inside[0] if inside else None)


def _inside(frame: FrameType | None) -> Iterator[FrameType]:
    """The frames from the innermost out to the first of the server's own."""
    while frame is not None and not frame.f_code.co_filename.startswith(_OURS):
        yield frame
        frame = frame.f_back


def _is_standard(frame: FrameType) -> bool:
    name = frame.f_code.co_filename
    return name.startswith((_STANDARD, "<frozen")) and "site-packages" not in name
