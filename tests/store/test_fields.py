"""Names of classes and fields, and what may be stored in one."""

import datetime
from types import MappingProxyType
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.core.values import JSON
from tests.store.model import normal
from tornado_cc.core.json_value import same
from tornado_cc.store.errors import InvalidName, InvalidValue, StoreError
from tornado_cc.store.fields import check_class, check_fields, check_id, check_path, value_at
from tornado_cc.store.operations import MAX_OBJECT
from tornado_cc.store.values import MISSING, identity

NOON = datetime.datetime(2024, 5, 17, 12, tzinfo=datetime.UTC)
NOON_DATE = {"__type": "Date", "iso": "2024-05-17T12:00:00.000Z"}
BAD_NAMES = [
    "",
    "a b",
    "a.b",
    "$a",
    "a$",
    "1a",
    "_a",
    "__proto__",
    "__type",
    "a\0",
    "a\n",
    'a"',
    "a'",
    "é",
    "٣a",
    "a٣",
    "a" * 129,
    "\ud800",
    3,
    None,
]


def stored(value: object) -> Any:
    return check_fields({"f": value})["f"]


@pytest.mark.parametrize("name", ["Comment", "a", "A_1", "a" * 128])
def test_a_class_has_a_name_of_letters_digits_and_underscores(name: str) -> None:
    assert check_class(name) == name


@pytest.mark.parametrize("name", BAD_NAMES)
def test_any_other_name_of_a_class_is_refused(name: object) -> None:
    with pytest.raises(InvalidName):
        check_class(name)


def test_a_class_of_the_parse_server_is_refused_by_that_reason() -> None:
    with pytest.raises(InvalidName, match=r"'_User' .* belong to the Parse Server"):
        check_class("_User")


@pytest.mark.parametrize("object_id", ["a", "Qx1!-.0~{}'\"", "a" * 128, "50%"])
def test_an_id_is_printable_ascii(object_id: str) -> None:
    assert check_id(object_id) == object_id


@pytest.mark.parametrize(
    "object_id", ["", "a" * 129, "a/b", "a b", "a\n", "\x7f", "é", "a\0", "\ud800", 1, None, b"a"]
)
def test_any_other_id_is_refused(object_id: object) -> None:
    with pytest.raises(InvalidValue, match="cannot be an objectId"):
        check_id(object_id)


@pytest.mark.parametrize("name", BAD_NAMES)
def test_a_field_of_another_name_is_refused(name: Any) -> None:
    with pytest.raises(InvalidName, match="a letter, then up to 127 letters, digits and _"):
        check_fields({name: 1})


@pytest.mark.parametrize("name", ["objectId", "createdAt", "updatedAt", "className"])
def test_a_field_of_the_system_cannot_be_set(name: str) -> None:
    with pytest.raises(InvalidName, match=f"the field {name} is set by the store only"):
        check_fields({name: "x"})


def test_a_long_name_is_cut_in_the_message() -> None:
    with pytest.raises(InvalidName) as refused:
        check_fields({"é" * 10_000: 1})
    assert len(refused.value.message) < 250


def test_an_acl_is_a_field_like_any_other() -> None:
    assert check_fields({"ACL": {"*": {"read": True}}}) == {"ACL": {"*": {"read": True}}}


def test_fields_that_are_no_mapping_are_refused() -> None:
    with pytest.raises(InvalidValue, match="a mapping"):
        check_fields([("a", 1)])  # type: ignore[arg-type]


def test_the_copy_shares_nothing_with_what_was_given() -> None:
    given_fields: dict[str, Any] = {"a": [{"b": []}], "c": MappingProxyType({"d": (1, 2)})}
    copy = check_fields(given_fields)
    given_fields["a"][0]["b"].append(1)
    assert copy == {"a": [{"b": []}], "c": {"d": [1, 2]}}
    assert type(copy["c"]) is dict


@pytest.mark.parametrize("value", [float("nan"), object(), 2**64, {1: 2}, b"", {"a": {1}}])
def test_what_json_cannot_carry_is_refused_with_its_place(value: object) -> None:
    with pytest.raises(InvalidValue, match=r"value\['f'\]"):
        stored(value)


def test_a_value_that_contains_itself_is_refused() -> None:
    loop: list[Any] = []
    loop += [loop, loop]
    with pytest.raises(InvalidValue):
        stored(loop)


@pytest.mark.parametrize("key", ["a.b", "$a", ".", "a$b"])
def test_a_key_within_a_value_has_no_dollar_and_no_dot(key: str) -> None:
    with pytest.raises(InvalidName, match="a \\$ or a dot"):
        stored([{"a": {key: 1}}])


@pytest.mark.parametrize("key", ["__proto__", "constructor", "", "é", "a b", "objectId", "'\""])
def test_any_other_key_within_a_value_is_only_a_key(key: str) -> None:
    assert stored({key: 1}) == {key: 1}


def test_a_nul_character_is_refused_wherever_it_is() -> None:
    with pytest.raises(InvalidValue, match="NUL character, which PostgreSQL cannot store"):
        stored({"a": ["x\0"]})
    with pytest.raises(InvalidName, match="NUL character, which PostgreSQL cannot store"):
        stored({"a": {"x\0": 1}})


def test_an_operation_within_a_value_is_refused() -> None:
    with pytest.raises(InvalidValue, match="__op"):
        stored({"a": {"__op": "Delete"}})


def test_fields_larger_than_an_object_are_refused() -> None:
    with pytest.raises(InvalidValue, match="larger"):
        stored("x" * MAX_OBJECT)


@pytest.mark.parametrize(
    ("iso", "spelt"),
    [
        ("2024-05-17T12:00:00.000Z", "2024-05-17T12:00:00.000Z"),
        ("2024-05-17T12:00Z", "2024-05-17T12:00:00.000Z"),
        ("2024-05-17T12:00:00.1Z", "2024-05-17T12:00:00.100Z"),
        ("2024-05-17T12:00:00.123999Z", "2024-05-17T12:00:00.123Z"),
        ("2024-05-17T14:00:00+02:00", "2024-05-17T12:00:00.000Z"),
        ("0001-01-01T00:00:00Z", "0001-01-01T00:00:00.000Z"),
    ],
)
def test_a_date_has_one_spelling(iso: str, spelt: str) -> None:
    assert stored({"__type": "Date", "iso": iso}) == {"__type": "Date", "iso": spelt}


@pytest.mark.parametrize(
    "iso",
    [
        "",
        "2024-05-17",
        "2024-05-17T12:00:00",
        "2024-05-17 12:00:00Z",
        "2024-02-30T12:00:00Z",
        "2024-05-17T12:00:60Z",
        "٢٠٢٤-05-17T12:00:00Z",
        "0000-01-01T00:00:00Z",
        "0001-01-01T00:00:00+02:00",
        "9999-12-31T23:59:59-02:00",
        "2024-05-17T12:00:00+99:00",
        "2024-05-17T12:00:00Z\n",
        0,
        None,
    ],
)
def test_a_date_that_is_none_is_refused(iso: object) -> None:
    with pytest.raises(InvalidValue):
        stored({"__type": "Date", "iso": iso})


def test_a_datetime_becomes_a_date_wherever_it_is() -> None:
    east = NOON.astimezone(datetime.timezone(datetime.timedelta(hours=5)))
    assert stored(NOON) == NOON_DATE
    assert stored([{"a": (east,)}]) == [{"a": [NOON_DATE]}]
    assert stored({"__op": "Add", "objects": [NOON]}) == {"__op": "Add", "objects": [NOON_DATE]}


def test_a_datetime_without_a_time_zone_is_refused_by_that_reason() -> None:
    with pytest.raises(InvalidValue, match="time zone"):
        stored([NOON.replace(tzinfo=None)])


@given(st.datetimes(timezones=st.just(datetime.UTC)), st.datetimes(timezones=st.timezones()))
def test_dates_compare_as_their_spellings_do(
    one: datetime.datetime, other: datetime.datetime
) -> None:
    try:
        first, second = stored(one)["iso"], stored(other)["iso"]
    except InvalidValue:
        return
    assert len(first) == len(second) == 24
    if abs(one - other) >= datetime.timedelta(milliseconds=1):
        assert (first < second) == (one < other)


@pytest.mark.parametrize(
    "value",
    [
        {"__type": "Pointer", "className": "_User", "objectId": "x"},
        {"__type": "GeoPoint", "latitude": -90.0, "longitude": 180.0},
        {"__type": "Bytes", "base64": "aGVsbG8="},
        {"__type": "Bytes", "base64": ""},
        {"__type": "File", "name": "a.png"},
        {"__type": "File", "name": "a.png", "url": "http://x/a.png"},
        {"__type": "Relation", "className": "Post"},
        {"__type": "Polygon", "coordinates": [[0, 0], [0, 1], [1, 0]]},
    ],
)
def test_a_typed_value_is_stored_as_it_is(value: dict[str, Any]) -> None:
    assert stored([value]) == [value]


def test_a_typed_value_is_reduced_to_the_keys_parse_gives_it() -> None:
    assert list(stored({"objectId": "x", "z": 1, "className": "C", "__type": "Pointer"})) == [
        "__type",
        "className",
        "objectId",
    ]
    point = stored({"longitude": 1, "__type": "GeoPoint", "latitude": -0.0})
    assert same(point, {"__type": "GeoPoint", "latitude": 0.0, "longitude": 1.0})


@pytest.mark.parametrize(
    "value",
    [
        {"__type": "Pointer", "className": "C"},
        {"__type": "Pointer", "className": "", "objectId": "x"},
        {"__type": "Pointer", "className": "C", "objectId": 5},
        {"__type": "GeoPoint", "latitude": 91, "longitude": 0},
        {"__type": "GeoPoint", "latitude": 0, "longitude": -180.1},
        {"__type": "GeoPoint", "latitude": True, "longitude": 0},
        {"__type": "GeoPoint", "latitude": 0},
        {"__type": "Bytes", "base64": "a"},
        {"__type": "Bytes", "base64": "é"},
        {"__type": "Bytes", "base64": "aGVs bG8="},
        {"__type": "Bytes"},
        {"__type": "File"},
        {"__type": "File", "name": "a", "url": 1},
    ],
)
def test_a_typed_value_that_lacks_something_is_refused(value: dict[str, Any]) -> None:
    with pytest.raises(InvalidValue, match="need"):
        stored({"deep": [value]})


@pytest.mark.parametrize("kind", ["Object", "date", "", None, 5, []])
def test_an_unknown_type_is_refused_with_those_known(kind: object) -> None:
    with pytest.raises(InvalidValue, match=r"unknown __type .* Date, Pointer, GeoPoint"):
        stored({"__type": kind})


@given(st.dictionaries(st.text() | st.sampled_from(["a", "title", "ACL"]), JSON, max_size=4))
def test_any_names_and_values_are_stored_or_refused(fields: dict[str, Any]) -> None:
    try:
        changes = check_fields(fields)
    except StoreError:
        return
    assert same(changes, normal(fields))
    assert same(check_fields(changes), changes)


AWKWARD = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats()
    | st.text(st.characters())
    | st.binary()
    | st.datetimes()
    | st.datetimes(timezones=st.timezones()),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(
                [
                    "__op",
                    "__type",
                    "amount",
                    "objects",
                    "ops",
                    "iso",
                    "latitude",
                    "longitude",
                    "a.b",
                ]
            )
            | st.text()
            | st.integers(),
            inner
            | st.sampled_from(
                [
                    "Increment",
                    "Add",
                    "Remove",
                    "Delete",
                    "Batch",
                    "Date",
                    "GeoPoint",
                    "Bytes",
                    "File",
                ]
            ),
            max_size=4,
        )
    ),
    max_leaves=10,
)


@given(AWKWARD)
def test_whatever_is_given_is_stored_or_refused(value: object) -> None:
    try:
        changes = check_fields({"a": value})
    except StoreError:
        return
    assert same(check_fields(changes), changes)


@given(JSON, JSON)
def test_equal_identities_are_equal_values(one: Any, other: Any) -> None:
    assert identity(one) == identity(one)
    if identity(one) == identity(other):
        assert one == other
    if same(one, other):
        assert identity(one) == identity(other)


def test_a_path_reaches_into_mappings_only() -> None:
    fields = {"a": {"b": {"c": 1}, "n": None}, "l": [{"b": 1}]}
    assert value_at(fields, check_path("a.b.c")) == 1
    assert value_at(fields, check_path("a.n")) is None
    for name in ("a.x", "a.n.x", "x", "l.b", "l.0", "a.b.c.d"):
        assert value_at(fields, check_path(name)) is MISSING


@pytest.mark.parametrize(
    "name", [*(one for one in BAD_NAMES if one != "a.b"), "a..b", "a.", "a.$b", "a.b\0", "a." * 300]
)
def test_a_path_that_leads_nowhere_is_refused(name: object) -> None:
    with pytest.raises(InvalidName):
        check_path(name)
