"""What a query asks that SQL can settle beforehand. Names and values are bound, never text."""

from collections.abc import Iterator
from typing import Any

from sqlalchemy import ColumnElement, bindparam, func, or_, type_coerce
from sqlalchemy.dialects.postgresql import JSONB

from tornado_cc.store.query import Prefilter, Query
from tornado_cc.store.tables import objects

_MOST_VALUES = 50
"""Of a longer list, SQL would only test each in turn, as Python does."""
_INSIDE = {"Pointer": "objectId", "Date": "iso"}
"""The member that tells two values of a type apart, nearly always."""


def narrowed(query: Query, dialect: str) -> Iterator[ColumnElement[bool]]:
    """Conditions that every matching object fulfils, and some others too."""
    ids = query.object_ids()
    if ids is not None:
        yield objects.c.object_id.in_(ids)
    condition = _sqlite if dialect == "sqlite" else _postgresql
    for one in query.prefilters():
        if len(one.values) <= _MOST_VALUES and not any(map(_is_odd, one.values)):
            found = condition(one)
            if found is not None:
                yield found


def _sqlite(one: Prefilter) -> ColumnElement[bool] | None:
    """By the JSON functions; a list matches by its elements, which only Python looks at."""
    inside = {_member(value) for value in one.values}
    if len(inside) != 1 or None in inside:
        return None
    (member,) = inside
    path = f"$.{one.name}{member}"
    values = [_scalar(value) for value in one.values]
    found = func.json_extract(objects.c.fields, bindparam(None, path))
    kind = func.json_type(objects.c.fields, bindparam(None, f"$.{one.name}"))
    return or_(found.in_(values), kind == "array")


def _postgresql(one: Prefilter) -> ColumnElement[bool] | None:
    """By containment, which its index knows."""
    fields = type_coerce(objects.c.fields, JSONB)
    shapes = [shape for value in one.values for shape in ({one.name: value}, {one.name: [value]})]
    return or_(*(fields.contains(type_coerce(shape, JSONB)) for shape in shapes))


def _member(value: Any) -> str | None:
    """The path from a field to what is compared: empty for a scalar, None when there is none."""
    if not isinstance(value, dict):
        return ""
    member = _INSIDE.get(value.get("__type", ""))
    return f".{member}" if member in value else None


def _scalar(value: Any) -> Any:
    if isinstance(value, dict):
        return value[_INSIDE[value["__type"]]]
    return int(value) if isinstance(value, bool) else value


def _is_odd(value: Any) -> bool:
    """Whether an engine may see this value otherwise than Python does."""
    if isinstance(value, dict):
        return any(_is_odd(one) for one in value.values())
    if isinstance(value, list):
        return True
    if isinstance(value, str):
        return "\0" in value
    # The engines' integers end at 63 bits, and not all their fractions are Python's.
    return isinstance(value, float) or (isinstance(value, int) and abs(value) >= 2**53)
