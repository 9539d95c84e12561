"""Which headers may leave, in an answer or in a request of ours: one check for both."""

import re

_NAME = re.compile(r"[!#$%&'*+\-.^_`|~0-9A-Za-z]+")
# Tab is the only control character a value may hold; the wire carries Latin-1.
_VALUE = re.compile(r"[\t\x20-\x7e\x80-\xff]*")

FRAMING = frozenset(
    {
        "connection",
        "content-length",
        "keep-alive",
        "proxy-connection",
        "te",
        "trailer",
        "transfer-encoding",
        "upgrade",
    }
)
"""Headers that decide where a message ends; only the connection's owner writes them."""


class BadHeader(ValueError):
    """A header that would break the message it stands in."""


def check(name: str, value: str) -> None:
    """Raise `BadHeader` for framing, for a malformed name and for a value that would not fit."""
    if not _NAME.fullmatch(name):
        raise BadHeader(f"{name!r} is not a header name")
    if name.lower() in FRAMING:
        raise BadHeader(f"{name} is not a plugin's to set: it decides where a message ends")
    if not _VALUE.fullmatch(value):
        raise BadHeader(
            f"the value of {name} holds a line break or another character no header may"
        )
