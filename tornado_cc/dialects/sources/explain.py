"""Why a signature does not fit: tried out, for whoever has to find it out.

What is found here explains a refusal and never lifts it. Trying takes time, which the sender of a
bad signature must not be able to take from everybody: not of large bodies, and not often.
"""

import binascii
import json
import zlib
from base64 import b64decode
from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from typing import Any, NamedTuple
from urllib.parse import unquote_to_bytes

from tornado_cc.core import clock, json_value
from tornado_cc.core.errors import Reason, Refusal
from tornado_cc.core.message import Request
from tornado_cc.core.verdict import Verdict
from tornado_cc.dialects.sources.scheme import SCHEMES, KeyEncoding, Scheme, keys_of
from tornado_cc.dialects.sources.verify import Signed, Source, missing

LARGEST = 64 << 10
"""Bytes of a body that is tried in other spellings."""
A_MINUTE = 60
"""How many signatures are explained in a minute. One of a large JSON body takes up to 0.05 s."""

_BOM = b"\xef\xbb\xbf"


class Cause(NamedTuple):
    """What is wrong, and how it shows."""

    verdict: Verdict
    text: str


class Explainer:
    """Finds causes, as long as not too many were asked for in this minute."""

    def __init__(self) -> None:
        self._minute = 0.0
        self._count = 0

    def refusal(self, source: Source, others: Sequence[Source], found: Signed) -> Refusal:
        """The refusal of a signature that is not the source's, with its cause for the journal."""
        cause = Cause(Verdict.WRONG, f"not looked into: more than {A_MINUTE} in this minute")
        if self._has_room():
            cause = _cause(source, others, found)
        return Refusal(
            "The signature does not fit",
            reason=Reason.BAD_SIGNATURE,
            log=cause.text,
            verdict=cause.verdict.value,
        )

    def _has_room(self) -> bool:
        now = clock.monotonic()
        if now - self._minute >= 60:
            self._minute, self._count = now, 0
        self._count += 1
        return self._count <= A_MINUTE


def without_header(scheme: Scheme, request: Request, refusal: Refusal) -> Refusal:
    """The refusal of a request that lacks a header, when it has those of another provider."""
    wanted = scheme.signature[0]
    if any(one in request.headers for one in scheme.signature):
        return refusal
    for name, other in SCHEMES.items():
        for header in other.signature:
            if other is not scheme and header in request.headers:
                cause = f"{wanted} is missing, and {header} is there, as {name} sends it"
                return missing(wanted, cause, Verdict.OTHER_SCHEME)
    return refusal


def _cause(source: Source, others: Sequence[Source], found: Signed) -> Cause:
    if len(found.body) <= LARGEST:
        for spelling, body in spellings(found.body):
            if body != found.body and _fits(source, found, body):
                return Cause(Verdict.BODY, f"the signature fits the body {spelling}")
    for reading, key in _readings(source):
        if found.fits(source.scheme, key):
            return Cause(Verdict.KEY, f"the signature fits the secret {reading}")
    for other in others:
        if _fits(other, found, None, source.scheme):
            text = f"the signature fits the secret of [source:{other.name}]"
            return Cause(Verdict.OTHER_SOURCE, text)
    return Cause(Verdict.WRONG, _wrong(source, found))


def _wrong(source: Source, found: Signed) -> str:
    known = "either secret" if len(source.keys) > 1 else "the secret"
    if len(found.body) > LARGEST:
        tried = f"a body of more than {LARGEST >> 10} KiB is not tried in other spellings"
    else:
        tried = "no other spelling of the body does either"
    return f"the signature does not fit {known}; {tried}"


def _fits(source: Source, found: Signed, body: bytes | None, scheme: Scheme | None = None) -> bool:
    how = scheme or source.scheme
    return any(found.fits(how, key, body) for keys in source.keys for key in keys)


def _readings(source: Source) -> Iterator[tuple[str, bytes]]:
    """The secrets as somebody else may have read them."""
    encodings: tuple[KeyEncoding, ...] = ("base64", "hex")
    for secret in source.secrets:
        text = secret.reveal()
        rest = text.removeprefix("whsec_")
        yield "taken as text", text.encode("utf-8", "surrogateescape")
        yield "without the white space around it", text.strip().encode("utf-8", "surrogateescape")
        yield "without whsec_", rest.encode("utf-8", "surrogateescape")
        for encoding in encodings:
            with suppress(ValueError):
                yield f"decoded from {encoding}", keys_of(rest, encoding)[0]


def spellings(body: bytes) -> Iterator[tuple[str, bytes]]:
    """A body as it may have been before something on the way wrote it anew."""
    yield "when it is empty: it was lost, or came after it was signed", b""
    yield "without the white space around it", body.strip()
    yield "with a line end after it", body + b"\n"
    yield "with LF in place of CRLF", body.replace(b"\r\n", b"\n")
    yield "with CRLF in place of LF", body.replace(b"\r\n", b"\n").replace(b"\n", b"\r\n")
    yield "without a byte-order mark", body.removeprefix(_BOM)
    yield "with a byte-order mark", _BOM + body
    yield "with its percent signs decoded", unquote_to_bytes(body)
    yield "with + and percent signs decoded", unquote_to_bytes(body.replace(b"+", b" "))
    with suppress(UnicodeError):
        yield "in Latin-1 in place of UTF-8", body.decode("utf-8").encode("latin-1")
    yield "in UTF-8 in place of Latin-1", body.decode("latin-1").encode()
    with suppress(ValueError, binascii.Error):
        yield "decoded from base64", b64decode(body, validate=True)
    with suppress(zlib.error):
        yield "decompressed", zlib.decompressobj(wbits=47).decompress(body, LARGEST)
    with suppress(json_value.NotJson, ValueError, RecursionError):
        yield from _as_json(json_value.parse(body))


def _as_json(value: Any) -> Iterator[tuple[str, bytes]]:
    """JSON in the spellings that serializers have."""
    compact: Mapping[str, Any] = {"separators": (",", ":")}
    for how, options in (
        ("compact", compact),
        ("with a space after each comma and colon", {}),
        ("indented by two", {"indent": 2}),
        ("indented by four", {"indent": 4}),
        ("compact, its keys sorted", {**compact, "sort_keys": True}),
    ):
        for ascii_only in (False, True):
            text = json.dumps(value, ensure_ascii=ascii_only, **options)
            escaped = " and escaped to ASCII" if ascii_only else ""
            yield f"as JSON {how}{escaped}", text.encode("utf-8", "surrogatepass")
            # PHP escapes slashes, and many hash what PHP wrote.
            yield f"as JSON {how}{escaped}, with \\/", text.replace("/", "\\/").encode()
