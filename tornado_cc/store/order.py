"""In which order objects come, and which of their fields."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from tornado_cc.core.json_value import canonical
from tornado_cc.store.errors import InvalidQuery
from tornado_cc.store.fields import SYSTEM, check_path, value_at
from tornado_cc.store.values import MISSING, date_of, is_number

MAX_ORDER = 10
"""Names in an order."""

MAX_KEYS = 1000
"""Names of fields to select."""

Path = tuple[str, ...]


@dataclass(frozen=True)
class Order:
    """A total order of objects that have ids: no two are equal, so that pages never overlap.

    Attributes:
        by: paths of fields, and whether each counts downwards; the objectId settles ties.
    """

    by: tuple[tuple[Path, bool], ...] = ()

    def key(self, stored: Mapping[str, Any]) -> tuple[Any, ...]:
        """What `sorted` and `heapq.nsmallest` compare.

        Missing fields and null come first, then numbers, strings, booleans, dates, all else.
        """
        keys = ((_rank(value_at(stored, path)), downwards) for path, downwards in self.by)
        fields = (_Downwards(rank) if downwards else rank for rank, downwards in keys)
        return (*fields, _rank(stored.get("objectId")))


@dataclass(frozen=True)
class _Downwards:
    """A rank that is less when it is greater."""

    rank: tuple[int, Any]

    def __lt__(self, other: "_Downwards") -> bool:
        return other.rank < self.rank


def _rank(value: Any) -> tuple[int, Any]:
    """What is compared with each other has the same first number."""
    if value is MISSING or value is None:
        return 0, 0
    if is_number(value):
        return 1, value
    if isinstance(value, str):
        return 2, value
    if isinstance(value, bool):
        return 3, value
    date = date_of(value)
    return (4, date) if date is not None else (5, canonical(value))


def compile_order(order: str | Sequence[str] | None) -> Order:
    """An order from names of fields with commas between, or in a sequence; `-name` is downwards.

    Raises:
        InvalidQuery: it is neither, or has too many names.
        InvalidName: one cannot be the name of a field.
    """
    by = []
    for name in _names(order, "order", MAX_ORDER):
        downwards = name.startswith("-")
        by.append((check_path(name[1:] if downwards else name), downwards))
    return Order(tuple(by))


@dataclass(frozen=True)
class Keys:
    """Which fields of an object are wanted; those of the system always are."""

    paths: tuple[Path, ...]

    def select(self, stored: Mapping[str, Any]) -> dict[str, Any]:
        """Those fields. Their values are the object's own, not copies."""
        chosen: dict[str, Any] = {}
        for path in self.paths:
            value = value_at(stored, path)
            if value is not MISSING:
                _put(chosen, path, value)
        return chosen


def _put(chosen: dict[str, Any], path: Path, value: Any) -> None:
    *within, last = path
    for key in within:
        chosen = chosen.setdefault(key, {})
    chosen[last] = value


def compile_keys(keys: str | Sequence[str] | None) -> Keys | None:
    """The fields to select, named as in `compile_order`; None for all of them.

    A dotted name selects that member of a mapping only.

    Raises:
        InvalidQuery: it is neither, or has too many names.
        InvalidName: one cannot be the name of a field.
    """
    if keys is None:
        return None
    wanted = {check_path(name) for name in _names(keys, "keys", MAX_KEYS)}
    wanted.update((name,) for name in SYSTEM)
    # What is within a field that is wanted whole is there already.
    whole = (
        path for path in wanted if not any(path[:end] in wanted for end in range(1, len(path)))
    )
    return Keys(tuple(sorted(whole)))


def _names(names: object, what: str, most: int) -> list[str]:
    if names is None or names == "":
        return []
    if isinstance(names, str):
        names = [name.strip() for name in names.split(",")]
    if not isinstance(names, Sequence) or not all(isinstance(name, str) for name in names):
        raise InvalidQuery(f"{what} is a string of names with commas between, or a list of them")
    if len(names) > most:
        raise InvalidQuery(f"{what} has up to {most} names")
    return list(names)
