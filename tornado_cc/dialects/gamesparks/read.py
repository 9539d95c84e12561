"""What a callback brings: query and form merged, and the body as text (spec gamesparks, 22-43)."""

import codecs
import re
from collections.abc import Iterable, Mapping
from io import BytesIO
from types import MappingProxyType
from typing import Any
from urllib.parse import parse_qsl

from werkzeug.exceptions import HTTPException
from werkzeug.formparser import FormDataParser
from werkzeug.http import parse_options_header

from tornado_cc.core.message import Request

BODY = "REQUEST_BODY"
MULTIPART = "multipart/form-data"
URLENCODED = "application/x-www-form-urlencoded"

_CHARSET = re.compile(r"[0-9A-Za-z][0-9A-Za-z._:+-]*")
# Python's own notations for text: some cannot replace what they cannot carry, some take minutes.
_NOTATIONS = frozenset({"idna", "punycode", "raw-unicode-escape", "undefined", "unicode-escape"})


def data(request: Request) -> Mapping[str, Any]:
    """The parameters, read-only: one value is a string, several under one name a list of strings.

    `REQUEST_BODY` is the platform's word: whoever sends a parameter of that name is not heard.
    """
    pairs = parse_qsl(as_sent(request.query), keep_blank_values=True, errors="replace")
    text: str | None = None
    if request.method == "POST":
        kind, options = parse_options_header(request.headers.get("content-type"))
        kind = kind.lower()
        form = _form(request.body, kind, options)
        pairs.extend(form or ())
        if request.body and (form is None or kind != MULTIPART):
            text = request.body.decode(charset(options.get("charset")) or "utf-8", "replace")
    merged = _merged(pairs)
    merged.pop(BODY, None)
    if text is not None:
        merged[BODY] = text
    return MappingProxyType(merged)


def as_sent(text: str) -> str:
    """A path or query whose bytes nobody encoded: UTF-8, where the wire's texts are Latin-1."""
    return text.encode("latin-1", "replace").decode("utf-8", "replace")


def charset(name: str | None) -> str | None:
    """A charset that any text can be encoded with and any bytes decoded; None for another name."""
    # Python's lookup is lenient: it finds utf-8 in `;utf-8"` too.
    if not name or not _CHARSET.fullmatch(name):
        return None
    try:
        found = codecs.lookup(name)
    except LookupError:
        return None
    # base64 and its like are codecs too, but not of text.
    return name if found._is_text_encoding and found.name not in _NOTATIONS else None


def _form(body: bytes, kind: str, options: dict[str, str]) -> Iterable[tuple[str, str]] | None:
    """The fields of a form, in order; None when the body is none, or cannot be read as one.

    Uploaded files are left out: GameSparks gave scripts no way to see them.
    """
    if kind == URLENCODED:
        # Werkzeug would decode it too, but refuses bytes that are not ASCII.
        encoding = charset(options.get("charset")) or "utf-8"
        text = body.decode(encoding, "replace")
        return parse_qsl(text, keep_blank_values=True, encoding=encoding, errors="replace")
    if kind != MULTIPART:
        return None
    try:
        parser = FormDataParser(stream_factory=_in_memory, silent=False)
        _, fields, _ = parser.parse(BytesIO(body), kind, len(body), options)
    except (ValueError, HTTPException):
        return None
    return fields.items(multi=True)


def _in_memory(*_: object, **__: object) -> BytesIO:
    """Where an uploaded file goes: not to the disk, as Werkzeug would have it."""
    return BytesIO()


def _merged(pairs: Iterable[tuple[str, str]]) -> dict[str, Any]:
    grouped: dict[str, list[str]] = {}
    for key, value in pairs:
        grouped.setdefault(key, []).append(value)
    return {key: values[0] if len(values) == 1 else values for key, values in grouped.items()}
