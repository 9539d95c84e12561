"""What a field may hold: JSON, and Parse's typed values, which are mappings with a `__type`."""

import base64
import datetime
import re
from collections.abc import Callable, Hashable, Mapping
from typing import Any, TypeGuard

from tornado_cc.core import clock
from tornado_cc.core.json_value import MAX_DEPTH, MAX_MEMBERS, NotJson, checked
from tornado_cc.store.errors import InvalidName, InvalidValue

_SHOWN = 60
_ISO = re.compile(
    r"[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}(:[0-9]{2}([.][0-9]{1,9})?)?"
    r"(Z|[+-][0-9]{2}:[0-9]{2})"
)


class Missing:
    """What a field that is not there has in place of a value."""


MISSING = Missing()


def quoted(name: object) -> str:
    """A name as a message may show it: escaped, and cut when it is long."""
    if not isinstance(name, str):
        return f"a value of type {type(name).__name__}"
    return repr(name) if len(name) <= _SHOWN else f"{name[:_SHOWN]!r}..."


def spell_date(moment: datetime.datetime) -> str:
    """The one spelling of a moment, by which moments compare as text: UTC, to the millisecond.

    Raises:
        InvalidValue: it has no time zone, or is before the year 1 or after 9999 in UTC.
    """
    if moment.utcoffset() is None:
        raise InvalidValue("a datetime needs a time zone, such as datetime.UTC")
    try:
        return clock.iso(moment)
    except OverflowError:
        raise InvalidValue("a date lies in the years 1 to 9999 of UTC") from None


def normal_date(text: object) -> str:
    """The one spelling of the moment that this ISO 8601 text is; `spell_date` has its form.

    Raises:
        InvalidValue: it is not such a text, or does not say what its time zone is.
    """
    if not isinstance(text, str) or not _ISO.fullmatch(text):
        raise InvalidValue("a Date needs iso, such as 2024-05-17T12:00:00.000Z")
    try:
        return spell_date(datetime.datetime.fromisoformat(text))
    except ValueError:
        raise InvalidValue(f"there is no such date: {text}") from None


def typed_date(iso: str) -> dict[str, Any]:
    """A Parse Date."""
    return {"__type": "Date", "iso": iso}


def plain(value: object) -> Any:
    """A fresh JSON copy of `value`, in which a datetime has become a Parse Date.

    Raises:
        InvalidValue: JSON cannot carry it; the message says where and why.
    """
    try:
        return checked(_Dater().copy(value, MAX_DEPTH))
    except NotJson as error:
        raise InvalidValue(str(error)) from None


class _Dater:
    """One value's walk. What else JSON cannot carry is left in place for `checked` to name."""

    def __init__(self) -> None:
        self._left = MAX_MEMBERS

    def copy(self, value: object, depth: int) -> object:
        self._left -= 1
        # Also ends the walk of a value that contains itself; `checked` counts the same way.
        if isinstance(value, str | int | float) or value is None or self._left < 0 or depth < 0:
            return value
        if isinstance(value, datetime.datetime):
            return typed_date(spell_date(value))
        if isinstance(value, Mapping):
            return {key: self.copy(item, depth - 1) for key, item in value.items()}
        if isinstance(value, list | tuple):
            return [self.copy(item, depth - 1) for item in value]
        return value


def storable(value: Any) -> Any:
    """The form in which a value that `plain` returned is stored.

    A typed value is reduced to the keys that Parse gives it, in one order and one spelling, so that
    equal values are spelt alike.

    Raises:
        InvalidName: a key has a `$`, a `.` or a NUL character.
        InvalidValue: a string has a NUL character, a `__type` is unknown or its value is not one.
    """
    if isinstance(value, str):
        if "\0" in value:
            raise InvalidValue("a string holds a NUL character, which PostgreSQL cannot store")
        return value
    if isinstance(value, float):
        return stored_number(value)
    if isinstance(value, list):
        return [storable(item) for item in value]
    if not isinstance(value, dict):
        return value
    value = {_key(key): storable(item) for key, item in value.items()}
    return _typed(value) if "__type" in value else value


def stored_number(number: float) -> float:
    """The number as both engines give it back.

    PostgreSQL has no -0.0, and gives an integer back for a float that JSON spells as 1e16.
    """
    if abs(number) >= 1e16 and -(2.0**63) <= number < 2.0**64:
        return int(number)
    return number + 0.0 if isinstance(number, float) else number


def _key(key: str) -> str:
    if "\0" in key:
        raise InvalidName("a key holds a NUL character, which PostgreSQL cannot store")
    if "$" in key or "." in key:
        raise InvalidName(f"the key {quoted(key)} has a $ or a dot, which keys cannot have")
    if key == "__op":
        raise InvalidValue("an operation (__op) cannot stand inside another value")
    return key


def _typed(value: dict[str, Any]) -> dict[str, Any]:
    kind = value["__type"]
    read = _TYPES.get(kind) if isinstance(kind, str) else None
    if read is None:
        raise InvalidValue(f"unknown __type {quoted(kind)}; known are {', '.join(_TYPES)}")
    return {"__type": kind, **read(value)}


def _text(value: dict[str, Any], key: str) -> str:
    text = value.get(key)
    if not isinstance(text, str) or not text:
        raise InvalidValue(f"a {value['__type']} needs {key}, a string")
    return text


def _date(value: dict[str, Any]) -> dict[str, Any]:
    return {"iso": normal_date(value.get("iso"))}


def _pointer(value: dict[str, Any]) -> dict[str, Any]:
    return {"className": _text(value, "className"), "objectId": _text(value, "objectId")}


def _geo_point(value: dict[str, Any]) -> dict[str, Any]:
    return {
        "latitude": _degrees(value, "latitude", 90),
        "longitude": _degrees(value, "longitude", 180),
    }


def _degrees(value: dict[str, Any], key: str, most: int) -> float:
    degrees = value.get(key)
    if not is_number(degrees) or not -most <= degrees <= most:
        raise InvalidValue(f"a GeoPoint needs {key}, a number from -{most} to {most}")
    # One spelling for 0 and -0.0 too.
    return float(degrees) + 0.0


def _bytes(value: dict[str, Any]) -> dict[str, Any]:
    text = value.get("base64")
    try:
        if not isinstance(text, str):
            raise ValueError
        base64.b64decode(text, validate=True)
    except ValueError:
        raise InvalidValue("Bytes need base64, a string in that encoding") from None
    return {"base64": text}


def _file(value: dict[str, Any]) -> dict[str, Any]:
    name = _text(value, "name")
    return {"name": name, "url": _text(value, "url")} if "url" in value else {"name": name}


def _rest(value: dict[str, Any]) -> dict[str, Any]:
    return {key: item for key, item in value.items() if key != "__type"}


_TYPES: dict[str, Callable[[dict[str, Any]], dict[str, Any]]] = {
    "Date": _date,
    "Pointer": _pointer,
    "GeoPoint": _geo_point,
    "Bytes": _bytes,
    "File": _file,
    "Relation": _rest,
    "Polygon": _rest,
}


def is_number(value: object) -> TypeGuard[int | float]:
    """Whether it is a number; True and False are none."""
    return isinstance(value, int | float) and not isinstance(value, bool)


def date_of(value: object) -> str | None:
    """The `iso` of a stored Date; None for anything else."""
    if isinstance(value, Mapping) and value.get("__type") == "Date":
        iso = value.get("iso")
        return iso if isinstance(iso, str) else None
    return None


def comparable_of(value: Any) -> tuple[str | None, Any]:
    """What kind of thing it is, of which one can be less than another, and what to compare."""
    if is_number(value):
        return "number", value
    if isinstance(value, str):
        return "string", value
    date = date_of(value)
    return ("date", date) if date is not None else (None, None)


def identity(value: Any) -> Hashable:
    """Equal for two JSON values exactly if a query takes them for equal: 1 is 1.0, but not True.

    To look one of many up in a set: comparing each with each of a long list takes minutes.
    """
    if isinstance(value, str):
        return value
    if isinstance(value, bool):
        return ("bool", value)
    if isinstance(value, list | tuple):
        return ("list", tuple(map(identity, value)))
    if isinstance(value, Mapping):
        return ("map", frozenset((key, identity(item)) for key, item in value.items()))
    return ("number or null", value)
