"""JSON, read and written strictly."""

import datetime
import decimal
import enum
import json
import math
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.core.values import JSON
from tornado_cc.core.json_value import MAX_DEPTH, NotJson, checked, dump, parse, same


@dataclass
class Point:
    x: int = 0


class Colour(enum.Enum):
    RED = "red"


class Word(str):
    """A str that is not exactly str."""


class Count(int):
    """An int that is not exactly int."""


def nested(levels: int) -> Any:
    value: Any = 1
    for _ in range(levels):
        value = [value]
    return value


@given(JSON)
def test_a_value_survives_checking_dumping_and_parsing(value: Any) -> None:
    again = parse(dump(checked(value)))
    assert same(again, value)
    assert again == value


@given(JSON)
def test_what_is_dumped_is_json_to_the_standard_library_too(value: Any) -> None:
    assert json.loads(dump(checked(value))) == value


@given(st.binary() | st.text().map(str.encode))
def test_any_bytes_are_parsed_or_refused(text: bytes) -> None:
    try:
        value = parse(text)
    except NotJson:
        return
    assert checked(value) == value


@pytest.mark.parametrize(
    "text",
    [
        b"",
        b" ",
        b"{",
        b"NaN",
        b"Infinity",
        b"-Infinity",
        b"01",
        b"'a'",
        b"[1,]",
        b'{"a":1} x',
        b'"\xff"',
        b'"\xed\xa0\x80"',
        b'"\\ud800"',
        b"\xef\xbb\xbf{}",
        '{"a":1}'.encode("utf-16"),
    ],
)
def test_a_text_that_is_not_json_is_refused(text: bytes) -> None:
    with pytest.raises(NotJson, match="not JSON"):
        parse(text)


def test_a_refused_text_is_not_quoted() -> None:
    with pytest.raises(NotJson) as refused:
        parse(b'{"password": CANARY}')
    assert "CANARY" not in str(refused.value)
    assert refused.value.__cause__ is None


@pytest.mark.parametrize("opening", [b"[", b'{"a":'])
def test_the_deepest_level_is_parsed_and_the_next_refused(opening: bytes) -> None:
    closing = b"]" if opening == b"[" else b"}"
    parse(opening * MAX_DEPTH + b"1" + closing * MAX_DEPTH)
    with pytest.raises(NotJson, match="deeper than 100 levels"):
        parse(opening * (MAX_DEPTH + 1) + b"1" + closing * (MAX_DEPTH + 1))


def test_two_thousand_levels_are_refused() -> None:
    with pytest.raises(NotJson):
        parse(b"[" * 2000 + b"]" * 2000)


def test_brackets_inside_a_string_are_no_levels() -> None:
    assert parse(b'"' + b"[{" * MAX_DEPTH + b'"') == "[{" * MAX_DEPTH


def test_the_deepest_level_is_passed_on_and_the_next_refused() -> None:
    assert checked(nested(MAX_DEPTH)) == nested(MAX_DEPTH)
    with pytest.raises(NotJson, match="nested too deeply"):
        checked(nested(MAX_DEPTH + 1))


def test_a_value_whose_members_share_members_is_given_up_on_in_time() -> None:
    shared: list[Any] = []
    for _ in range(60):
        shared = [shared, shared]
    with pytest.raises(NotJson, match="more than 1000000 members"):
        checked(shared)


def test_a_value_that_contains_itself_is_refused() -> None:
    loop: list[Any] = []
    loop.append(loop)
    with pytest.raises(NotJson, match="contains itself"):
        checked(loop)


@pytest.mark.parametrize(
    "value",
    [
        {1, 2},
        b"bytes",
        object(),
        datetime.datetime(2026, 1, 1, tzinfo=datetime.UTC),
        decimal.Decimal("1.5"),
        1j,
        Point(),
        Colour.RED,
        range(3),
        iter([1]),
    ],
    ids=lambda value: type(value).__name__,
)
def test_a_python_value_that_json_does_not_know_is_refused_by_type(value: object) -> None:
    with pytest.raises(NotJson, match=rf"value\['a'\]\[1\] is a {type(value).__name__}"):
        checked({"a": [0, value]})


@pytest.mark.parametrize("number", [math.nan, math.inf, -math.inf])
def test_a_number_that_is_not_finite_is_refused(number: float) -> None:
    with pytest.raises(NotJson, match="not a finite number"):
        checked([number])


@pytest.mark.parametrize("number", [2**64, -(2**63) - 1])
def test_an_integer_beyond_64_bits_is_refused(number: int) -> None:
    with pytest.raises(NotJson, match="beyond 64 bits"):
        checked(number)


@pytest.mark.parametrize("key", [1, None, True, ("a",)])
def test_a_key_that_is_not_a_string_is_refused(key: object) -> None:
    with pytest.raises(NotJson, match="keys are strings"):
        checked({key: 1})


@pytest.mark.parametrize("value", ["\ud800", {"\udfff": 1}, ["a\udc80"]])
def test_a_lone_surrogate_is_refused(value: object) -> None:
    with pytest.raises(NotJson, match="lone surrogate"):
        checked(value)


def test_mappings_and_tuples_become_objects_and_arrays() -> None:
    assert checked(MappingProxyType({"a": (1, (2,))})) == {"a": [1, [2]]}


def test_subclasses_of_plain_types_become_plain() -> None:
    value = checked([Word("a"), Count(1), {Word("k"): 1}])
    assert [type(item) for item in value] == [str, int, dict]
    assert [type(key) for key in value[2]] == [str]


def test_a_checked_value_shares_nothing_with_the_original() -> None:
    original: dict[str, Any] = {"a": [{"b": 1}]}
    copy = checked(original)
    original["a"][0]["b"] = 2
    original["a"].append(3)
    assert copy == {"a": [{"b": 1}]}


@given(JSON)
def test_every_value_is_the_same_as_itself(value: Any) -> None:
    assert same(value, checked(value))


def test_the_order_of_keys_makes_no_difference() -> None:
    assert same({"a": 1, "b": {"c": 2, "d": 3}}, {"b": {"d": 3, "c": 2}, "a": 1})


@pytest.mark.parametrize(
    ("one", "other"),
    [
        (0, False),
        (1, True),
        (1, 1.0),
        ([1], [True]),
        ({"a": 0}, {"a": 0.0}),
        ("1", 1),
        (None, False),
        ([1, 2], [2, 1]),
        ({"a": None}, {}),
    ],
)
def test_values_that_are_spelt_differently_are_not_the_same(one: object, other: object) -> None:
    assert not same(one, other)
    assert not same(other, one)
