"""Running a worker on an event loop that no plugin can end or keep from ending."""

import asyncio
import contextlib
import ctypes
import gc
import logging
import threading
from collections.abc import Coroutine
from concurrent.futures import ThreadPoolExecutor
from typing import Any

from tornado_cc.core import clock

try:
    import uvloop
except ImportError:
    # It is not made for every machine, Windows among them.
    uvloop = None  # type: ignore[assignment]

_log = logging.getLogger("tornado_cc.server")

_PATIENCE = 1.0
"""Seconds that what is left of the loop gets to end once the worker has."""

# Of glibc's mallopt(3).
_MMAP_THRESHOLD = -3
_LARGE = 1 << 20


def run(main: Coroutine[Any, Any, None]) -> bool:
    """Run a worker to its end and raise what it raised.

    asyncio stops when a bare callback raises SystemExit, which no task's guard sees, or when a
    plugin stops the loop; what is left of it is sound, so it is run on. At the end asyncio would
    wait without limit for tasks that ignore their cancellation.

    Returns:
        Whether nothing is left that would keep the process from ending.
    """
    _give_memory_back()
    loop = new()
    asyncio.set_event_loop(loop)
    executor = ThreadPoolExecutor(thread_name_prefix="tornado_cc-executor")
    loop.set_default_executor(executor)
    task = loop.create_task(main)
    try:
        _drive(loop, task)
    finally:
        rest = _cancel_rest(loop)
        # The loop's own way to end its executor waits for a thread that is stuck.
        executor.shutdown(wait=False, cancel_futures=True)
    task.result()
    return not rest and not _stuck_threads()


def _give_memory_back() -> None:
    """Have a block of a mebibyte or more go back to the system when it is freed.

    glibc raises that limit with every such block, up to 32 MiB, and keeps what is below it: after a
    hundred large answers that were taken slowly, a server would stay several times its size.
    """
    with contextlib.suppress(AttributeError, OSError):
        ctypes.CDLL(None).mallopt(_MMAP_THRESHOLD, _LARGE)


def new() -> asyncio.AbstractEventLoop:
    """A loop: uvloop's, or asyncio's where there is no uvloop."""
    return asyncio.new_event_loop() if uvloop is None else uvloop.new_event_loop()


def settle() -> None:
    """Have the garbage collector pass over what a start has made, which stays until the end.

    It would look at all of it again and again, in the middle of somebody's request. How often it
    looks is left to Python: more seldom, and connections that are gone hold their memory.
    """
    gc.collect()
    gc.freeze()


def _drive(loop: asyncio.AbstractEventLoop, task: asyncio.Task[None]) -> None:
    while not task.done():
        try:
            loop.run_until_complete(asyncio.wait({task}))
        except (SystemExit, KeyboardInterrupt, RuntimeError) as error:
            if not task.done():
                _log.error("a callback tried to end the process", exc_info=error)


def _cancel_rest(loop: asyncio.AbstractEventLoop) -> set[asyncio.Task[Any]]:
    """Cancel every task and give it a moment; those that go on regardless."""
    rest = asyncio.all_tasks(loop)
    for one in rest:
        one.cancel()
    if rest:
        _, rest = loop.run_until_complete(asyncio.wait(rest, timeout=_PATIENCE))
    if not rest:
        loop.run_until_complete(loop.shutdown_asyncgens())
        loop.close()
    return rest


def _stuck_threads() -> list[threading.Thread]:
    """The threads that would keep the process from ending, after a moment to end by themselves."""
    until = clock.monotonic() + _PATIENCE
    others = [
        one
        for one in threading.enumerate()
        if not one.daemon and one is not threading.main_thread()
    ]
    for one in others:
        one.join(max(until - clock.monotonic(), 0))
    return [one for one in others if one.is_alive()]
