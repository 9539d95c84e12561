"""The one redactor: what must never be written down, and how a text is cleaned of it.

A line of log is cleaned of three things: the secrets of the settings, the secrets that the call
being run carries, and anything that looks like a session token of Parse or of ours.
"""

import base64
import json
import re
from collections.abc import Iterable, Iterator
from contextlib import suppress
from email import message_from_bytes
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

TOKEN_PREFIX = "tcc_"  # noqa: S105 - how our access tokens start, so that they can be found
_SESSION_TOKEN = re.compile(rf"\br:[0-9a-f]{{32}}\b|\b{TOKEN_PREFIX}[A-Za-z0-9_-]{{43}}")
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
    elif under_secret and isinstance(value, int | float) and not isinstance(value, bool):
        yield str(value)


def secrets_of(request: Request) -> set[str]:
    """Every secret a request carries: in its headers, its query and its JSON body."""
    found = {
        value
        for name in request.headers
        if is_sensitive(name)
        for value in request.headers.get_all(name)
    }
    found.update(_parts(request))
    found.update(value for key, value in _fields(request) if is_sensitive(key))
    with suppress(json_value.NotJson):
        found.update(secrets_in(json_value.parse(request.body)))
    return found


def _parts(request: Request) -> Iterator[str]:
    """Credentials that are only a part of their header's value."""
    for value in request.headers.get_all("authorization"):
        _, _, credentials = value.partition(" ")
        yield credentials
        with suppress(ValueError):
            pair = base64.b64decode(credentials, validate=True).decode()
            yield pair
            yield pair.partition(":")[2]
    for value in request.headers.get_all("cookie"):
        for cookie in value.split(";"):
            yield cookie.partition("=")[2].strip()


def _fields(request: Request) -> Iterator[tuple[str, str]]:
    """The fields of the query and of a form in the body."""
    yield from parse_qsl(request.query)
    kind = request.headers.get("content-type", "")
    if kind.lower().startswith("multipart/"):
        head = f"Content-Type: {kind}\r\n\r\n".encode("latin-1", "replace")
        for part in message_from_bytes(head + request.body).walk():
            name = part.get_param("name", header="content-disposition")
            payload = part.get_payload(decode=True)
            if isinstance(name, str) and isinstance(payload, bytes):
                yield name, payload.decode("utf-8", "replace")
    elif kind.lower().startswith("application/x-www-form-urlencoded"):
        yield from parse_qsl(request.body.decode("utf-8", "replace"))


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


def _percent_encoded(secret: str) -> str:
    """A pattern of a secret any of whose characters may be percent-encoded."""
    return "".join(
        f"(?:{re.escape(one)}|(?i:{''.join(f'%{byte:02x}' for byte in _bytes(one))}))"
        for one in secret
    )


def _bytes(text: str) -> bytes:
    return text.encode("utf-8", "surrogateescape")


def spellings(secrets: Iterable[str]) -> list[str]:
    """Every spelling in which these secrets could stand in a text, the longest first."""
    long_enough = (secret for secret in secrets if len(secret) >= _SHORTEST)
    found = {spelling for secret in long_enough for spelling in _spellings(secret)}
    return sorted(found, key=len, reverse=True)


class Redactor:
    """Cleans texts of the secrets it was told and of those the current call carries."""

    def __init__(self, secrets: Iterable[str] = ()) -> None:
        known = {secret for secret in secrets if len(secret) >= _SHORTEST}
        self._known = spellings(known)
        # A secret in a URL may be percent-encoded in part or in whole, in either case.
        encoded = sorted(map(_percent_encoded, known), key=len, reverse=True)
        self._encoded = re.compile("|".join(encoded)) if encoded else None

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
        if self._encoded is not None and "%" in text:
            text = self._encoded.sub(MASK, text)
        return _SESSION_TOKEN.sub(MASK, text)
