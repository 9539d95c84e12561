"""Changes laid over an object's fields: values, and Parse's operations on what is there."""

from collections.abc import Callable
from typing import Any, NamedTuple

from tornado_cc.core.json_value import NotJson, canonical, checked, clone, dump
from tornado_cc.store.errors import IncorrectType, InvalidValue
from tornado_cc.store.values import MISSING, is_number, quoted, storable, stored_number

MAX_OBJECT = 1 << 20
"""Bytes of an object's fields, as JSON."""

MAX_BATCH = 32
"""Operations in one Batch: each may walk a list of `MAX_OBJECT` bytes while the writer waits."""

Change = dict[str, Any]


def apply(stored: dict[str, Any] | None, changes: dict[str, Any]) -> dict[str, Any]:
    """The fields of an object after `changes`, which `fields.check_fields` returned.

    The result shares nothing with either argument.

    Args:
        stored: the fields so far; None for an object that is about to be created.

    Raises:
        IncorrectType: an operation does not fit the value that its field has.
        InvalidValue: a sum or the whole object is too large.
    """
    fields: dict[str, Any] = {} if stored is None else clone(stored)
    for name, change in clone(changes).items():
        value = change
        if isinstance(change, dict) and "__op" in change:
            value = _find(change).run(name, fields.get(name, MISSING), change)
        if value is MISSING:
            fields.pop(name, None)
        else:
            fields[name] = value
    if len(dump(fields)) > MAX_OBJECT:
        raise InvalidValue(f"the object would be larger than {MAX_OBJECT} bytes")
    return fields


def check_operation(change: Change) -> Change:
    """The operation with its defaults filled in and nothing in it that it does not use.

    Args:
        change: a mapping with `__op`, of plain JSON.

    Raises:
        InvalidName: a key of a value in it cannot be stored.
        InvalidValue: it is not an operation, or lacks what it needs.
    """
    return {"__op": change["__op"], **_find(change).check(change)}


class _Operation(NamedTuple):
    """`check` returns what an operation carries; `run` the field's new value from its present one.

    Either value is `MISSING` for a field that is not there.
    """

    check: Callable[[Change], Change]
    run: Callable[[str, Any, Change], Any]


def _find(change: Change) -> _Operation:
    op = change["__op"]
    operation = _OPERATIONS.get(op) if isinstance(op, str) else None
    if operation is None:
        raise InvalidValue(f"unknown __op {quoted(op)}; known are {', '.join(_OPERATIONS)}")
    return operation


def _check_increment(change: Change) -> Change:
    amount = change.get("amount", 1)
    if not is_number(amount):
        raise InvalidValue("Increment needs amount, a number")
    return {"amount": stored_number(amount)}


def _increment(name: str, value: Any, change: Change) -> Any:
    if value is MISSING:
        value = 0
    if not is_number(value):
        raise IncorrectType(f"Increment needs a number, which the field {quoted(name)} is not")
    try:
        return checked(stored_number(value + change["amount"]))
    except NotJson as error:
        raise InvalidValue(f"the field {quoted(name)} cannot be incremented: {error}") from None


def _check_objects(change: Change) -> Change:
    objects = change.get("objects")
    if not isinstance(objects, list):
        raise InvalidValue(f"{change['__op']} needs objects, a list")
    return {"objects": storable(objects)}


def _list(name: str, value: Any, change: Change) -> list[Any]:
    if value is MISSING:
        return []
    if not isinstance(value, list):
        raise IncorrectType(f"{change['__op']} needs a list, which the field {quoted(name)} is not")
    return value


def _add(name: str, value: Any, change: Change) -> Any:
    return _list(name, value, change) + change["objects"]


def _add_unique(name: str, value: Any, change: Change) -> Any:
    result = list(_list(name, value, change))
    present = {canonical(item) for item in result}
    for item in change["objects"]:
        spelt = canonical(item)
        if spelt not in present:
            present.add(spelt)
            result.append(item)
    return result


def _remove(name: str, value: Any, change: Change) -> Any:
    unwanted = {canonical(item) for item in change["objects"]}
    return [item for item in _list(name, value, change) if canonical(item) not in unwanted]


def _check_delete(change: Change) -> Change:
    return {}


def _delete(name: str, value: Any, change: Change) -> Any:
    return MISSING


def _check_batch(change: Change) -> Change:
    ops = change.get("ops")
    if not isinstance(ops, list) or not all(isinstance(op, dict) and "__op" in op for op in ops):
        raise InvalidValue("Batch needs ops, a list of operations")
    if len(ops) > MAX_BATCH:
        raise InvalidValue(f"Batch takes up to {MAX_BATCH} operations")
    if any(op["__op"] == "Batch" for op in ops):
        raise InvalidValue("a Batch cannot stand inside another")
    return {"ops": [check_operation(op) for op in ops]}


def _batch(name: str, value: Any, change: Change) -> Any:
    for op in change["ops"]:
        value = _find(op).run(name, value, op)
    return value


_OPERATIONS = {
    "Increment": _Operation(_check_increment, _increment),
    "Add": _Operation(_check_objects, _add),
    "AddUnique": _Operation(_check_objects, _add_unique),
    "Remove": _Operation(_check_objects, _remove),
    "Delete": _Operation(_check_delete, _delete),
    "Batch": _Operation(_check_batch, _batch),
}
