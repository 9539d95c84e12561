"""Tasks that a plugin makes: `sys.exit()` in one of them must not end the server.

asyncio lets SystemExit and KeyboardInterrupt through to whoever runs the loop. A plugin's own
tasks are therefore made of coroutines that turn both into an ordinary exception.
"""

import asyncio
import logging
from collections.abc import Coroutine, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Any

from tornado_cc.core.call import CURRENT

PLUGIN: ContextVar[str | None] = ContextVar("tornado_cc_plugin", default=None)
"""The plugin whose hook runs in this context, also in the tasks and threads it makes."""

_log = logging.getLogger("tornado_cc.hooks")


_running: list[str] = []


@contextmanager
def running(plugin: str) -> Iterator[None]:
    """Note whose code has the loop, for the watchdog, which cannot read the context of a task."""
    _running.append(plugin)
    try:
        yield
    finally:
        _running.pop()


def running_plugin() -> str | None:
    """The plugin whose code has the loop right now; may be asked from any thread."""
    try:
        return _running[-1]
    except IndexError:
        return None


class PluginExit(RuntimeError):
    """A plugin tried to end the process."""


class Named(Coroutine[Any, Any, Any]):
    """A plugin's coroutine, stepped as it is; the watchdog can tell whose step it is."""

    def __init__(self, inner: Coroutine[Any, Any, Any], plugin: str) -> None:
        self._inner = inner
        self._step = inner.send
        self.plugin = plugin

    def __getattr__(self, name: str) -> Any:
        # Its name, and where it is, for whoever prints the task.
        return getattr(self._inner, name)

    def send(self, value: Any) -> Any:
        # As `running` does it, which costs as much as the step of most hooks.
        _running.append(self.plugin)
        try:
            return self._step(value)
        finally:
            _running.pop()

    def throw(self, *thrown: Any) -> Any:
        with running(self.plugin):
            return self._inner.throw(*thrown)

    def close(self) -> None:
        self._inner.close()

    def __await__(self) -> "Named":
        return self

    def __next__(self) -> Any:
        return self.send(None)


class Guarded(Named):
    """The same of a task of its own, without the two exceptions that end a loop."""

    def __init__(self, inner: Coroutine[Any, Any, Any], plugin: str) -> None:
        super().__init__(inner, plugin)
        self.call = CURRENT.get()

    def send(self, value: Any) -> Any:
        try:
            return super().send(value)
        except (SystemExit, KeyboardInterrupt) as error:
            raise _exit(self.plugin, error) from error

    def throw(self, *thrown: Any) -> Any:
        try:
            return super().throw(*thrown)
        except (SystemExit, KeyboardInterrupt) as error:
            raise _exit(self.plugin, error) from error


def _exit(plugin: str, error: BaseException) -> PluginExit:
    return PluginExit(f"a task of plugin {plugin} raised {type(error).__name__}")


def task_factory(
    loop: asyncio.AbstractEventLoop, coroutine: Any, **options: Any
) -> asyncio.Task[Any]:
    """The loop's task factory: guards what is made while a plugin runs, and nothing else."""
    plugin = PLUGIN.get()
    if plugin is not None and isinstance(coroutine, Coroutine):
        coroutine = Guarded(coroutine, plugin)
    return asyncio.Task(coroutine, loop=loop, **options)


def log_stray_exception(loop: asyncio.AbstractEventLoop, context: dict[str, Any]) -> None:
    """The loop's exception handler: names the plugin, and cleans the text of its call's secrets."""
    task = context.get("future") or context.get("task")
    coroutine = task.get_coro() if isinstance(task, asyncio.Task) else None
    guarded = coroutine if isinstance(coroutine, Guarded) else None
    error = context.get("exception")
    handle = context.get("handle")
    # uvloop's handles keep their context to themselves.
    bound = getattr(handle, "_context", None)
    call = guarded.call if guarded else bound and bound.get(CURRENT)
    if handle is not None and bound is None and isinstance(error, BaseException):
        error = _without_text(error)
    token = CURRENT.set(call) if call else None
    try:
        _log.error(
            context.get("message", "unhandled exception in the event loop"),
            exc_info=error if isinstance(error, BaseException) else None,
            extra={"plugin": guarded.plugin} if guarded else None,
        )
    finally:
        if token is not None:
            CURRENT.reset(token)


def _without_text(error: BaseException) -> BaseException:
    """An exception of nobody knows whose call: its text could hold what only that call knows."""
    text = f"{type(error).__name__} in a callback; its text is left out"
    return RuntimeError(text).with_traceback(error.__traceback__)


def install(loop: asyncio.AbstractEventLoop) -> None:
    """Make this loop safe to run plugins on."""
    loop.set_task_factory(task_factory)
    loop.set_exception_handler(log_stray_exception)
