"""Which answers the database may have: those in which no secret is, as far as can be seen."""

import asyncio
import codecs
import re
from collections.abc import Iterator

from tornado_cc.core import json_value
from tornado_cc.core.call import Call
from tornado_cc.core.message import Response
from tornado_cc.core.redact import Redactor, is_sensitive, masked

LARGEST = 1 << 20
"""Bytes of a body that is kept at most."""
# Looking through as many takes about five milliseconds, in which nobody else is answered.
_LONG = 64 << 10

_CHARSET = re.compile(r"charset\s*=\s*[\"']?([^\s;\"']+)", re.IGNORECASE)
_READABLE = ("utf-8", "ascii", "iso8859-1")


async def may_be_kept(response: Response, call: Call, redactor: Redactor) -> bool:
    """Whether an answer holds nothing secret: of the settings, of the call, or by its name.

    What cannot be read, since it is compressed or in a rare charset, may hold anything.
    """
    if len(response.body) > LARGEST or not _is_readable(response):
        return False
    if len(response.body) > _LONG:
        return not await asyncio.to_thread(_holds_secret, response, call, redactor)
    return not _holds_secret(response, call, redactor)


def _is_readable(response: Response) -> bool:
    for name, value in response.headers:
        if name.lower() == "content-encoding":
            return False
        charset = _CHARSET.search(value) if name.lower() == "content-type" else None
        if charset is not None and _codec(charset[1]) not in _READABLE:
            return False
    return True


def _codec(charset: str) -> str:
    try:
        return codecs.lookup(charset).name
    except LookupError:
        return ""


def _holds_secret(response: Response, call: Call, redactor: Redactor) -> bool:
    if any(is_sensitive(name) for name, _ in response.headers):
        return True
    if any(redactor.clean(text, call) != text for text in _texts(response)):
        return True
    try:
        value = json_value.parse(response.body)
    except json_value.NotJson:
        return False
    return masked(value) is not value


def _texts(response: Response) -> Iterator[str]:
    yield from (value for _, value in response.headers)
    yield response.body.decode("utf-8", "replace")
    if not response.body.isascii():
        yield response.body.decode("latin-1")
