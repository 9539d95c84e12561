"""What the objects of a class should be, written down a second time: a dictionary, no database."""

from __future__ import annotations

import json
import operator
import re
from collections.abc import Mapping
from typing import Any

MISSING = object()

RANGES = {
    "$lt": operator.lt,
    "$lte": operator.le,
    "$gt": operator.gt,
    "$gte": operator.ge,
}


class Refused(Exception):
    """The name of the exception that the store should raise."""


class Model:
    """The objects, in the order they were made."""

    def __init__(self) -> None:
        self.kept: dict[str, dict[str, Any]] = {}

    def create(self, object_id: str, fields: Mapping[str, Any]) -> Any:
        if object_id in self.kept:
            raise Refused("DuplicateValue")
        self.kept[object_id] = normal(dict(fields))
        return self.get(object_id)

    def get(self, object_id: str) -> Any:
        if object_id not in self.kept:
            raise Refused("ObjectNotFound")
        return {**self.kept[object_id], "objectId": object_id}

    def update(self, object_id: str, changes: Mapping[str, Any], where: Any) -> Any:
        self._check(object_id, where)
        fields = dict(self.kept[object_id])
        for name, change in normal(dict(changes)).items():
            value = changed(fields.get(name, MISSING), change)
            if value is MISSING:
                fields.pop(name, None)
            else:
                fields[name] = value
        self.kept[object_id] = fields
        return self.get(object_id)

    def delete(self, object_id: str, where: Any) -> Any:
        self._check(object_id, where)
        found = self.get(object_id)
        del self.kept[object_id]
        return found

    def find(self, where: Any, page: Mapping[str, Any]) -> Any:
        found = [one for one in map(self.get, self.kept) if fits(one, where)]
        if page["order"]:
            found.sort(key=lambda one: one["objectId"])
        # Sorting leaves what is equal as it was, so the first name is the last to sort by.
        for name in reversed(page["order"] or ()):
            path = name.removeprefix("-")
            found.sort(key=lambda one: rank(at(one, path)), reverse=name != path)
        found = found[page["skip"] :][: page["limit"]]
        return found if page["keys"] is None else [chosen(one, page["keys"]) for one in found]

    def count(self, where: Any) -> Any:
        return sum(fits(one, where) for one in map(self.get, self.kept))

    def _check(self, object_id: str, where: Any) -> None:
        if not fits(self.get(object_id), where or {}):
            raise Refused("ObjectNotFound")


def normal(value: Any) -> Any:
    """A value as it is kept: zero has no sign, and a float whose JSON needs no point is none."""
    if isinstance(value, dict):
        return {key: normal(item) for key, item in value.items()}
    if isinstance(value, list):
        return [normal(item) for item in value]
    if not isinstance(value, float):
        return value
    whole = abs(value) >= 1e16 and -(2.0**63) <= value < 2.0**64
    return int(value) if whole else value + 0.0


def changed(value: Any, change: Any) -> Any:
    if not isinstance(change, dict) or "__op" not in change:
        return change
    if change["__op"] == "Delete":
        return MISSING
    if change["__op"] == "Increment":
        before = 0 if value is MISSING else value
        if kind(before) != "number":
            raise Refused("IncorrectType")
        total = normal(before + change.get("amount", 1))
        if isinstance(total, int) and not -(2**63) <= total < 2**64:
            raise Refused("InvalidValue")
        return total
    items = [] if value is MISSING else value
    if not isinstance(items, list):
        raise Refused("IncorrectType")
    return {"Add": add, "AddUnique": add_unique, "Remove": remove}[change["__op"]](
        items, change["objects"]
    )


def add(items: list[Any], given: list[Any]) -> list[Any]:
    return [*items, *given]


def add_unique(items: list[Any], given: list[Any]) -> list[Any]:
    found = list(items)
    for item in given:
        if spelt(item) not in map(spelt, found):
            found.append(item)
    return found


def remove(items: list[Any], given: list[Any]) -> list[Any]:
    return [item for item in items if spelt(item) not in map(spelt, given)]


def spelt(value: Any) -> str:
    return json.dumps(value, sort_keys=True, ensure_ascii=False)


def at(one: Mapping[str, Any], path: str) -> Any:
    value: Any = one
    for key in path.split("."):
        value = value.get(key, MISSING) if isinstance(value, dict) else MISSING
    return value


def chosen(one: Mapping[str, Any], keys: list[str]) -> dict[str, Any]:
    found = {name: one[name] for name in ("objectId", *keys) if name in one}
    for path in keys:
        first, _, last = path.partition(".")
        if last and first not in keys and at(one, path) is not MISSING:
            found[first] = {**found.get(first, {}), last: at(one, path)}
    return found


def kind(value: Any) -> str:
    if value is MISSING or value is None:
        return "nothing"
    if isinstance(value, bool):
        return "boolean"
    if isinstance(value, int | float):
        return "number"
    if isinstance(value, dict) and value.get("__type") == "Date":
        return "date"
    return "string" if isinstance(value, str) else "other"


def rank(value: Any) -> tuple[int, Any]:
    its = kind(value)
    place = ("nothing", "number", "string", "boolean", "date", "other").index(its)
    by = {"nothing": 0, "date": spelt, "other": spelt}.get(its, value)
    return place, spelt(value) if by is spelt else by


def equal(one: Any, other: Any) -> bool:
    if isinstance(one, list) and isinstance(other, list):
        return len(one) == len(other) and all(map(equal, one, other))
    if isinstance(one, dict) and isinstance(other, dict):
        return one.keys() == other.keys() and all(equal(one[key], other[key]) for key in one)
    return kind(one) == kind(other) and (kind(one) == "nothing" or bool(one == other))


def has(value: Any, wanted: Any) -> bool:
    items = value if isinstance(value, list) else []
    return equal(value, wanted) or any(equal(item, wanted) for item in items)


def fits(one: Mapping[str, Any], where: Mapping[str, Any]) -> bool:
    return all(fits_part(one, name, asked) for name, asked in normal(dict(where)).items())


def fits_part(one: Mapping[str, Any], name: str, asked: Any) -> bool:
    if name in ("$and", "$or", "$nor"):
        found = [fits(one, query) for query in asked]
        return {"$and": all(found), "$or": any(found), "$nor": not any(found)}[name]
    value = at(one, name)
    if not isinstance(asked, dict) or not any(key.startswith("$") for key in asked):
        return has(value, asked)
    return all(fits_operator(value, op, operand) for op, operand in asked.items())


def fits_operator(value: Any, op: str, operand: Any) -> bool:
    if op in RANGES:
        if kind(value) != kind(operand) or kind(value) not in ("number", "string", "date"):
            return False
        return bool(RANGES[op](rank(value), rank(operand)))
    if op == "$exists":
        return (value is not MISSING) is operand
    if op == "$regex":
        items = value if isinstance(value, list) else [value]
        return any(isinstance(item, str) and bool(re.search(operand, item)) for item in items)
    if op in ("$eq", "$ne"):
        return has(value, operand) is (op == "$eq")
    found = [has(value, item) for item in operand]
    return {"$in": any(found), "$nin": not any(found), "$all": all(found) and found != []}[op]
