"""Every hook there is, in the order a call meets them. docs/hooks.md has a heading for each."""

import logging
from dataclasses import dataclass, field
from typing import Any

import pluggy

from tornado_cc.core.call import CallbackCall, EndpointCall, FunctionCall, TriggerCall
from tornado_cc.core.ports import Http
from tornado_cc.core.state import Config, Store

PROJECT = "tornado_cc"
hookspec = pluggy.HookspecMarker(PROJECT)

HOOKS = (
    "on_start",
    "on_callback",
    "cloud_function",
    "before_save",
    "after_save",
    "before_delete",
    "after_delete",
    "parse_trigger",
    "http_endpoint",
    "on_stop",
)
"""The names of all hooks, in the order a call meets them."""

EXCLUSIVE = frozenset({"cloud_function", "http_endpoint"})
"""Hooks whose names have one owner; the others are chains of everybody who declared the name."""


@dataclass(slots=True)
class App:
    """What a plugin is given when the server starts and stops.

    Attributes:
        plugin: its name.
        settings: its settings.
        log: its logger.
        http: the way out, as in a call.
        store: what is kept, as in a call.
        config: the configuration, as in a call.
        deadline: None; the conf decides.
    """

    plugin: str
    settings: Any
    log: logging.Logger
    http: Http = field(init=False)
    store: Store = field(init=False)
    config: Config = field(init=False)
    deadline: float | None = None


@hookspec
def on_start(app: App) -> None:
    """A worker starts, before it listens. An exception keeps it from starting."""


@hookspec
def on_callback(call: CallbackCall) -> object:
    """An external callback arrived. Each implementation may add to the answer; a value ends it."""


@hookspec
def cloud_function(call: FunctionCall) -> object:
    """A named function was called. Its declared owner's value is the answer, None included."""


@hookspec
def before_save(call: TriggerCall) -> object:
    """An object is about to be stored. Change `call.object`, return changes, or refuse."""


@hookspec
def after_save(call: TriggerCall) -> None:
    """An object was stored and the caller answered. May run more than once for one save."""


@hookspec
def before_delete(call: TriggerCall) -> object:
    """An object is about to be removed. Refuse to keep it."""


@hookspec
def after_delete(call: TriggerCall) -> None:
    """An object is gone and the caller answered. May run more than once for one delete."""


@hookspec
def parse_trigger(call: TriggerCall) -> object:
    """Any other trigger of a Parse Server: finds, logins, files, live queries."""


@hookspec
def http_endpoint(call: EndpointCall) -> object:
    """A custom endpoint was requested. Its declared owner's value becomes the response."""


@hookspec
def on_stop(app: App) -> None:
    """A worker has drained and is about to end. An exception is logged."""
