"""What a third party answered, as Parse Cloud Code shows it (spec parse, section 5)."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any
from urllib.parse import parse_qs

from tornado_cc.core import json_value

FORM = "application/x-www-form-urlencoded"


@dataclass(frozen=True)
class HttpResponse:
    """An answer.

    Attributes:
        status: the HTTP status.
        headers: by lower-case name; repeated ones joined by `, `.
        buffer: the body, decompressed.
        cookies: the values of the Set-Cookie headers, in order.
    """

    status: int
    headers: Mapping[str, str] = field(repr=False)
    buffer: bytes = field(repr=False)
    cookies: tuple[str, ...] = field(default=(), repr=False)

    @cached_property
    def text(self) -> str:
        """The body as UTF-8, undecodable bytes replaced."""
        return self.buffer.decode("utf-8", "replace")

    @cached_property
    def data(self) -> Any:
        """The body parsed: JSON whatever its content type, or a form; else None."""
        if self.headers.get("content-type", "").split(";")[0].strip().lower() == FORM:
            return {
                key: values[0] if len(values) == 1 else values
                for key, values in parse_qs(self.text, keep_blank_values=True).items()
            }
        try:
            return json_value.parse(self.buffer)
        except json_value.NotJson:
            return None
