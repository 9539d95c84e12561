"""A value that is compared and never shown."""

import hmac
import re

_EXAMPLES = frozenset(
    {
        "changeit",
        "admin",
        "changeme",
        "changemeinproduction",
        "changethis",
        "foo",
        "none",
        "null",
        "default",
        "devwebhookkey",
        "example",
        "key",
        "password",
        "replaceme",
        "secret",
        "test",
        "testkey",
        "todo",
        "webhookkey",
    }
)
# Placeholders such as <key> and YOUR_KEY, and the keys of conf/dev.ini.
_PLACEHOLDER = re.compile(r"<.*>|\$\{.*\}|(.)\1*|(your|dev)[-_ ].*", re.IGNORECASE | re.DOTALL)


class Secret:
    """A secret from the settings: it prints as `Secret(***)` and compares in constant time."""

    __slots__ = ("_bytes", "_value")

    def __init__(self, value: str) -> None:
        self._value = value
        # A variable whose bytes are not UTF-8 arrives with surrogates, which stand for the bytes.
        self._bytes = value.encode("utf-8", "surrogateescape")

    def __bool__(self) -> bool:
        return bool(self._value)

    def __repr__(self) -> str:
        return "Secret(***)" if self._value else "Secret()"

    __str__ = __repr__

    def reveal(self) -> str:
        """The value itself: for the sender of a credential and for the redactor, nobody else."""
        return self._value

    def matches(self, candidate: str | None) -> bool:
        """Whether `candidate` is this secret; an absent candidate costs as much as a wrong one.

        A header's value is Latin-1 by the standard (Node sends it so) and UTF-8 by habit (curl
        does), so a candidate is taken either way. The only comparison of secrets in the project.
        """
        candidate = candidate or ""
        as_text = candidate.encode("utf-8", "surrogateescape")
        as_bytes = as_text if candidate.isascii() else _latin_1(candidate, as_text)
        mine = self._bytes
        return hmac.compare_digest(mine, as_text) | hmac.compare_digest(mine, as_bytes)

    def is_example(self) -> bool:
        """Whether the value is one that an example, a default or a habit would put there."""
        value = self._value.strip()
        plain = re.sub(r"[-_ .]", "", value).lower()
        return plain in _EXAMPLES or _PLACEHOLDER.fullmatch(value) is not None


def _latin_1(text: str, otherwise: bytes) -> bytes:
    try:
        return text.encode("latin-1")
    except UnicodeEncodeError:
        return otherwise
