"""The triggers of a Parse Server: which hook each fires, and what each may answer (spec parse)."""

import logging
from collections.abc import Mapping
from typing import Any

from tornado_cc.core import json_value
from tornado_cc.core.call import TriggerCall
from tornado_cc.core.json_value import NotJson

_log = logging.getLogger("tornado_cc.dialects")

NAMES: Mapping[str, str] = {
    "before_save": "beforeSave",
    "after_save": "afterSave",
    "before_delete": "beforeDelete",
    "after_delete": "afterDelete",
}
"""The hooks that have a trigger of their own; every other trigger is `parse_trigger`."""

_HOOKS = {trigger: hook for hook, trigger in NAMES.items()}
_NOT_OBJECTS = frozenset({"@File", "@Connect"})
_CLASSES = {
    "beforeLogin": "_User",
    "afterLogin": "_User",
    "beforePasswordResetRequest": "_User",
    "afterLogout": "_Session",
    "beforeConnect": "@Connect",
}
# For these an error, or a value, would spoil what has already happened: spec parse, section 2.
_ANSWERED_FIRST = frozenset(
    {
        "afterSave",
        "afterDelete",
        "afterLogin",
        "afterLogout",
        "afterSaveFile",
        "afterDeleteFile",
    }
)


def class_of(trigger: str, body: Mapping[str, Any]) -> str:
    """The class of a trigger whose body and path do not name one; empty when nothing tells."""
    return "@File" if "file" in body else _CLASSES.get(trigger, "")


def hook_of(class_name: str, trigger: str) -> str:
    """The hook a trigger fires. Files and connections are no objects, so theirs is the general."""
    if class_name in _NOT_OBJECTS:
        return "parse_trigger"
    return _HOOKS.get(trigger, "parse_trigger")


def is_before(trigger: str) -> bool:
    """Whether the Parse Server asks for leave: then silence and failure mean no."""
    return trigger.startswith("before")


def is_answered_first(trigger: str) -> bool:
    """Whether the answer is `{}` whatever the hooks do, and does not wait for them."""
    return trigger in _ANSWERED_FIRST


def accept_found(call: TriggerCall, value: object) -> Any:
    """What a `parse_trigger` hook leaves for the next one and for the answer.

    Only afterFind can change anything, and only by a list of objects: anything else crashes the
    Parse Server's process.
    """
    if call.trigger != "afterFind":
        if value != call.objects:
            _log.warning("a parse_trigger hook returned a value that its trigger cannot use")
        return call.objects
    plain = json_value.checked(value)
    if not isinstance(plain, list) or not all(isinstance(one, dict) for one in plain):
        raise NotJson("afterFind takes a list of objects, or None for no change")
    if plain and not json_value.same(plain, call.objects):
        _log.warning("a Parse Server shows empty objects for a changed list that is not empty")
    return plain
