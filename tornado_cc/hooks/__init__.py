"""What plugins plug into. Owns pluggy: pluggy registers and validates, `fire` calls."""

from tornado_cc.hooks.declare import Plugin, hookimpl
from tornado_cc.hooks.fire import Fired, Fires, Runner
from tornado_cc.hooks.kinds import inline
from tornado_cc.hooks.plugins import Loaded, LoadError, load
from tornado_cc.hooks.registry import Implementation, Registry
from tornado_cc.hooks.specs import App
from tornado_cc.hooks.tasks import install
from tornado_cc.hooks.watch import Watchdog

__all__ = [
    "App",
    "Fired",
    "Fires",
    "Implementation",
    "LoadError",
    "Loaded",
    "Plugin",
    "Registry",
    "Runner",
    "Watchdog",
    "hookimpl",
    "inline",
    "install",
    "load",
]
