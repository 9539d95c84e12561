"""What a plain `def` hook has in place of an awaitable service: the same names, blocking."""

import asyncio
import inspect
from collections.abc import Callable, Coroutine
from concurrent.futures import Future
from typing import Any

from tornado_cc.core import clock
from tornado_cc.core.state import Service

# A service keeps to the deadline by itself, with an error of its own type: that one shall arrive.
_GRACE = 1.0


class Blocking:
    """A service whose coroutines run on the loop while the calling thread waits for them.

    Attribute for attribute the service it stands for, also when one is set. On the loop itself,
    where waiting would stop everybody, a call raises; so does one past the hook's deadline.
    """

    __slots__ = ("_loop", "_service", "_until")

    _service: Any
    _loop: asyncio.AbstractEventLoop
    _until: float

    def __init__(self, service: Any, loop: asyncio.AbstractEventLoop, until: float) -> None:
        for name, value in (("_service", service), ("_loop", loop), ("_until", until)):
            object.__setattr__(self, name, value)

    def __repr__(self) -> str:
        return repr(self._service)

    def __setattr__(self, name: str, value: object) -> None:
        setattr(self._service, name, value)

    def __getattr__(self, name: str) -> Any:
        member = getattr(self._service, name)
        if inspect.iscoroutinefunction(member):
            return self._waiting(member)
        if inspect.ismethod(member):
            return self._leading(member)
        return self._in_my_form(member)

    def _in_my_form(self, value: Any) -> Any:
        """What a service leads to blocks as well."""
        if isinstance(value, Service):
            return Blocking(value, self._loop, self._until)
        return value

    def _leading(self, method: Callable[..., Any]) -> Callable[..., Any]:
        def call(*args: Any, **options: Any) -> Any:
            return self._in_my_form(method(*args, **options))

        return call

    def _waiting(self, method: Callable[..., Coroutine[Any, Any, Any]]) -> Callable[..., Any]:
        def call(*args: Any, **options: Any) -> Any:
            if _on_a_loop():
                raise RuntimeError(
                    f"{method.__name__} blocks here and would stop the event loop:"
                    " make the hook async, or leave out @inline"
                )
            self._check_time()
            future = self._start(method(*args, **options))
            try:
                left = max(self._until - clock.monotonic(), 0)
                return self._in_my_form(future.result(left + _GRACE))
            except TimeoutError:
                future.cancel()
                raise

        return call

    def _check_time(self) -> None:
        """Raise `TimeoutError` when the hook's time is up: its caller was told that it failed.

        A client keeps to the deadline by itself, with an error of its own.
        """
        if isinstance(self._service, Service) and clock.monotonic() >= self._until:
            raise TimeoutError("the deadline of the hook has passed")

    def _start(self, coroutine: Coroutine[Any, Any, Any]) -> Future[Any]:
        try:
            return asyncio.run_coroutine_threadsafe(coroutine, self._loop)
        except RuntimeError:
            # The loop has closed: the server is gone, and nobody will await this.
            coroutine.close()
            raise


def unblocked(service: Any) -> Any:
    """The service itself again, of one that blocks."""
    return service._service if isinstance(service, Blocking) else service


def _on_a_loop() -> bool:
    try:
        asyncio.get_running_loop()
    except RuntimeError:
        return False
    return True
