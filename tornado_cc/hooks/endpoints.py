"""Endpoints as plugins declare them: their paths, and the functions that take a web request."""

import functools
import inspect
from collections.abc import Awaitable, Callable
from typing import Any

from tornado_cc.core.call import EndpointCall
from tornado_cc.hooks.kinds import is_async

ExceptionHandlers = dict[type[Exception], Callable[[Any], Any]]

# The paths of the original's own server, on which its router refused to start.
_TAKEN = frozenset({"/", "/files/", "/pubsub", "/_/pubsub"})


def endpoint_path(name: str) -> str:
    """The path of a declared name: `:` is `/`, and a slash leads.

    Raises:
        ValueError: a path no request could reach, or one that is taken.
    """
    path = name.replace(":", "/")
    if not path.startswith("/"):
        path = f"/{path}"
    if path in _TAKEN:
        raise ValueError(f"an endpoint cannot be named {name!r}: the path {path} is taken")
    if any(part in ("", ".", "..") for part in path.strip("/").split("/")) or "//" in path:
        raise ValueError(f"no request reaches an endpoint named {name!r}: paths are cleaned first")
    return path


def endpoint(function: Callable[..., Any], handlers: ExceptionHandlers) -> Callable[..., Any]:
    """The hook that serves an endpoint: hands over the web request and maps its exceptions."""
    if is_async(function):

        @functools.wraps(function)
        async def serve_async(call: EndpointCall) -> Any:
            return await _mapped(function(call.web), handlers)

        return serve_async

    @functools.wraps(function)
    def serve(call: EndpointCall) -> Any:
        try:
            value = function(call.web)
        except Exception as error:  # noqa: BLE001 - a plugin maps its own
            return _handled(error, handlers)
        return _mapped(value, handlers) if inspect.isawaitable(value) else value

    return serve


async def _mapped(value: Awaitable[Any], handlers: ExceptionHandlers) -> Any:
    try:
        return await value
    except Exception as error:  # noqa: BLE001 - a plugin maps its own
        handled = _handled(error, handlers)
        return await handled if inspect.isawaitable(handled) else handled


def _handled(error: Exception, handlers: ExceptionHandlers) -> Any:
    """What the most specific handler makes of an exception; without one it is raised again.

    Of an async handler that is something to await.
    """
    for kind in type(error).__mro__:
        handler = handlers.get(kind)
        if handler is None:
            continue
        value = handler(error)
        return (
            _settled_later(value, error) if inspect.isawaitable(value) else _settled(value, error)
        )
    raise error


async def _settled_later(value: Awaitable[Any], error: Exception) -> Any:
    return _settled(await value, error)


def _settled(value: Any, error: Exception) -> Any:
    """A handler's None leaves the error as it is, an exception takes its place."""
    if value is None:
        raise error
    if isinstance(value, BaseException):
        raise value from error
    return value
