"""JSON, read and written strictly: what is accepted here means the same to every caller.

orjson alone writes NaN as null, reads 1,000 levels and serialises dataclasses and dates; none of
that may reach an answer, so every value passes `checked` before it is spelt.
"""

import math
from collections.abc import Mapping
from typing import Any

import orjson

MAX_DEPTH = 100
MAX_MEMBERS = 1_000_000
_MAX_INTEGER = 2**64 - 1
_MIN_INTEGER = -(2**63)


class NotJson(ValueError):
    """The text or the value is not JSON that can be passed on; the message says where and why."""


def parse(text: bytes, max_depth: int = MAX_DEPTH) -> Any:
    """Parse UTF-8 JSON of at most `max_depth` levels.

    Raises:
        NotJson: bad UTF-8, a byte-order mark, bad JSON, NaN, or nested too deeply.
    """
    try:
        value = orjson.loads(text)
    except orjson.JSONDecodeError as error:
        if "depth" in error.msg or "recursion" in error.msg:
            raise NotJson(f"nested deeper than {max_depth} levels") from None
        if "UTF-8:" in error.msg:
            raise NotJson("not JSON: it is not UTF-8") from None
        # The decoder's message quotes no input, only the position.
        raise NotJson(f"not JSON: {error.msg} at byte {error.pos}") from None
    # Counting brackets is cheap and settles nearly every body without a walk.
    if text.count(b"[") + text.count(b"{") > max_depth:
        _check_depth(value, max_depth)
    return value


def _check_depth(value: Any, max_depth: int) -> None:
    level = [value]
    for _ in range(max_depth):
        level = [child for node in level for child in _children(node)]
        if not level:
            return
    if any(isinstance(node, dict | list) for node in level):
        raise NotJson(f"nested deeper than {max_depth} levels")


def _children(node: Any) -> Any:
    if isinstance(node, dict):
        return node.values()
    return node if isinstance(node, list) else ()


def checked(value: object, max_depth: int = MAX_DEPTH) -> Any:
    """A fresh copy of `value` made of plain dicts, lists, strings, numbers, booleans and None.

    Mappings and tuples are accepted as the objects and arrays they stand for. The copy shares
    nothing with the original, so later changes to that one change no answer.

    Raises:
        NotJson: the value has a member JSON cannot carry; the message names its place and type.
    """
    checker = _Checker()
    try:
        return checker.copy(value, max_depth)
    except _Misfit as misfit:
        raise NotJson(f"value{misfit.place} {misfit.problem}") from None


class _Misfit(Exception):
    """What does not fit, and where; the place is put together only on the way out."""

    def __init__(self, problem: str) -> None:
        self.problem = problem
        self.place = ""

    def within(self, key: object) -> "_Misfit":
        self.place = f"[{key!r}]{self.place}"
        return self


class _Checker:
    """One value's walk, with a budget: a list that holds itself twice, 60 deep, has no end."""

    def __init__(self) -> None:
        self._left = MAX_MEMBERS

    def copy(self, value: object, depth: int) -> Any:
        self._left -= 1
        if self._left < 0:
            raise _Misfit(f"has more than {MAX_MEMBERS} members")
        if value is None or isinstance(value, bool):
            return value
        if isinstance(value, str):
            return _text(value)
        if isinstance(value, int | float):
            return _number(value)
        if not isinstance(value, Mapping | list | tuple):
            raise _Misfit(f"is a {type(value).__name__}, which JSON cannot carry")
        if depth == 0:
            raise _Misfit("is nested too deeply, or contains itself")
        if isinstance(value, Mapping):
            return {_key(key): self._member(key, item, depth) for key, item in value.items()}
        return [self._member(index, item, depth) for index, item in enumerate(value)]

    def _member(self, key: object, item: object, depth: int) -> Any:
        try:
            return self.copy(item, depth - 1)
        except _Misfit as misfit:
            raise misfit.within(key) from None


def _number(value: float) -> float:
    if isinstance(value, int):
        if not _MIN_INTEGER <= value <= _MAX_INTEGER:
            raise _Misfit("is an integer beyond 64 bits")
        return int(value)
    if not math.isfinite(value):
        raise _Misfit("is not a finite number")
    return float(value)


def _key(key: object) -> str:
    if not isinstance(key, str):
        raise _Misfit(f"has a key of type {type(key).__name__}; keys are strings")
    return _text(key)


def _text(text: str) -> str:
    try:
        text.encode()
    except UnicodeEncodeError:
        raise _Misfit("holds a lone surrogate, which UTF-8 cannot carry") from None
    return str(text)


def clone(value: Any) -> Any:
    """A deep copy of a value that `parse` or `checked` returned; several times `copy.deepcopy`."""
    return orjson.loads(orjson.dumps(value))


def same(one: object, other: object) -> bool:
    """Whether two JSON values are spelt alike, whatever the order of their keys.

    `==` alone takes False for 0 and 1.0 for 1.
    """
    if one != other:
        return False
    return canonical(one) == canonical(other)


def canonical(value: object) -> str:
    """JSON with sorted keys: equal for two values exactly if they are the `same`.

    As text: to keep orjson's bytes, made in a kilobyte each, takes ten times as long.
    """
    return orjson.dumps(value, option=orjson.OPT_SORT_KEYS).decode()


def dump(value: object) -> bytes:
    """UTF-8 JSON of a value that `checked` returned or that this project built itself."""
    return orjson.dumps(value)
