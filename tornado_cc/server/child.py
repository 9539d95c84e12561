"""One worker process, as its supervisor sees it."""

import asyncio
import contextlib
import itertools
import os
import signal
import socket
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from tornado_cc.core import clock, json_value
from tornado_cc.server.health import State

# The figures of a worker come in one line.
_LONGEST_LINE = 64 << 20
_LAST_WORDS = 0.5
_PATIENCE = 2.0
"""Seconds that a worker may take to say how it is."""


class Child:
    """A process that serves. `start`, and `ended` when it has.

    Attributes:
        since: when it was started, on the monotonic clock.
        facts: what it says of its readiness; nothing until it serves.
        up_at: when it began to serve.
        seen: when its event loop has last shown that it turns.
        is_old: whether it runs what was before a reload.
        replace: why else it is to be replaced, None when it is not.
        leaving_at: when it was told to end, or said that it ends.
        stall: whose code had its loop when that stopped turning.
        figures: what it has counted, as it last said.
    """

    def __init__(self, changed: Callable[[], None]) -> None:
        """Args: changed: is called after each change that a supervisor may have to act on."""
        self.since = clock.monotonic()
        self.facts: Mapping[str, str] = {}
        self.up_at: float | None = None
        self.seen = self.since
        self.is_old = False
        self.replace: str | None = None
        self.leaving_at: float | None = None
        self.stall: Mapping[str, Any] = {}
        self.figures: list[Any] = []
        self._changed = changed
        self._asked: dict[int, asyncio.Future[Mapping[str, Any]]] = {}
        self._numbers = itertools.count(1)
        self._process: asyncio.subprocess.Process
        self._reader: asyncio.StreamReader
        self._writer: asyncio.StreamWriter

    async def start(self, command: Sequence[str], sockets: Sequence[socket.socket]) -> None:
        """Run a command, to which the numbers of the files it inherits are added.

        Raises:
            OSError: there is no process to be had.
        """
        ours, theirs = socket.socketpair()
        files = [theirs.fileno(), *(one.fileno() for one in sockets)]
        self._reader, self._writer = await asyncio.open_connection(sock=ours, limit=_LONGEST_LINE)
        try:
            self._process = await asyncio.create_subprocess_exec(
                *command, "--worker", ",".join(map(str, files)), pass_fds=files
            )
        except OSError:
            self._writer.close()
            raise
        finally:
            theirs.close()

    @property
    def pid(self) -> int:
        """The id of the process."""
        return self._process.pid

    @property
    def is_ready(self) -> bool:
        """Whether work can be sent to it."""
        return self.facts.get("status") == State.READY.value

    @property
    def is_outgoing(self) -> bool:
        """Whether it serves until a successor is ready."""
        return not self.is_leaving and (self.is_old or self.replace is not None)

    @property
    def is_leaving(self) -> bool:
        """Whether it drains."""
        return self.leaving_at is not None

    async def ended(self) -> int:
        """Listen to it until its process has ended; the exit code, negative for a signal."""
        listening = asyncio.create_task(self._listen())
        code = await self._process.wait()
        # A process that a plugin has forked may hold the other end for longer.
        await asyncio.wait({listening}, timeout=_LAST_WORDS)
        listening.cancel()
        self._writer.close()
        for future in self._asked.values():
            future.cancel()
        return code

    def stop(self) -> None:
        """Have it drain and end."""
        if self.leaving_at is None:
            self.leaving_at = clock.monotonic()
            self._tell(stop=True)

    def hurry(self) -> None:
        """Have it end its drain."""
        self._tell(hurry=True)

    def kill(self) -> None:
        """End it now."""
        with contextlib.suppress(ProcessLookupError):
            os.kill(self.pid, signal.SIGKILL)

    async def report(self, *, queue: bool) -> Mapping[str, Any] | None:
        """How it is and what it has counted; None when it does not say so in time.

        Args:
            queue: whether it shall look at the queue too.
        """
        number = next(self._numbers)
        future = self._asked[number] = asyncio.get_running_loop().create_future()
        self._tell(ask=number, queue=queue)
        try:
            await asyncio.wait({future}, timeout=_PATIENCE)
            return None if future.cancelled() or not future.done() else future.result()
        finally:
            del self._asked[number]

    async def _listen(self) -> None:
        # Who says what cannot be understood is not heard any more, and killed for its silence.
        with contextlib.suppress(OSError, ValueError):
            while line := await self._reader.readline():
                self._hear(json_value.parse(line))
                self._changed()

    def _tell(self, **message: Any) -> None:
        # One that has just ended hears nothing more; uvloop says so by raising.
        with contextlib.suppress(OSError, RuntimeError):
            self._writer.write(json_value.dump(message) + b"\n")

    def _hear(self, message: Mapping[str, Any]) -> None:
        if "state" in message:
            self._note_state(message["state"])
        if "replace" in message:
            self.replace = message["replace"]
        if "stall" in message:
            self.stall = message["stall"]
        if "figures" in message:
            self.figures = message["figures"]
        future = self._asked.get(message.get("answer", 0))
        if future is not None and not future.done():
            future.set_result(message)

    def _note_state(self, facts: Mapping[str, str]) -> None:
        self.seen = clock.monotonic()
        self.stall = {}
        self.facts = facts
        if self.up_at is None:
            self.up_at = self.seen
        if facts.get("status") == State.DRAINING.value and self.leaving_at is None:
            # Somebody has sent it a signal.
            self.leaving_at = self.seen
