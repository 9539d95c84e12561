"""The one redactor: what must never be written down, and how a text is cleaned of it.

A line of log is cleaned of three things: the secrets of the settings, the secrets that the call
being run carries, and anything that looks like a Parse session token.
"""

import base64
import json
import re
from collections.abc import Iterable, Iterator
from contextlib import suppress
from typing import Any
from urllib.parse import parse_qsl, quote, quote_plus

from tornado_cc.core import json_value
from tornado_cc.core.call import CURRENT, Call
from tornado_cc.core.message import Request

MASK = "[redacted]"

SENSITIVE_KEYS = frozenset(
    {
        "accesstoken",
        "apikey",
        "authdata",
        "authorization",
        "cookie",
        "masterkey",
        "newpassword",
        "oldpassword",
        "password",
        "proxyauthorization",
        "secret",
        "serversecret",
        "sessiontoken",
        "setcookie",
        "token",
        "xparsejavascriptkey",
        "xparseclientkey",
        "xparsemaintenancekey",
        "xparsemasterkey",
        "xparserestapikey",
        "xparsesessiontoken",
        "xparsewebhookkey",
        "xparsewindowskey",
        "xskygearaccesstoken",
        "xskygearapikey",
    }
)
"""Keys and header names, in lower case without `-` and `_`, whose values are secrets."""

_SESSION_TOKEN = re.compile(r"\br:[0-9a-f]{32}\b")
# Masking every "a" because somebody's password is "a" would hide the log, not the password.
_SHORTEST = 4


def is_sensitive(key: str) -> bool:
    """Whether the value under this key or header is a secret."""
    return key.lower().replace("-", "").replace("_", "") in SENSITIVE_KEYS


def secrets_in(value: Any, *, under_secret: bool = False) -> Iterator[str]:
    """Every text in a JSON value that stands under a sensitive key."""
    if isinstance(value, dict):
        for key, item in value.items():
            yield from secrets_in(item, under_secret=under_secret or is_sensitive(key))
    elif isinstance(value, list):
        for item in value:
            yield from secrets_in(item, under_secret=under_secret)
    elif under_secret and isinstance(value, str):
        yield value


def secrets_of(request: Request) -> set[str]:
    """Every secret a request carries: in its headers, its query and its JSON body."""
    found = {
        value
        for name in request.headers
        if is_sensitive(name)
        for value in request.headers.get_all(name)
    }
    found.update(value for key, value in parse_qsl(request.query) if is_sensitive(key))
    with suppress(json_value.NotJson):
        found.update(secrets_in(json_value.parse(request.body)))
    return found


def _spellings(secret: str) -> Iterator[str]:
    raw = secret.encode("utf-8", "surrogateescape")
    yield secret
    yield repr(secret)[1:-1]
    yield ascii(secret)[1:-1]
    yield repr(raw)[2:-1]
    yield json_value.dump(secret.encode("utf-8", "replace").decode())[1:-1].decode()
    # The standard library's JSON, unlike ours, escapes everything but ASCII.
    yield json.dumps(secret)[1:-1]
    # Nothing, a path and a browser leave different characters as they are.
    yield from (quote(raw, safe=safe) for safe in ("", "/", "!'()*"))
    yield quote_plus(raw)
    yield base64.b64encode(raw).decode().rstrip("=")
    yield base64.urlsafe_b64encode(raw).decode().rstrip("=")
    yield raw.hex()


def spellings(secrets: Iterable[str]) -> list[str]:
    """Every spelling in which these secrets could stand in a text, the longest first."""
    long_enough = (secret for secret in secrets if len(secret) >= _SHORTEST)
    found = {spelling for secret in long_enough for spelling in _spellings(secret)}
    return sorted(found, key=len, reverse=True)


class Redactor:
    """Cleans texts of the secrets it was told and of those the current call carries."""

    def __init__(self, secrets: Iterable[str] = ()) -> None:
        self._known = spellings(secrets)

    def __repr__(self) -> str:
        return f"<Redactor of {len(self._known)} spellings>"

    def clean(self, text: str, call: Call | None = None) -> str:
        """`text` with every secret replaced by a mask.

        Args:
            call: whose secrets to look for; the call being run when not given.
        """
        known = self._known
        call = call or CURRENT.get()
        if call is not None:
            if call.redactions is None:
                call.redactions = spellings(secrets_of(call.request))
            # In one order by length, so that a short secret cannot break a long one apart.
            known = sorted({*known, *call.redactions}, key=len, reverse=True)
        for spelling in known:
            text = text.replace(spelling, MASK)
        return _SESSION_TOKEN.sub(MASK, text)
