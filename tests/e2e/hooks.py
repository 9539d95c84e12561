"""Which hooks are registered with the Parse Server for the whole run.

Those that a plugin has are registered by `hooks apply`. Others are registered by hand on
purpose: somebody removed the plugin and forgot the hook.
"""

from __future__ import annotations

from .parse import ParseServer
from .product import TornadoCC

ORPHAN_FUNCTION = "nobodyKnowsMe"
"""A function that no plugin has."""

ORPHANS = {
    "OrphanSave": ["beforeSave"],
    "OrphanDelete": ["beforeDelete"],
    "OrphanFind": ["beforeFind"],
    "OrphanAfter": ["afterSave", "afterDelete", "afterFind"],
}
"""Triggers that no plugin has."""

LOCKED_FUNCTION = "lockedFunction"
"""Registered at a tornado_cc that expects another webhook key."""

LOCKED_CLASS = "Locked"
"""The same for a class."""


def register_all(server: ParseServer, product: TornadoCC) -> None:
    """Register what the plugins have, and what none has."""
    applied = product.hooks("apply")
    assert applied.returncode == 0, applied.stdout + applied.stderr
    server.register_function(ORPHAN_FUNCTION, product.function_url(ORPHAN_FUNCTION))
    for class_name, triggers in ORPHANS.items():
        for trigger in triggers:
            url = product.trigger_url(class_name, trigger)
            server.register_trigger(class_name, trigger, url)


def register_locked(server: ParseServer, stranger: TornadoCC) -> None:
    """Register the hooks that the stranger will not answer."""
    server.register_function(LOCKED_FUNCTION, stranger.function_url(LOCKED_FUNCTION))
    url = stranger.trigger_url(LOCKED_CLASS, "beforeSave")
    server.register_trigger(LOCKED_CLASS, "beforeSave", url)
