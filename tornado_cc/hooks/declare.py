"""The face plugin authors see: `Plugin`, `hookimpl`, `inline`."""

import functools
import inspect
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Literal, TypeVar

import pluggy

from tornado_cc.hooks.specs import PROJECT
from tornado_cc.settings import Settings

F = TypeVar("F", bound=Callable[..., Any])

OnTimeout = Literal["refuse", "allow"]

ANY = "*"
"""A class name that stands for every class."""

hookimpl = pluggy.HookimplMarker(PROJECT)
"""Marks a plain function of a plugin's module as the hook it is named after."""

# Declared for the wrong hook, a function would load and never be asked.
_OWN_HOOKS = {
    "beforeSave": "before_save",
    "afterSave": "after_save",
    "beforeDelete": "before_delete",
    "afterDelete": "after_delete",
}
_NO_OBJECTS = ("@File", "@Connect")

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


@dataclass(frozen=True, slots=True)
class Declaration:
    """One function, declared for one hook under one name."""

    hook: str
    claim: tuple[str, ...]
    function: Callable[..., Any]
    tryfirst: bool = False
    trylast: bool = False
    on_timeout: OnTimeout = "refuse"


class Plugin:
    """What one plugin package declares.

    Args:
        name: one word, the same as the entry point (or the stem of a one-file plugin) and as the
            conf section `[plugin:NAME]`.
        settings: the model that validates that section, a subclass of `Settings`.

    Each decorator takes `tryfirst` or `trylast` to move the function to the front or the back of
    its chain. The before-hooks take `on_timeout="allow"`: when the deadline passes, the save or
    delete goes on without this function's opinion. Decorators return the function unchanged, so
    several may be stacked.
    """

    def __init__(self, name: str, *, settings: type[Settings] = Settings) -> None:
        if not (isinstance(name, str) and name.isidentifier()):
            raise ValueError(f"a plugin's name is one word like reviews, not {name!r}")
        self.name = name
        self.settings = settings
        self.declarations: list[Declaration] = []

    def __repr__(self) -> str:
        return f"<Plugin {self.name}>"

    def on_start(
        self, function: F | None = None, *, tryfirst: bool = False, trylast: bool = False
    ) -> Any:
        """A worker starts: `on_start(app)`. Used with or without parentheses."""
        decorate = self._declare("on_start", (), tryfirst=tryfirst, trylast=trylast)
        return decorate if function is None else decorate(function)

    def on_stop(
        self, function: F | None = None, *, tryfirst: bool = False, trylast: bool = False
    ) -> Any:
        """A worker has drained: `on_stop(app)`. Used with or without parentheses."""
        decorate = self._declare("on_stop", (), tryfirst=tryfirst, trylast=trylast)
        return decorate if function is None else decorate(function)

    def cloud_function(self, name: str) -> Callable[[F], F]:
        """The function `name` is called. One name has one owner."""
        if name == ANY:
            raise ValueError("a function is declared by its name; use @hookimpl for any name")
        return self._declare("cloud_function", (name,))

    def before_save(
        self,
        class_name: str,
        *,
        tryfirst: bool = False,
        trylast: bool = False,
        on_timeout: OnTimeout = "refuse",
    ) -> Callable[[F], F]:
        """An object of the class, or of every class for `*`, is about to be stored."""
        return self._declare(
            "before_save",
            (class_name,),
            tryfirst=tryfirst,
            trylast=trylast,
            on_timeout=on_timeout,
        )

    def after_save(
        self, class_name: str, *, tryfirst: bool = False, trylast: bool = False
    ) -> Callable[[F], F]:
        """An object of the class, or of every class for `*`, was stored."""
        return self._declare("after_save", (class_name,), tryfirst=tryfirst, trylast=trylast)

    def before_delete(
        self,
        class_name: str,
        *,
        tryfirst: bool = False,
        trylast: bool = False,
        on_timeout: OnTimeout = "refuse",
    ) -> Callable[[F], F]:
        """An object of the class, or of every class for `*`, is about to be removed."""
        return self._declare(
            "before_delete",
            (class_name,),
            tryfirst=tryfirst,
            trylast=trylast,
            on_timeout=on_timeout,
        )

    def after_delete(
        self, class_name: str, *, tryfirst: bool = False, trylast: bool = False
    ) -> Callable[[F], F]:
        """An object of the class, or of every class for `*`, is gone."""
        return self._declare("after_delete", (class_name,), tryfirst=tryfirst, trylast=trylast)

    def parse_trigger(
        self,
        class_name: str,
        trigger: str,
        *,
        tryfirst: bool = False,
        trylast: bool = False,
        on_timeout: OnTimeout = "refuse",
    ) -> Callable[[F], F]:
        """Another trigger of a Parse Server, for example `("Review", "afterFind")`."""
        own = _OWN_HOOKS.get(trigger)
        if own is not None and not class_name.startswith("@"):
            raise ValueError(f"{trigger} never comes as a parse_trigger: use @plugin.{own}")
        return self._declare(
            "parse_trigger",
            (class_name, trigger),
            tryfirst=tryfirst,
            trylast=trylast,
            on_timeout=on_timeout,
        )

    def _declare(self, hook: str, claim: tuple[str, ...], **options: Any) -> Callable[[F], F]:
        """Remember the function that the returned decorator is put on."""
        if hook in _OWN_HOOKS.values() and claim[0] in _NO_OBJECTS:
            raise ValueError(
                f"{claim[0]} has no objects to save or delete: use @plugin.parse_trigger"
            )
        if not all(isinstance(name, str) and name for name in claim):
            raise TypeError(
                f"@plugin.{hook} needs a name, as in @plugin.{hook}({claim_example(hook)})"
            )

        def decorate(function: F) -> F:
            self.declarations.append(Declaration(hook, claim, function, **options))
            return function

        return decorate


def claim_example(hook: str) -> str:
    """The arguments a declaration of this hook could have, for error messages."""
    return {"cloud_function": '"hello"', "parse_trigger": '"Review", "afterFind"'}.get(
        hook, '"Review"'
    )


def is_async(function: Callable[..., Any]) -> bool:
    """Whether calling it gives a coroutine, also through `functools.partial` and `__call__`."""
    plain: Any = inspect.unwrap(function)
    while isinstance(plain, functools.partial):
        plain = plain.func
    # The type's own __call__ is looked into, not asked whether it exists.
    call = getattr(type(plain), "__call__", None)  # noqa: B004
    return inspect.iscoroutinefunction(plain) or inspect.iscoroutinefunction(call)
