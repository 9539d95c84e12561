"""Bodies for people: JSON with indents, text with what would move the cursor escaped, or hex."""

import json
from typing import Any

from tornado_cc.cli.logs import printable
from tornado_cc.cli.output import say
from tornado_cc.core import json_value
from tornado_cc.core.json_value import NotJson

_PER_LINE = 16


def lines(body: bytes) -> list[str]:
    """A body as it is, line by line; of one that is no text, its bytes in hex."""
    text = _text(body)
    if text is None:
        return _dumped(body)
    return [printable(line) for line in text.split("\n")] if text else []


def indented(body: bytes) -> list[str]:
    """The same, of JSON a member to a line."""
    try:
        value = json_value.parse(body)
    except NotJson:
        return lines(body)
    spelt = json.dumps(value, indent=2, ensure_ascii=False)
    return [printable(line) for line in spelt.split("\n")]


def spelt(name: str, body: bytes | None) -> dict[str, Any]:
    """A body as a member of JSON: a text, or hex, as the member beside it says."""
    if body is None:
        return {name: None, f"{name}_encoding": None}
    text = _text(body)
    if text is None:
        return {name: body.hex(), f"{name}_encoding": "hex"}
    return {name: text, f"{name}_encoding": "utf-8"}


def show(title: str, shown: list[str]) -> None:
    """Print lines below a title."""
    say("")
    say(f"{title}:")
    for line in shown:
        say(f"  {line}")


def _text(body: bytes) -> str | None:
    try:
        text = body.decode()
    except UnicodeDecodeError:
        return None
    return None if "\0" in text else text


def _dumped(body: bytes) -> list[str]:
    """Lines as `xxd` has them."""
    found = []
    for start in range(0, len(body), _PER_LINE):
        part = body[start : start + _PER_LINE]
        seen = "".join(chr(one) if 32 <= one < 127 else "." for one in part)
        found.append(f"{start:08x}  {part.hex(' '):<{_PER_LINE * 3 - 1}}  {seen}")
    return found
