"""What plugin authors import, and nothing else."""

from tornado_cc.core.call import Call, FunctionCall, TriggerCall
from tornado_cc.core.errors import Refusal
from tornado_cc.core.secret import Secret
from tornado_cc.hooks import App, Plugin, hookimpl, inline
from tornado_cc.settings import Field, Names, Seconds, SecretText, Settings, Size

__all__ = [
    "App",
    "Call",
    "Field",
    "FunctionCall",
    "Names",
    "Plugin",
    "Refusal",
    "Seconds",
    "Secret",
    "SecretText",
    "Settings",
    "Size",
    "TriggerCall",
    "hookimpl",
    "inline",
]
