"""A worker's line to its supervisor: says how it is, does what it is told, outlives nobody."""

import asyncio
import contextlib
import logging
import os
import random
import socket
import threading
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from tornado_cc.core import clock, json_value
from tornado_cc.server.app import Server
from tornado_cc.settings import ServerSettings

_log = logging.getLogger("tornado_cc.server")

BEAT = 1.0
"""Seconds between two signs of life of a worker's event loop."""

_LARGEST_READ = 1 << 16
_ORPHANED = 70
# Without a supervisor nobody else would free the port for the next one.
_LET_GO_SECONDS = 0.5
# What a drain needs besides its timeout: hooks that run at a stop have a deadline of their own.
LATE = 15.0
"""Seconds that a worker may take to end when its drain timeout has passed."""

# Workers are not replaced faster than this, whatever limit they are over from the start.
_SETTLED = 5.0
_JITTER = 0.1
_STATM = Path("/proc/self/statm")


class Line:
    """A thread that talks with the supervisor, from before the plugins are loaded.

    A thread, since what the supervisor has to know most is that the event loop does not turn. When
    the supervisor is gone, it ends the worker.
    """

    def __init__(self, file: int) -> None:
        """Take over one end of a pair of stream sockets, by the number of its file."""
        self._socket = socket.socket(fileno=file)
        self._socket.set_inheritable(False)
        self._socket.settimeout(BEAT)
        self._lock = threading.Lock()
        self._worker: Worker | None = None
        threading.Thread(target=self._run, name="tornado_cc-line", daemon=True).start()

    def serves(self, worker: "Worker") -> None:
        """From now on there is somebody to tell what is heard."""
        self._worker = worker

    def tell(self, **message: Any) -> None:
        """Send a message; may be called from any thread. A supervisor that is gone is no error."""
        try:
            with self._lock:
                self._socket.sendall(json_value.dump(message) + b"\n")
        except OSError:
            # The thread that reads notices too, and sees to it.
            return

    def _run(self) -> None:
        unread = b""
        while True:
            try:
                data = self._socket.recv(_LARGEST_READ)
            except TimeoutError:
                self._call(Worker.show_life)
                continue
            except OSError:
                data = b""
            if not data:
                self._end()
                return
            *lines, unread = (unread + data).split(b"\n")
            for line in lines:
                self._hear(json_value.parse(line))

    def _hear(self, message: Mapping[str, Any]) -> None:
        if self._worker is None and "stop" in message:
            # Nothing runs yet that would have to finish.
            os._exit(0)
        self._call(Worker.hear, message)

    def _call(self, what: Callable[..., None], *arguments: object) -> None:
        """Have the worker's loop do something."""
        worker = self._worker
        # A loop that has closed is one of a worker that is about to end.
        with contextlib.suppress(RuntimeError):
            if worker is not None:
                worker.loop.call_soon_threadsafe(what, worker, *arguments)

    def _end(self) -> None:
        """The supervisor is gone: free the port, finish what runs, and end, whatever happens."""
        worker = self._worker
        if worker is None:
            os._exit(_ORPHANED)
        self._call(Worker.stop)
        if not worker.has_let_go.wait(_LET_GO_SECONDS):
            os._exit(_ORPHANED)
        threading.Event().wait(worker.drain_timeout + LATE)
        os._exit(_ORPHANED)


class Worker:
    """What the loop of a supervised server does for its supervisor.

    Attributes:
        loop: the one it runs on.
        stopping: is set when it shall drain and end.
        hurry: is set when it shall end its drain.
        has_let_go: is set when it does not listen any more.
        drain_timeout: seconds.
    """

    def __init__(self, server: Server, settings: ServerSettings, line: Line) -> None:
        self.loop = asyncio.get_running_loop()
        self.stopping = asyncio.Event()
        self.hurry = asyncio.Event()
        self.has_let_go = threading.Event()
        self.drain_timeout = settings.drain_timeout
        self._server = server
        self._line = line
        self._most = _with_jitter(settings.max_requests)
        self._max_memory = settings.max_memory
        self._settled_at = clock.monotonic() + _SETTLED
        self._asked: str | None = None
        self._answers: set[asyncio.Task[None]] = set()

    def show_life(self) -> None:
        """Say how it is, and ask to be replaced when it should be."""
        self._line.tell(state=self._server.facts())
        reason = self._reason()
        if reason is not None and reason != self._asked:
            self._asked = reason
            _log.warning("this worker asks to be replaced", extra={"reason": reason})
            self._line.tell(replace=reason)

    def hear(self, message: Mapping[str, Any]) -> None:
        """Do what the supervisor says."""
        if "ask" in message:
            task = self.loop.create_task(self._answer(message))
            self._answers.add(task)
            task.add_done_callback(self._answers.discard)
        elif "stop" in message:
            self.stop()
        elif "hurry" in message:
            self.hurry.set()

    def stop(self) -> None:
        """Take no new connection, and begin to drain."""
        self._server.stop_listening()
        self.has_let_go.set()
        self.stopping.set()

    async def end(self) -> None:
        """Leave the figures to the supervisor, which goes on counting from them."""
        for task in self._answers:
            task.cancel()
        self._line.tell(**await self._server.report(queue=False))

    async def _answer(self, message: Mapping[str, Any]) -> None:
        report = await self._server.report(queue=message["queue"])
        # A large one may have to wait until the supervisor reads, and the loop shall not.
        await asyncio.to_thread(self._line.tell, answer=message["ask"], **report)

    def _reason(self) -> str | None:
        """Why it should be replaced, in the words of the settings."""
        if clock.monotonic() < self._settled_at:
            return None
        if self._most and self._server.answered >= self._most:
            return "max_requests"
        if self._max_memory is not None and resident() > self._max_memory:
            return "max_memory"
        if self._server.is_stuck:
            return "stuck_threads"
        return None


def resident() -> int:
    """Bytes of memory this process has; 0 where the system does not say."""
    try:
        return int(_STATM.read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE")
    except OSError:
        return 0


def _with_jitter(requests: int) -> int:
    """A tenth more or less, so that workers that began together do not end together."""
    spread = random.uniform(1 - _JITTER, 1 + _JITTER)  # noqa: S311 - no secret depends on it
    return max(round(requests * spread), 1) if requests else 0
