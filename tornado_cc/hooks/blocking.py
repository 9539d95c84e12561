"""What a plain `def` hook has in place of an awaitable service: the same names, blocking."""

import asyncio
import inspect
from collections.abc import Callable, Coroutine
from concurrent.futures import Future
from typing import Any

from tornado_cc.core import clock

# A service keeps to the deadline by itself, with an error of its own type: that one shall arrive.
_GRACE = 1.0


class Blocking:
    """A service whose coroutines run on the loop while the calling thread waits for them.

    Attribute for attribute the service it stands for. On the loop itself, where waiting would
    stop everybody, a call raises.
    """

    def __init__(self, service: Any, loop: asyncio.AbstractEventLoop, until: float) -> None:
        self._service = service
        self._loop = loop
        self._until = until

    def __getattr__(self, name: str) -> Any:
        member = getattr(self._service, name)
        return self._waiting(member) if inspect.iscoroutinefunction(member) else member

    def _waiting(self, method: Callable[..., Coroutine[Any, Any, Any]]) -> Callable[..., Any]:
        def call(*args: Any, **options: Any) -> Any:
            if _on_a_loop():
                raise RuntimeError(
                    f"{method.__name__} blocks here and would stop the event loop:"
                    " make the hook async, or leave out @inline"
                )
            future = self._start(method(*args, **options))
            try:
                return future.result(max(self._until - clock.monotonic(), 0) + _GRACE)
            except TimeoutError:
                future.cancel()
                raise

        return call

    def _start(self, coroutine: Coroutine[Any, Any, Any]) -> Future[Any]:
        try:
            return asyncio.run_coroutine_threadsafe(coroutine, self._loop)
        except RuntimeError:
            # The loop has closed: the server is gone, and nobody will await this.
            coroutine.close()
            raise


def _on_a_loop() -> bool:
    try:
        asyncio.get_running_loop()
    except RuntimeError:
        return False
    return True
