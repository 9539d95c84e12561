"""The one redactor: what must never be written down, and how a text is cleaned of it.

A line of log is cleaned of three things: the secrets of the settings, the secrets that the call
being run carries, and anything that looks like a session token of Parse or of ours.
"""

import base64
import json
import re
from collections.abc import Container, Iterable, Iterator
from contextlib import suppress
from dataclasses import dataclass, field
from email import message_from_bytes
from typing import Any
from urllib.parse import parse_qsl, quote, quote_plus, unquote_plus

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

CREDENTIAL_KEYS = SENSITIVE_KEYS - {"apikey", "cookie", "secret", "setcookie", "token"}
"""Those that are a credential in an object of any class (spec parse, section 1). The others may as
well be the name of a plugin's field, such as the token of a device."""

TOKEN_PREFIX = "tcc_"  # noqa: S105 - how our access tokens start, so that they can be found
_SESSION_TOKEN = re.compile(rf"\br:[0-9a-f]{{32}}\b|\b{TOKEN_PREFIX}[A-Za-z0-9_-]{{43}}")
# Masking every "a" because somebody's password is "a" would hide the log, not the password.
_SHORTEST = 4
_DIGEST = 20
"""Characters of a signature at least, which tells it from the time and the id beside it."""


def is_sensitive(key: str) -> bool:
    """Whether the value under this key or header is a secret."""
    return _plain(key) in SENSITIVE_KEYS


def is_signature(header: str) -> bool:
    """Whether this header signs its request: with the body, whoever reads it could send it again.

    Providers give it many names, such as Stripe-Signature and X-Shopify-Hmac-Sha256.
    """
    name = header.lower()
    return "signature" in name or "hmac" in name


def _plain(key: str) -> str:
    return key.lower().replace("-", "").replace("_", "")


def masked(value: Any, keys: Container[str] = SENSITIVE_KEYS, *, hide: bool = False) -> Any:
    """A JSON value with a mask for each text and number below these keys; itself when it has none.

    Args:
        keys: in lower case, without `-` and `_`.
        hide: whether the value itself stands below one.
    """
    if isinstance(value, dict):
        found = {
            key: masked(item, keys, hide=hide or _plain(key) in keys) for key, item in value.items()
        }
        return found if any(found[key] is not value[key] for key in found) else value
    if isinstance(value, list):
        items = [masked(item, keys, hide=hide) for item in value]
        return items if any(a is not b for a, b in zip(items, value, strict=True)) else value
    if not hide or value is None or isinstance(value, bool) or value == "":
        return value
    return MASK


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
        if is_sensitive(name) or is_signature(name)
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
    for name in filter(is_signature, request.headers):
        for value in request.headers.get_all(name):
            yield from (one for one in re.split(r"[\s,;=]+", value) if len(one) >= _DIGEST)
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


def _has_secret_field(request: Request) -> bool:
    return any(is_sensitive(key) for key, _ in _fields(request))


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


@dataclass(frozen=True, slots=True)
class KeptRequest:
    """What of a request the database may have.

    Attributes:
        changed: whether query or body are not what was sent.
    """

    path: str = field(repr=False)
    query: str = field(repr=False)
    headers: list[list[str]] = field(repr=False)
    body: bytes = field(repr=False)
    changed: bool


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
        call = call or CURRENT.get()
        return self._cleaned(text, call)

    def kept(self, text: str) -> str:
        """`text` as the database may have it: without the secrets this was told of, and tokens."""
        return self._cleaned(text, None)

    def kept_json(self, value: Any, keys: Container[str] = CREDENTIAL_KEYS) -> bytes:
        """A value as JSON that the database may have."""
        value = masked(value, keys)
        body = json_value.dump(value)
        text = body.decode()
        # Whole, the text is looked through fast; but a mask in place of a number is no JSON.
        return body if self.kept(text) == text else json_value.dump(self._strings(value))

    def kept_request(self, request: Request, path: str) -> "KeptRequest":
        """A request as the database may have it.

        Args:
            path: the request's, with the credentials masked that the dialect knows to be there.
        """
        headers = [
            [name, MASK if is_sensitive(name) or is_signature(name) else self.kept(value)]
            for name in request.headers
            for value in request.headers.get_all(name)
        ]
        query, body = self._kept_form(request.query), self.kept_body(request.body, request)
        changed = body != request.body or query != request.query
        return KeptRequest(self.kept(path), query, headers, body, changed)

    def kept_body(self, body: bytes, request: Request | None = None) -> bytes:
        """A body as the database may have it; of a request, by what its headers say it is."""
        kind = "" if request is None else request.headers.get("content-type", "").lower()
        if request is not None and kind.startswith("multipart/") and _has_secret_field(request):
            return MASK.encode()
        try:
            value = json_value.parse(body)
        except json_value.NotJson:
            text = body.decode("utf-8", "surrogateescape")
            is_form = kind.startswith("application/x-www-form-urlencoded")
            text = self._kept_form(text) if is_form else self.kept(text)
            return text.encode("utf-8", "surrogateescape")
        text = body.decode()
        if masked(value) is value and self.kept(text) == text:
            return body
        return self.kept_json(value, SENSITIVE_KEYS)

    def _kept_form(self, text: str) -> str:
        """The fields of a query or a form as they were sent, without the secret ones."""
        fields = [one.partition("=") for one in text.split("&")]
        return "&".join(
            f"{key}={MASK}"
            if value and is_sensitive(unquote_plus(key))
            else self.kept(f"{key}{is_}{value}")
            for key, is_, value in fields
        )

    def _strings(self, value: Any) -> Any:
        if isinstance(value, dict):
            return {self.kept(key): self._strings(item) for key, item in value.items()}
        if isinstance(value, list):
            return [self._strings(item) for item in value]
        return self.kept(value) if isinstance(value, str) else value

    def _cleaned(self, text: str, call: Call | None) -> str:
        known = self._known
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
