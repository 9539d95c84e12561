"""What of a mail that is kept may be shown to somebody."""

from collections.abc import Mapping
from typing import Any

_BODIES = ("text", "html", "attachments")


def without_bodies(facts: Mapping[str, Any]) -> dict[str, Any]:
    """A kept mail with the sizes of its text and attachments in place of what they say.

    A mail with a link to set a new password is nothing for a screen or a log.
    """
    shown = {name: value for name, value in facts.items() if name not in _BODIES}
    for name in ("text", "html"):
        value = facts.get(name)
        shown[name] = None if value is None else f"({len(value):,} characters)"
    shown["attachments"] = [
        {**one, "content": f"({_size(one['content']):,} bytes)"}
        for one in facts.get("attachments") or ()
    ]
    return shown


def _size(encoded: str) -> int:
    """Bytes of what this is the base64 of."""
    return len(encoded) // 4 * 3 - encoded.count("=")
