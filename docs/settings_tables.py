"""The tables of docs/settings.md, written from the models that validate the settings.

Each table stands between `<!-- table: SECTION -->` and `<!-- end of table -->`. Run this module to
write them anew; a test compares the page with what the models give.
"""

import re
import types
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Annotated, Any, Literal, Union, get_args, get_origin, get_type_hints

import annotated_types

from tornado_cc import dialects, hooks
from tornado_cc.core.secret import Secret
from tornado_cc.settings import (
    DIALECT,
    NAMED,
    PLUGIN,
    SECTIONS,
    PluginSection,
    PluginsSettings,
    Settings,
)
from tornado_cc.settings.address import WebUrl
from tornado_cc.settings.database import DatabaseUrl
from tornado_cc.settings.mail import MailUrl
from tornado_cc.settings.reach import Hosts, Openings
from tornado_cc.settings.types import (
    Address,
    AddressOrOff,
    Delays,
    Durations,
    Mount,
    Names,
    Networks,
    Seconds,
    SecretText,
    Size,
)

PAGE = Path(__file__).with_name("settings.md")
EXAMPLES = PAGE.parent.parent / "plugins"

_LENGTHS = (("d", 86_400), ("h", 3600), ("m", 60), ("s", 1))
_TABLE = re.compile(r"(<!-- table: (?P<section>\S+) -->\n).*?(<!-- end of table -->)", re.DOTALL)
_KINDS: tuple[tuple[Any, str], ...] = (
    (Address, "`host:port`"),
    (AddressOrOff, "`host:port` or `off`"),
    (DatabaseUrl, "a database URL"),
    (Delays, "durations in `s`, `m`, `h` or `d`, separated by commas"),
    (Durations, "`name=seconds`, separated by commas"),
    (Hosts, "hosts, with or without a port, separated by commas or spaces"),
    (MailUrl, "a mail server, `console:` or `plugin:NAME`"),
    (Mount, "a path"),
    (Names, "names, separated by commas or spaces"),
    (Networks, "IP addresses and networks, separated by commas or spaces"),
    (Openings, "`host:port` or `network:port`, separated by commas or spaces"),
    (Seconds, "seconds, up to a day"),
    (SecretText, "a secret"),
    (WebUrl, "an http or https address"),
    (Size, "a size: a number with `B`, `KiB`, `MiB` or `GiB`"),
    (Path, "a file or a folder"),
    (bool, "`true` or `false`"),
    (int, "a whole number"),
    (float, "a number"),
    (str, "a text"),
)


def models() -> dict[str, type[Settings]]:
    """Every section and the model that validates it; of the plugins, those of this repository."""
    found = dict(SECTIONS)
    found.update({f"{prefix}:NAME": model for prefix, model in NAMED.items()})
    for name in dialects.available():
        package = dialects.find(name)
        if package is not None:
            found[f"{DIALECT}{name}"] = package.DialectSettings
            further: Mapping[str, type[Settings]] = getattr(package, "SECTIONS", {})
            found.update({f"{prefix}:NAME": model for prefix, model in further.items()})
    found[f"{PLUGIN}NAME"] = PluginSection
    examples = tuple(sorted(path.parent.name for path in EXAMPLES.glob("*/pyproject.toml")))
    for name, model in hooks.load(PluginsSettings(enable=examples)).models.items():
        if model.model_fields:
            found[f"{PLUGIN}{name}"] = model
    return found


def table(model: type[Settings]) -> str:
    """One section as a Markdown table."""
    hints = get_type_hints(model, include_extras=True)
    rows = ["| setting | type | default | meaning |", "|---|---|---|---|"]
    for name, info in model.model_fields.items():
        kind = ", ".join([_kind(hints[name]), *_bounds(hints[name], info.metadata)])
        default = "required" if info.is_required() else _default(hints[name], info.default)
        rows.append(f"| `{name}` | {kind} | {default} | {info.description} |")
    return "\n".join(rows) + "\n"


def page(text: str) -> str:
    """The page with every table written anew."""
    known = models()
    return _TABLE.sub(lambda match: match[1] + table(known[match["section"]]) + match[3], text)


def sections_of(text: str) -> list[str]:
    """The sections whose tables stand in the page."""
    return [match["section"] for match in _TABLE.finditer(text)]


def _kind(hint: Any) -> str:
    for known, words in _KINDS:
        if hint == known:
            return words
    if get_origin(hint) is Annotated:
        return _kind(get_args(hint)[0])
    if get_origin(hint) is Literal:
        return " or ".join(f"`{value}`" for value in get_args(hint))
    if get_origin(hint) in (Union, types.UnionType):
        return _kind(next(one for one in get_args(hint) if one is not type(None)))
    raise LookupError(f"docs/settings_tables.py has no words for {hint}")


def _bounds(hint: Any, metadata: list[Any]) -> Iterator[str]:
    """The bounds a field sets itself; those of its type are in the type's words."""
    if hint not in (int, float):
        return
    for one in metadata:
        if isinstance(one, annotated_types.Gt):
            yield f"more than {one.gt}"
        elif isinstance(one, annotated_types.Ge):
            yield f"at least {one.ge}"
        elif isinstance(one, annotated_types.Le):
            yield f"at most {one.le}"


def _default(hint: Any, value: Any) -> str:
    if value is None or (isinstance(value, Secret | str | tuple | Mapping) and not value):
        return "none"
    if hint in (Address, AddressOrOff):
        return f"`{value[0]}:{value[1]}`"
    if hint == Names:
        return f"`{', '.join(value)}`"
    if hint == Delays:
        return f"`{', '.join(map(_duration, value))}`"
    if hint == Size:
        return f"`{_size(value)}`"
    return f"`{str(value).lower() if isinstance(value, bool) else value}`"


def _duration(seconds: int) -> str:
    unit, length = next(one for one in _LENGTHS if seconds % one[1] == 0)
    return f"{seconds // length}{unit}"


def _size(value: int) -> str:
    for unit, size in (("GiB", 1 << 30), ("MiB", 1 << 20), ("KiB", 1 << 10)):
        if value % size == 0:
            return f"{value // size} {unit}"
    return f"{value} B"


if __name__ == "__main__":
    PAGE.write_text(page(PAGE.read_text(encoding="utf-8")), encoding="utf-8")
