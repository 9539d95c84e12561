"""What a Parse Server can register here: functions and triggers that plugins declared by name."""

from typing import Any

from tornado_cc.core.ports import Claims
from tornado_cc.dialects.parse import triggers


def manifest(claims: Claims) -> dict[str, Any]:
    """All of it, in the form of ParseCloud/1.0.

    A class declared as `*` is left out: no Parse Server can register it.
    """
    functions = [{"name": name} for (name,) in claims.of("cloud_function")]
    named = [one for one in _triggers(claims) if "*" not in one.values()]
    return {
        "protocol": "ParseCloud/1.0",
        "hooks": {"functions": functions, "triggers": named, "jobs": []},
    }


def unregistrable(claims: Claims) -> list[str]:
    """The declarations that were left out, for people."""
    return [
        f"{one['className']} {one['triggerName']}"
        for one in _triggers(claims)
        if "*" in one.values()
    ]


def _triggers(claims: Claims) -> list[dict[str, str]]:
    saves = [
        {"className": name, "triggerName": trigger}
        for hook, trigger in triggers.NAMES.items()
        for (name,) in claims.of(hook)
    ]
    others = [
        {"className": name, "triggerName": trigger} for name, trigger in claims.of("parse_trigger")
    ]
    return saves + others
