"""Takes part in queries."""

from __future__ import annotations

from typing import Any

from tornado_cc import Plugin, Refusal, TriggerCall

plugin = Plugin("e2e_finding")


@plugin.parse_trigger("Shelf", "beforeFind")
@plugin.parse_trigger("Catalogue", "beforeFind")
async def allow(call: TriggerCall) -> None:
    """Let the query pass."""


@plugin.parse_trigger("Vault", "beforeFind")
async def refuse(call: TriggerCall) -> None:
    """Let no query pass."""
    raise Refusal("the vault is closed")


@plugin.parse_trigger("Shelf", "afterFind")
async def leave(call: TriggerCall) -> None:
    """Leave what was found as it is."""


@plugin.parse_trigger("Catalogue", "afterFind")
async def relabel(call: TriggerCall) -> list[dict[str, Any]]:
    """Return other objects than those found."""
    return [{**found, "label": "changed"} for found in call.objects]


@plugin.parse_trigger("Hidden", "afterFind")
async def hide(call: TriggerCall) -> list[dict[str, Any]]:
    """Return none of the objects found."""
    return []
