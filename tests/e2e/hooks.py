"""Which hooks are registered with the Parse Server for the whole run.

A hook that no plugin handles is registered on purpose: somebody removed the
plugin and forgot the hook.
"""

from __future__ import annotations

from .parse import ParseServer
from .product import TornadoCC

FUNCTIONS = (
    "helloWorld",
    "chargeCustomer",
    "echo",
    "broken",
    "nobodyKnowsMe",
    "callOut",
    "callOutPlainly",
    "commentCount",
)

TRIGGERS = {
    "Review": ["beforeSave"],
    "Comment": ["afterSave", "afterDelete"],
    "Post": ["beforeSave", "beforeDelete"],
    "Typed": ["beforeSave", "afterSave"],
    "Tally": ["beforeSave"],
    "TallyChanged": ["beforeSave"],
    "Diary": ["beforeSave"],
    "Partial": ["beforeSave"],
    "Removal": ["beforeSave"],
    "RemovalNew": ["beforeSave"],
    "Counted": ["beforeSave"],
    "Race": ["beforeSave"],
    "RaceChanged": ["beforeSave"],
    "_User": ["beforeSave", "afterLogin"],
    "Broken": ["beforeSave"],
    "BrokenAfter": ["afterSave"],
    "Shelf": ["beforeFind", "afterFind"],
    "Catalogue": ["beforeFind", "afterFind"],
    "Hidden": ["afterFind"],
    "Vault": ["beforeFind"],
    "Slow": ["afterSave"],
    "Priced": ["beforeSave"],
    "PricedSlowly": ["beforeSave"],
    "OrphanSave": ["beforeSave"],
    "OrphanDelete": ["beforeDelete"],
    "OrphanFind": ["beforeFind"],
    "OrphanAfter": ["afterSave", "afterDelete", "afterFind"],
}

LOCKED_FUNCTION = "lockedFunction"
"""Registered at a tornado_cc that expects another webhook key."""

LOCKED_CLASS = "Locked"
"""The same for a class."""


def register_all(server: ParseServer, product: TornadoCC) -> None:
    """Register one hook after another: registering in parallel loses hooks."""
    for name in FUNCTIONS:
        server.register_function(name, product.function_url(name))
    for class_name, triggers in TRIGGERS.items():
        for trigger in triggers:
            url = product.trigger_url(class_name, trigger)
            server.register_trigger(class_name, trigger, url)


def register_locked(server: ParseServer, stranger: TornadoCC) -> None:
    """Register the hooks that the stranger will not answer."""
    server.register_function(LOCKED_FUNCTION, stranger.function_url(LOCKED_FUNCTION))
    url = stranger.trigger_url(LOCKED_CLASS, "beforeSave")
    server.register_trigger(LOCKED_CLASS, "beforeSave", url)
