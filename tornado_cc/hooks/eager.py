"""Tasks that begin at once: what ends without waiting needs no turn of the event loop, nor a timer.

The eager tasks of Python 3.12 do as much, but for a task that is used once.
"""

import asyncio
from asyncio.tasks import _enter_task, _leave_task
from collections.abc import Awaitable, Coroutine, Generator
from contextvars import Context, copy_context
from types import coroutine
from typing import Any

Pair = tuple[bool, Any]
"""Whether something returned, and what; or else what it raised."""

Work = Coroutine[Any, Any, Any]

STANDBY = "tornado_cc-standby"
"""The name of the tasks that wait for work, for whoever lists all tasks."""

_SPARE = 16
"""How many tasks wait for work. More that wait for something else in one turn begin in the next."""


class EagerTasks:
    """Begins work in real tasks: `current_task` and `asyncio.timeout` are good from its first step.

    A task whose work has ended without waiting, and has left nothing behind, is used again. Any
    other ends with its work, as every task does.
    """

    def __init__(self) -> None:
        self._free: list[_Standby] = []
        # Not that of whoever begins something: it may be in the middle of somebody's call.
        self._context = copy_context()

    def begin(self, work: Work) -> "Pair | asyncio.Task[Pair]":
        """Do the first step of some work.

        Args:
            work: what would be awaited; everything but the cancellation of its task is its result.

        Returns:
            The result, or the task that will have it when the work has to wait for something.
        """
        while self._free:
            standby = self._free.pop()
            if standby.handed.done():
                # It was cancelled.
                continue
            pair = standby.step(work)
            if pair is not None and standby.is_clean:
                self._free.append(standby)
                return pair
            standby.hand_over(pair)
            self._grow(1)
            return standby.task if pair is None else pair
        self._grow(_SPARE)
        return asyncio.get_running_loop().create_task(to_pair(work))

    def _grow(self, number: int) -> None:
        for _ in range(number):
            _Standby(self._free, self._context.copy())


class _Standby:
    """A task that waits for work, whose first step is made in its name while it waits.

    Attributes:
        handed: is done when it waits no more.
        task: the task.
    """

    __slots__ = (
        "_clean",
        "_context",
        "_free",
        "_loop",
        "_pair",
        "_waited",
        "_work",
        "handed",
        "task",
    )

    def __init__(self, free: "list[_Standby]", context: Context) -> None:
        """A task that adds itself to `free` when it waits for work."""
        self._free = free
        self._loop = asyncio.get_running_loop()
        self._context = context
        self._clean: Context
        self._work: Work | None = None
        self._pair: Pair | None = None
        self._waited: asyncio.Future[Any] | None = None
        self.handed: asyncio.Future[None] = self._loop.create_future()
        # Not by the loop's factory: it would take this for a task of the plugin whose hook runs.
        self.task = asyncio.Task(self._run(), loop=self._loop, context=context, name=STANDBY)

    @property
    def is_clean(self) -> bool:
        """Whether the last work has left nothing behind that the next would find."""
        if self.handed.done() or self.task._callbacks:
            return False
        return self._context == self._clean

    def step(self, work: Work) -> Pair | None:
        """Do the first step; None when the task has to do the rest, or is cancelled by it."""
        outer = asyncio.current_task(self._loop)
        if outer is not None:
            _leave_task(self._loop, outer)
        _enter_task(self._loop, self.task)
        try:
            self._waited = self._context.run(work.send, None)
        except StopIteration as end:
            return None if self.task.cancelling() else (True, end.value)
        except BaseException as error:  # noqa: BLE001 - sys.exit() in a plugin included
            return None if self.task.cancelling() else (False, error)
        finally:
            _leave_task(self._loop, self.task)
            if outer is not None:
                _enter_task(self._loop, outer)
        self._work = work
        return None

    def hand_over(self, pair: Pair | None) -> None:
        """Have the task do the rest, or end with what its work came to."""
        self._pair = pair
        self.task.set_name("tornado_cc-begun")
        if not self.handed.done():
            self.handed.set_result(None)

    async def _run(self) -> Pair:
        self._clean = copy_context()
        self._free.append(self)
        try:
            await self.handed
        except asyncio.CancelledError:
            if self._work is None:
                raise
        if self._work is None:
            assert self._pair is not None
            return self._pair
        rest = _rest(self._work, self._waited, is_cancelled=self.handed.cancelled())
        return await to_pair(rest)


@coroutine
def _rest(
    work: Work, waited: asyncio.Future[Any] | None, *, is_cancelled: bool
) -> Generator[Any, None, Any]:
    """What is left of some work after its first step, as `yield from` would have it.

    Args:
        waited: what it waits for, None when it only gave way to others.
        is_cancelled: whether its task was cancelled in that step.
    """
    error: BaseException | None = None
    if is_cancelled and (waited is None or not waited.cancel()):
        error = asyncio.CancelledError()
    while True:
        try:
            yield waited
        except GeneratorExit:
            work.close()
            raise
        except BaseException as raised:  # noqa: BLE001 - it is the work's to handle
            error = raised
        try:
            waited = work.send(None) if error is None else work.throw(error)
        except StopIteration as end:
            return end.value
        error = None


async def to_pair(work: Awaitable[Any]) -> Pair:
    """The outermost frame of a task: everything but its own cancellation is a value."""
    try:
        return True, await work
    except asyncio.CancelledError as error:
        if being_cancelled():
            raise
        return False, error
    except BaseException as error:  # noqa: BLE001 - sys.exit() in a plugin included
        return False, error


def unpaired(pair: Pair) -> Any:
    """What was returned; raises what was raised."""
    ok, value = pair
    if ok:
        return value
    raise value


def being_cancelled() -> bool:
    """Whether somebody cancels the task that runs."""
    task = asyncio.current_task()
    return task is not None and task.cancelling() > 0
