"""The face plugin authors see: `Plugin`, `hookimpl`, `inline`."""

import itertools
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any, Literal, TypeVar, overload

import pluggy

from tornado_cc.core.call import SOURCE
from tornado_cc.hooks.endpoints import ExceptionHandlers, endpoint, endpoint_path
from tornado_cc.hooks.schedules import When, every, name_of
from tornado_cc.hooks.specs import PROJECT
from tornado_cc.settings import Settings

F = TypeVar("F", bound=Callable[..., Any])
T = TypeVar("T", bound=type[Any])

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


@dataclass(frozen=True, slots=True)
class Declaration:
    """One function, declared for one hook under one name."""

    hook: str
    claim: tuple[str, ...]
    function: Callable[..., Any]
    tryfirst: bool = False
    trylast: bool = False
    on_timeout: OnTimeout = "refuse"
    options: Mapping[str, Any] = field(default_factory=dict)
    number: int = field(default_factory=itertools.count().__next__)


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
        self.warnings: list[str] = []
        self._exception_handlers: ExceptionHandlers = {}

    def __repr__(self) -> str:
        return f"<Plugin {self.name}>"

    @overload
    def on_start(self, function: F) -> F: ...
    @overload
    def on_start(self, *, tryfirst: bool = ..., trylast: bool = ...) -> Callable[[F], F]: ...
    def on_start(
        self, function: F | None = None, *, tryfirst: bool = False, trylast: bool = False
    ) -> Any:
        """A worker starts: `on_start(app)`. Used with or without parentheses."""
        decorate = self._declare("on_start", (), tryfirst=tryfirst, trylast=trylast)
        return decorate if function is None else decorate(function)

    @overload
    def on_stop(self, function: F) -> F: ...
    @overload
    def on_stop(self, *, tryfirst: bool = ..., trylast: bool = ...) -> Callable[[F], F]: ...
    def on_stop(
        self, function: F | None = None, *, tryfirst: bool = False, trylast: bool = False
    ) -> Any:
        """A worker has drained: `on_stop(app)`. Used with or without parentheses."""
        decorate = self._declare("on_stop", (), tryfirst=tryfirst, trylast=trylast)
        return decorate if function is None else decorate(function)

    @overload
    def on_callback(self, function: F) -> F: ...
    @overload
    def on_callback(
        self,
        *,
        credential: str = ...,
        source: str | None = ...,
        tryfirst: bool = ...,
        trylast: bool = ...,
    ) -> Callable[[F], F]: ...
    def on_callback(
        self,
        function: F | None = None,
        *,
        credential: str = ANY,
        source: str | None = None,
        tryfirst: bool = False,
        trylast: bool = False,
    ) -> Any:
        """An external callback arrived, for one credential or, without one, for all.

        Used with or without parentheses. The default callback's credential is `server`.

        Args:
            source: instead of a credential, the source whose signed events are meant, as in
                `[source:NAME]`, or `*` for every one. Without it, events of sources are not asked
                about: what was written for callbacks need not understand them.
        """
        if source is not None and credential != ANY:
            raise ValueError("@plugin.on_callback is for a credential or for a source, not both")
        claim = (credential,) if source is None else (SOURCE, source)
        decorate = self._declare("on_callback", claim, tryfirst=tryfirst, trylast=trylast)
        return decorate if function is None else decorate(function)

    def handler(
        self,
        name: str,
        method: str | Iterable[str] = ("GET", "POST", "PUT"),
        *,
        key_required: bool = False,
        user_required: bool = False,
        **_: object,
    ) -> Callable[[F], F]:
        """A custom endpoint: the function takes a Werkzeug request and returns its response.

        Args:
            name: the path; with a slash at the end, everything below it too. `:` is `/`.
            method: the method or methods it answers.
            key_required: whether the caller needs a key or an access token.
            user_required: whether the caller has to be a user.

        Other keyword arguments are ignored, as the original ignored them.
        """
        if not isinstance(name, str):
            raise TypeError('@plugin.handler needs a name, as in @plugin.handler("foo")')
        path = endpoint_path(name)
        methods = (method,) if isinstance(method, str) else tuple(method)
        options = {"key_required": key_required, "user_required": user_required}

        def decorate(function: F) -> F:
            serve = endpoint(function, self._exception_handlers)
            for one in methods:
                self._replace("http_endpoint", (path, one))
                self._declare("http_endpoint", (path, one), options=options)(serve)
            return function

        return decorate

    def rest(self, name: str, **options: bool) -> Callable[[T], T]:
        """A resource: a subclass of `tornado_cc.skygear.RestfulResource`, served at `name`."""
        path = endpoint_path(name).rstrip("/")

        def decorate(resource: T) -> T:
            def serve(request: Any) -> Any:
                return resource().handle_request(path, request)

            for one in (path, f"{path}/"):
                self.handler(one, ("GET", "POST", "PUT", "DELETE"), **options)(serve)
            return resource

        return decorate

    def exception_handler(self, kind: type[Exception]) -> Callable[[F], F]:
        """What this plugin's endpoints do about an exception of a class and its subclasses.

        The function takes the exception. It returns None to leave it as it is, another exception
        to raise instead, or a value to answer with. The most specific class counts.
        """

        def decorate(function: F) -> F:
            self._exception_handlers[kind] = function
            return function

        return decorate

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

    def job(self, name: str) -> Callable[[F], F]:
        """The job `name` that `call.later` put off is due. One name has one owner."""
        if name == ANY:
            raise ValueError("a job is declared by its name")
        return self._declare("job", (name,))

    def send_mail(self, function: F) -> F:
        """Mail is handed over by this plugin, when `[mail] url = plugin:NAME` names it.

        The function takes the call of each; a refusal says that this mail can never be sent.
        """
        return self._declare("send_mail", (self.name,))(function)

    def every(self, when: When, name: str | None = None) -> Callable[[F], F]:
        """A schedule, whose runs all workers share: the function takes the call of each.

        Args:
            when: seconds, a timedelta, `"minute"`, `"hour"`, `"day"`, or a cron expression in UTC;
                docs/hooks.md has all spellings.
            name: what it is known by within this plugin; the function's own name when not given.
        """
        options = {"every": every(when)}

        def decorate(function: F) -> F:
            claim = (self.name, name_of(function, name))
            if any((one.hook, one.claim) == ("on_schedule", claim) for one in self.declarations):
                raise ValueError(
                    f"there are two schedules {claim[1]}; give one another name, as in"
                    ' @plugin.every("day", name="tidy")'
                )
            return self._declare("on_schedule", claim, options=options)(function)

        return decorate

    def _replace(self, hook: str, claim: tuple[str, ...]) -> None:
        """A second handler for a path and method takes the first one's place (row 28)."""
        kept = [one for one in self.declarations if (one.hook, one.claim) != (hook, claim)]
        if len(kept) < len(self.declarations):
            name = " ".join(claim)
            self.warnings.append(f"declares {hook} {name} twice; the last counts")
        self.declarations = kept

    def _declare(self, hook: str, claim: tuple[str, ...], **options: Any) -> Callable[[F], F]:
        """Remember the function that the returned decorator is put on."""
        if options.get("on_timeout", "refuse") not in ("refuse", "allow"):
            raise ValueError('on_timeout is "refuse" or "allow"')
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
    examples = {
        "cloud_function": '"hello"',
        "parse_trigger": '"Review", "afterFind"',
        "job": '"remind"',
    }
    return examples.get(hook, '"Review"')
