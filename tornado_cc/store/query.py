"""Parse's queries, matched in Python: what an object has to fulfil.

`compile_order` and `compile_keys` are here too, so that all that a find needs has one door.
"""

import operator
from collections.abc import Callable, Hashable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from tornado_cc.store.errors import InvalidQuery, InvalidValue
from tornado_cc.store.fields import check_path, value_at
from tornado_cc.store.order import Keys, Order, compile_keys, compile_order
from tornado_cc.store.regex import compile_regex
from tornado_cc.store.values import (
    MISSING,
    comparable_of,
    identity,
    normal_date,
    plain,
    quoted,
    storable,
    typed_date,
)

__all__ = [
    "Keys",
    "Order",
    "Prefilter",
    "Query",
    "compile_keys",
    "compile_order",
    "compile_query",
]

MAX_DEPTH = 16
"""Levels of `$and`, `$or` and `$nor`."""

MAX_CONDITIONS = 1000
"""Conditions and the values in their lists, together; a `$regex` counts as a hundred."""

_REGEX_COST = 100

Test = Callable[[Any], bool]
_Reading = tuple[Test, list[Any] | None]
"""A test of a field's value, and the values of which it has to equal one, if that is the test."""
_Operator = Callable[[Any, Any], _Reading]
"""Reads an operand and all the operators it stands among."""


@dataclass(frozen=True)
class Prefilter:
    """A fact about every object that matches.

    The field `name`, which is not one of the system's and has no dots, equals one of `values`; or
    it is a list, and one of its elements does. Numbers are equal as numbers (1 is 1.0, but not
    true); strings, booleans and typed values are spelt exactly as `check_fields` returns them.
    `values` is never empty.
    """

    name: str
    values: tuple[Any, ...]


@dataclass(frozen=True)
class _Condition:
    """What one operator asks of one field; `among` are the values it has to equal one of."""

    path: tuple[str, ...]
    test: Test
    among: list[Any] | None = None

    def matches(self, stored: Mapping[str, Any]) -> bool:
        value = value_at(stored, self.path)
        if _is_moment(self.path) and isinstance(value, str):
            value = typed_date(value)
        return self.test(value)


@dataclass(frozen=True)
class _Choice:
    """`$or`, or `$nor` when `wanted` is false."""

    queries: list["Query"]
    wanted: bool

    def matches(self, stored: Mapping[str, Any]) -> bool:
        return any(query.matches(stored) for query in self.queries) is self.wanted


@dataclass(frozen=True)
class Query:
    """Conditions that all have to be fulfilled.

    `is_slow` says that a regular expression is among them: matching it may take a while.
    """

    _conditions: list[_Condition | _Choice] = field(default_factory=list)
    is_slow: bool = False

    def matches(self, stored: Mapping[str, Any]) -> bool:
        """Whether an object, with objectId, createdAt and updatedAt beside its fields, fits.

        Raises:
            InvalidQuery: a text is too long for the regular expression; nothing else is raised.
        """
        return all(condition.matches(stored) for condition in self._conditions)

    def prefilters(self) -> list[Prefilter]:
        """Facts about all matching objects, by which a database may leave others out."""
        return [
            Prefilter(condition.path[0], tuple(condition.among))
            for condition in self._plain()
            if condition.among
            and len(condition.path) == 1
            and condition.path[0] != "objectId"
            and not _is_moment(condition.path)
            and all(map(_is_telling, condition.among))
        ]

    def object_ids(self) -> list[str] | None:
        """The ids that matching objects can have, or None when the query does not say."""
        ids: list[str] | None = None
        for condition in self._plain():
            if condition.path == ("objectId",) and condition.among is not None:
                asked = dict.fromkeys(one for one in condition.among if isinstance(one, str))
                ids = list(asked) if ids is None else [one for one in ids if one in asked]
        return ids

    def _plain(self) -> Iterator[_Condition]:
        return (one for one in self._conditions if isinstance(one, _Condition))


def compile_query(where: Mapping[str, object] | None) -> Query:
    """The query that `where` spells, in Parse's JSON; a datetime in it becomes a Parse Date.

    Raises:
        InvalidQuery: it cannot be understood, or is too large.
        InvalidName: something in it cannot be the name of a field.
    """
    try:
        compiler = _Compiler()
        conditions = compiler.conditions(plain({} if where is None else where), 0)
        return Query(conditions, compiler.has_regex)
    except InvalidValue as error:
        raise InvalidQuery(error.message) from None


def _is_moment(path: tuple[str, ...]) -> bool:
    """Whether the field is one of the two that stand in an object as text but are dates."""
    return path in (("createdAt",), ("updatedAt",))


def _is_telling(value: Any) -> bool:
    """Whether a database can be asked for it: a string, a number, a boolean or a small typed value.

    Not null, which a missing field equals, nor a value whose equals are spelt in many ways.
    """
    if isinstance(value, dict):
        return value.get("__type") in ("Date", "Pointer", "GeoPoint", "Bytes", "File")
    return isinstance(value, str | int | float)


class _Compiler:
    """One query's reading, with a budget."""

    def __init__(self) -> None:
        self._left = MAX_CONDITIONS
        self.has_regex = False

    def conditions(self, where: Any, depth: int) -> list[_Condition | _Choice]:
        if not isinstance(where, dict):
            raise InvalidQuery(f"a query is a mapping, not {quoted(where)}")
        found: list[_Condition | _Choice] = []
        for name, asked in where.items():
            if name.startswith("$"):
                found += self._group(name, asked, depth + 1)
            else:
                found += self._field(check_path(name), asked)
        return found

    def _group(self, name: str, asked: Any, depth: int) -> list[_Condition | _Choice]:
        if name not in ("$and", "$or", "$nor"):
            raise InvalidQuery(f"unknown {quoted(name)}; known here are $and, $or, $nor")
        if not isinstance(asked, list) or not asked:
            raise InvalidQuery(f"{name} needs a list of queries")
        if depth > MAX_DEPTH:
            raise InvalidQuery(f"$and, $or and $nor are nested deeper than {MAX_DEPTH} levels")
        self._spend(len(asked))
        groups = [self.conditions(one, depth) for one in asked]
        if name == "$and":
            return [condition for group in groups for condition in group]
        return [_Choice([Query(group) for group in groups], name == "$or")]

    def _field(self, path: tuple[str, ...], asked: Any) -> Iterator[_Condition]:
        if not isinstance(asked, dict) or not any(key.startswith("$") for key in asked):
            asked = {"$eq": asked}
        for name, operand in asked.items():
            if name not in _OPERATORS:
                known = ", ".join(_OPERATORS)
                raise InvalidQuery(f"unknown {quoted(name)}; known for a field are {known}")
            listed = name in _OF_LISTS and isinstance(operand, list)
            self.has_regex = self.has_regex or name == "$regex"
            self._spend(_REGEX_COST if name == "$regex" else 1 + (len(operand) if listed else 0))
            yield _Condition(path, *_OPERATORS[name](_operand(path, operand), asked))

    def _spend(self, conditions: int) -> None:
        self._left -= conditions
        if self._left < 0:
            raise InvalidQuery(f"a query has up to {MAX_CONDITIONS} conditions and values")


def _operand(path: tuple[str, ...], operand: Any) -> Any:
    operand = storable(operand)
    if not _is_moment(path):
        return operand
    if isinstance(operand, list):
        return [_operand(path, one) for one in operand]
    return typed_date(normal_date(operand)) if isinstance(operand, str) else operand


def _present(value: Any) -> set[Hashable]:
    """What a field equals: its value, and each element of a list. A missing one equals null."""
    if value is MISSING:
        return {identity(None)}
    items = value if isinstance(value, list) else ()
    return {identity(value), *map(identity, items)}


def _any_of(values: list[Any]) -> Test:
    wanted = {identity(value) for value in values}
    return lambda value: not wanted.isdisjoint(_present(value))


def _none_of(values: list[Any]) -> Test:
    wanted = {identity(value) for value in values}
    return lambda value: wanted.isdisjoint(_present(value))


def _listed(operand: Any) -> list[Any]:
    if not isinstance(operand, list):
        raise InvalidQuery("$in, $nin and $all need a list")
    return operand


def _all(operand: Any, asked: Any) -> _Reading:
    wanted = {identity(value) for value in _listed(operand)}
    # As in MongoDB, no object has all of nothing.
    return lambda value: bool(wanted) and wanted <= _present(value), operand[:1]


def _exists(operand: Any, asked: Any) -> _Reading:
    if not isinstance(operand, bool):
        raise InvalidQuery("$exists is true or false")
    return lambda value: (value is not MISSING) is operand, None


def _regex(operand: Any, asked: Any) -> _Reading:
    options = asked.get("$options", "")
    if not isinstance(operand, str) or not isinstance(options, str):
        raise InvalidQuery("$regex and $options are strings")
    found = compile_regex(operand, options)

    def test(value: Any) -> bool:
        items = value if isinstance(value, list) else [value]
        return found([item for item in items if isinstance(item, str)])

    return test, None


def _options(operand: Any, asked: Any) -> _Reading:
    if "$regex" not in asked:
        raise InvalidQuery("$options stand beside a $regex")
    return lambda value: True, None


def _range(compare: Callable[[Any, Any], bool]) -> _Operator:
    def read(operand: Any, asked: Any) -> _Reading:
        kind, limit = comparable_of(operand)

        def test(value: Any) -> bool:
            its_kind, its_value = comparable_of(value)
            return kind is not None and its_kind == kind and compare(its_value, limit)

        return test, None

    return read


_OPERATORS: dict[str, _Operator] = {
    "$eq": lambda operand, asked: (_any_of([operand]), [operand]),
    "$ne": lambda operand, asked: (_none_of([operand]), None),
    "$in": lambda operand, asked: (_any_of(_listed(operand)), operand),
    "$nin": lambda operand, asked: (_none_of(_listed(operand)), None),
    "$all": _all,
    "$exists": _exists,
    "$lt": _range(operator.lt),
    "$lte": _range(operator.le),
    "$gt": _range(operator.gt),
    "$gte": _range(operator.ge),
    "$regex": _regex,
    "$options": _options,
}
_OF_LISTS = ("$in", "$nin", "$all")
