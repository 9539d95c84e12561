"""A call: one request, read by its dialect, as the hooks receive it."""

import copy
import logging
from collections.abc import Mapping
from contextvars import ContextVar
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Any, Self

from tornado_cc.core.message import Request

NOTHING: Mapping[str, Any] = MappingProxyType({})


@dataclass(slots=True, kw_only=True, repr=False)
class Call:
    """What every hook is given, whichever dialect the caller spoke.

    Attributes:
        dialect: the dialect's name, as in its conf section.
        hook: the hook this call fires.
        claim: the names by which plugins claim it, for example `("Review",)`.
        request: the exact bytes and headers received.
        user: the calling user, when there is one. A Parse user carries its `sessionToken`.
        master: whether the caller used the master key.
        installation_id: the calling installation, when known.
        context: what the caller passed along for hooks to read.
        plugin: the plugin this copy of the call was given to.
        settings: that plugin's own settings.
        log: that plugin's own logger.
    """

    dialect: str
    hook: str
    claim: tuple[str, ...]
    request: Request
    user: Mapping[str, Any] | None = None
    master: bool = False
    installation_id: str | None = None
    context: Mapping[str, Any] = field(default_factory=dict)
    plugin: str = ""
    settings: Any = None
    log: logging.Logger = field(default=logging.getLogger("tornado_cc.plugin"))
    # The redactor's: what to mask in this call's log lines, found once, when the first is written.
    redactions: list[str] | None = field(default=None, init=False)

    def __repr__(self) -> str:
        """The kind of call only: everything else may hold a password or a token."""
        return f"<{type(self).__name__} {self.hook} from {self.dialect}>"

    def given_to(self, plugin: str, settings: Any, log: logging.Logger) -> Self:
        """This call as one implementation gets it; what it assigns stays on its own copy."""
        mine = copy.copy(self)
        mine.plugin = plugin
        mine.settings = settings
        mine.log = log
        return mine


@dataclass(slots=True, kw_only=True, repr=False)
class FunctionCall(Call):
    """A named function was called.

    Attributes:
        name: the function.
        params: its parameters, JSON.
    """

    name: str
    params: Mapping[str, Any] = field(default_factory=dict)


@dataclass(slots=True, kw_only=True, repr=False)
class TriggerCall(Call):
    """Something is about to happen to an object, or has happened.

    Attributes:
        trigger: the trigger in its dialect's own spelling, for example `beforeSave`.
        class_name: the class of the object; empty when the caller does not say it.
        object: the object as JSON; before a save it may be changed.
        original: the stored object before the change, None on create.
        objects: what a find found; an afterFind hook may empty it (docs/parse.md says why no more).
        query: the query of a find.
        file: the file of a file trigger.
        before: whether the caller waits for leave; a failure then refuses.
        afterwards: whether the caller is answered first and the hooks run after that.
        params: everything the caller said, for triggers that carry more than the above.
    """

    trigger: str
    class_name: str
    object: dict[str, Any] = field(default_factory=dict)
    original: Mapping[str, Any] | None = None
    objects: list[Any] = field(default_factory=list)
    query: Mapping[str, Any] | None = None
    file: Mapping[str, Any] | None = None
    before: bool = False
    afterwards: bool = False
    params: Mapping[str, Any] = field(default_factory=dict)


CURRENT: ContextVar[Call | None] = ContextVar("tornado_cc_call", default=None)
"""The call being run, for the redactor: its secrets must not reach a log line written meanwhile."""
