"""The names of classes and fields, and what is given to be stored, checked before anything is."""

import re
from collections.abc import Mapping, Sequence
from typing import Any

from tornado_cc.core.json_value import dump
from tornado_cc.store.errors import InvalidName, InvalidValue
from tornado_cc.store.operations import MAX_OBJECT, check_operation
from tornado_cc.store.values import MISSING, plain, quoted, storable

SYSTEM = ("objectId", "createdAt", "updatedAt")
"""The fields that the store sets itself and every object has."""

MAX_PATH = 512
"""Characters of a dotted name."""

RESERVED = frozenset({*SYSTEM, "className"})
"""What no plugin sets."""

_NAME = re.compile(r"[A-Za-z][A-Za-z0-9_]{0,127}")
_ID = re.compile(r"[!-.0-~]{1,128}")


def check_class(name: object) -> str:
    """The name of a class, if it is one.

    Raises:
        InvalidName: it is not.
    """
    if isinstance(name, str) and _NAME.fullmatch(name):
        return name
    if isinstance(name, str) and name.startswith("_"):
        raise InvalidName(
            f"the class {quoted(name)} is not the store's: those starting with _ belong to the "
            "Parse Server"
        )
    raise InvalidName(
        f"{quoted(name)} cannot be the name of a class: that is a letter, then up to 127 letters, "
        "digits and _"
    )


def check_id(object_id: object) -> str:
    """An object's id, if it is one.

    Raises:
        InvalidValue: it is not.
    """
    if isinstance(object_id, str) and _ID.fullmatch(object_id):
        return object_id
    raise InvalidValue(
        f"{quoted(object_id)} cannot be an objectId: that is 1 to 128 printable ASCII characters "
        "without spaces and slashes"
    )


def check_field(name: object) -> str:
    """The name of a field, if it is one; those of the system are.

    Raises:
        InvalidName: it is not.
    """
    if isinstance(name, str) and _NAME.fullmatch(name):
        return name
    raise InvalidName(
        f"{quoted(name)} cannot be the name of a field: that is a letter, then up to 127 letters, "
        "digits and _"
    )


def check_path(name: object) -> tuple[str, ...]:
    """The parts of a field's name that may reach into mappings with dots: `address.city`.

    Raises:
        InvalidName: the first is not the name of a field, or another cannot be a key.
    """
    if not isinstance(name, str) or len(name) > MAX_PATH:
        raise InvalidName(
            f"{quoted(name)} cannot be the name of a field: that is a string of up to {MAX_PATH} "
            "characters"
        )
    first, *rest = name.split(".")
    check_field(first)
    if any(not key or "$" in key or "\0" in key for key in rest):
        raise InvalidName(f"{quoted(name)} does not name a field: no key between its dots")
    return (first, *rest)


def value_at(stored: Mapping[str, Any], path: Sequence[str]) -> Any:
    """The value that a path leads to, or `MISSING`; positions in lists cannot be reached."""
    value: Any = stored
    for key in path:
        if not isinstance(value, Mapping) or key not in value:
            return MISSING
        value = value[key]
    return value


def check_fields(fields: Mapping[str, object]) -> dict[str, Any]:
    """A fresh copy of what is to be laid over an object's fields, as `operations.apply` takes it.

    A datetime, at any depth, becomes a Parse Date. Typed values and operations are checked and
    reduced to the keys that Parse gives them.

    Raises:
        InvalidName: a field or a key within cannot be called so, or only the store may set it.
        InvalidValue: a value or an operation is none that can be stored.
    """
    if not isinstance(fields, Mapping):
        raise InvalidValue(f"the fields of an object are a mapping, not {quoted(fields)}")
    for name in fields:
        if check_field(name) in RESERVED:
            raise InvalidName(f"the field {name} is set by the store only")
    changes = {name: _change(value) for name, value in plain(fields).items()}
    if len(dump(changes)) > MAX_OBJECT:
        raise InvalidValue(f"the fields are larger than {MAX_OBJECT} bytes")
    return changes


def _change(value: Any) -> Any:
    if isinstance(value, dict) and "__op" in value:
        return check_operation(value)
    return storable(value)
