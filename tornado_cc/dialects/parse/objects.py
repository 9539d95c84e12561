"""What goes back to a Parse Server for a changed object: its answer replaces what was sent."""

from collections.abc import Mapping
from typing import Any

from tornado_cc.core.json_value import NotJson, same

UNSENDABLE = frozenset({"className", "objectId", "createdAt", "updatedAt"})
"""Keys the Parse Server sets itself and does not take back from a plugin."""

DELETE = {"__op": "Delete"}


def check_fields(final: Mapping[str, Any], received: Mapping[str, Any]) -> None:
    """Raise `NotJson` for a field the plugin added that would make the save fail."""
    for key in final:
        if key.startswith("__") and key not in received:
            raise NotJson(f"field {key!r} starts with __, which a Parse Server refuses")


def answer(
    received: Mapping[str, Any], original: Mapping[str, Any] | None, final: Mapping[str, Any]
) -> dict[str, Any] | None:
    """The fields to send for a changed object, or None when nothing changed.

    `received` is the whole object with the client's changes over `original`. What the client
    changed has to be sent along, or it would be lost; what nobody changed must not be, or it would
    overwrite what others store meanwhile.
    """
    chosen = received.get("objectId") if original is None else None
    final, received = _sendable(final), _sendable(received)
    if same(final, received):
        return None
    fields = _pending(received, original)
    for key, value in final.items():
        if key not in received or not same(received[key], value):
            fields[key] = value
    for key in received:
        if key not in final:
            fields.pop(key, None)
            if original is not None and key in original:
                fields[key] = DELETE
    if original is None:
        fields = {key: value for key, value in fields.items() if value != DELETE}
    if isinstance(chosen, str):
        # Of a new object only a client that chose the id sends one (allowCustomObjectId); an answer
        # without it makes the Parse Server choose another.
        fields["objectId"] = chosen
    return fields


def _sendable(fields: Mapping[str, Any]) -> dict[str, Any]:
    return {key: value for key, value in fields.items() if key not in UNSENDABLE}


def _pending(received: Mapping[str, Any], original: Mapping[str, Any] | None) -> dict[str, Any]:
    """What the client is about to change: new fields, changed ones, and operations as they came."""
    if original is None:
        return dict(received)
    return {
        key: value
        for key, value in received.items()
        if key not in original or not same(original[key], value)
    }
