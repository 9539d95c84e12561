"""A bounded pool of daemon threads for plain `def` hooks.

`concurrent.futures` does not do: its threads keep the process from ending, and a hook that never
returns would hold its place for good.
"""

import asyncio
import contextvars
import itertools
import logging
import threading
from collections.abc import Callable
from queue import SimpleQueue

from tornado_cc.core import clock

_log = logging.getLogger("tornado_cc.hooks")
_numbers = itertools.count(1)


class Job:
    """One function to run in a thread; `done` resolves on the loop to (ok, value or exception)."""

    def __init__(
        self, function: Callable[[], object], seconds: float, pool: "ThreadPool | None"
    ) -> None:
        self._loop = asyncio.get_running_loop()
        self.done: asyncio.Future[tuple[bool, object]] = self._loop.create_future()
        self._function = function
        self._latest = clock.monotonic() + seconds
        self._context = contextvars.copy_context()
        self._pool = pool
        self._lock = threading.Lock()
        self._state = "queued"

    def abandon(self) -> None:
        """Nobody waits any more: never start it, or replace the thread that is stuck in it."""
        with self._lock:
            state, self._state = self._state, "abandoned"
        if state == "running" and self._pool is not None:
            self._pool.replace_stuck()

    def run(self) -> bool:
        """Run it in this thread. False when the thread was replaced meanwhile and has to end."""
        with self._lock:
            if self._state != "queued" or clock.monotonic() >= self._latest:
                return True
            self._state = "running"
        outcome = self._context.run(_call, self._function)
        with self._lock:
            kept = self._state == "running"
            self._state = "done"
        if kept:
            self._deliver(outcome)
        return kept

    def _deliver(self, outcome: tuple[bool, object]) -> None:
        try:
            self._loop.call_soon_threadsafe(self._resolve, outcome)
        except RuntimeError:
            # The loop has closed: the server is gone and so is whoever waited.
            return

    def _resolve(self, outcome: tuple[bool, object]) -> None:
        if not self.done.done():
            self.done.set_result(outcome)


def _call(function: Callable[[], object]) -> tuple[bool, object]:
    """A pair, because StopIteration cannot cross a future and SystemExit would end the thread."""
    try:
        return True, function()
    except BaseException as error:  # noqa: BLE001 - sys.exit() in a plugin included
        return False, error


class ThreadPool:
    """At most `size` threads that wait or work; those stuck beyond a deadline are extra.

    Attributes:
        stuck: how many are stuck now.
        most_stuck: how many may be.
    """

    def __init__(self, size: int, most_stuck: int = 1024) -> None:
        self._size = size
        self.most_stuck = most_stuck
        self._jobs: SimpleQueue[Job | None] = SimpleQueue()
        self._lock = threading.Lock()
        self._threads = 0
        self._idle = 0
        self.stuck = 0

    def submit(
        self, function: Callable[[], object], seconds: float, *, nested: bool = False
    ) -> Job:
        """Queue a function that is of no use after so many seconds; needs a running loop.

        A nested one, for which a thread of the pool may be waiting, gets a thread of its own: in
        the queue it could wait for the very threads that wait for it.
        """
        if nested:
            alone = Job(function, seconds, None)
            self._start(alone.run)
            return alone
        job = Job(function, seconds, self)
        with self._lock:
            start = self._idle == 0 and self._threads < self._size
            if start:
                self._threads += 1
            else:
                self._idle = max(0, self._idle - 1)
        self._jobs.put(job)
        if start:
            self._start()
        return job

    def replace_stuck(self) -> None:
        """A thread will not come back in time: another takes its place at once."""
        with self._lock:
            self.stuck += 1
            stuck = self.stuck
        level = logging.WARNING if stuck <= self.most_stuck else logging.ERROR
        _log.log(level, "a thread is stuck beyond its deadline", extra={"stuck_threads": stuck})
        self._start()

    def close(self) -> None:
        """Let idle threads end; stuck ones are daemons and end with the process."""
        for _ in range(self._threads):
            self._jobs.put(None)

    def _start(self, target: Callable[[], object] | None = None) -> None:
        name = f"tornado_cc-hook-{next(_numbers)}"
        threading.Thread(target=target or self._work, name=name, daemon=True).start()

    def _work(self) -> None:
        while True:
            job = self._jobs.get()
            if job is None:
                return
            if not job.run():
                with self._lock:
                    self.stuck -= 1
                return
            # Nothing of the last call may live on in a waiting thread.
            del job
            with self._lock:
                self._idle += 1
