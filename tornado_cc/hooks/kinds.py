"""How a hook runs: awaited, in a thread, or on the loop by its own promise."""

import functools
import inspect
from collections.abc import Callable
from typing import Any, TypeVar

F = TypeVar("F", bound=Callable[..., Any])

_INLINE = "__tornado_cc_inline__"


def inline(function: F) -> F:
    """Promise that a plain `def` hook never blocks: it runs on the event loop, not in a thread."""
    if inspect.iscoroutinefunction(function):
        raise TypeError(f"@inline is for plain functions; {function.__qualname__} is async")
    setattr(function, _INLINE, True)
    return function


def is_inline(function: Callable[..., Any]) -> bool:
    """Whether `inline` was promised."""
    return bool(getattr(function, _INLINE, False))


def is_async(function: Callable[..., Any]) -> bool:
    """Whether calling it gives a coroutine, also through `functools.partial` and `__call__`."""
    plain: Any = function
    while isinstance(plain, functools.partial):
        plain = plain.func
    # The type's own __call__ is looked into, not asked whether it exists.
    call = getattr(type(plain), "__call__", None)  # noqa: B004
    return inspect.iscoroutinefunction(plain) or inspect.iscoroutinefunction(call)
