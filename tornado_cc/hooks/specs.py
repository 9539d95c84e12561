"""Every hook there is, in the order a call meets them. docs/hooks.md has a heading for each."""

import logging
import math
from collections.abc import Awaitable
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any

import pluggy

from tornado_cc.core.call import (
    CallbackCall,
    EndpointCall,
    FunctionCall,
    JobCall,
    MailCall,
    ScheduleCall,
    TriggerCall,
)
from tornado_cc.core.served import Served

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
    "job",
    "on_schedule",
    "send_mail",
    "on_stop",
)
"""The names of all hooks, in the order a call meets them."""

EXCLUSIVE = frozenset({"cloud_function", "http_endpoint", "job", "on_schedule", "send_mail"})
"""Hooks whose names have one owner; the others are chains of everybody who declared the name."""

DECLARED = {
    "job": '@plugin.job("remind")',
    "on_schedule": '@plugin.every("day")',
    "send_mail": "@plugin.send_mail",
}
"""Hooks that only what was declared is asked for, and how that is done: nobody else has a name."""


@dataclass
class App(Served):
    """What a plugin is given when the server starts and stops.

    Attributes:
        plugin: its name.
        settings: its settings.
        log: its logger.
        http: the way out, as in a call.
        store: what is kept, as in a call.
        config: the configuration, as in a call.
        webhooks: webhooks to others, as in a call.
        mail: mail to anybody, as in a call.
        parse: the Parse Server, asked as somebody who is not logged in; otherwise as in a call.
        jobs: what `later` asks.
        deadline: None; the conf decides.
    """

    plugin: str
    settings: Any
    log: logging.Logger
    deadline: float | None = None
    # The runner's, as in a call.
    until: float = field(default=math.inf, init=False)

    def later(
        self,
        name: str,
        payload: object = None,
        *,
        delay: float | timedelta = 0,
        key: str | None = None,
    ) -> Awaitable[str]:
        """Put a job off, in nobody's name; otherwise as in a call."""
        return self.jobs.later(name, payload, delay=delay, key=key)

    def cancel_later(self, key: str) -> Awaitable[None]:
        """Have a job that was put off with a key not run, as in a call."""
        return self.jobs.cancel_later(key)


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
def job(call: JobCall) -> None:
    """A job that `call.later` put off is due. May run more than once."""


@hookspec
def on_schedule(call: ScheduleCall) -> None:
    """A declared schedule is due. Runs once for each due time, again when it failed."""


@hookspec
def send_mail(call: MailCall) -> None:
    """A mail is to be handed over by this plugin. A refusal is for good; may run more than once."""


@hookspec
def on_stop(app: App) -> None:
    """A worker has drained and is about to end. An exception is logged."""
