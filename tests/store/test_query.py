"""Queries, orders and selected keys."""

import datetime
import heapq
import itertools
import re
from typing import Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from tests.core.values import JSON
from tornado_cc.store.errors import InvalidName, InvalidQuery, StoreError
from tornado_cc.store.fields import check_fields
from tornado_cc.store.query import (
    MAX_CONDITIONS,
    MAX_DEPTH,
    Prefilter,
    compile_keys,
    compile_order,
    compile_query,
)

NOON = datetime.datetime(2024, 5, 17, 12, tzinfo=datetime.UTC)
NOON_ISO = "2024-05-17T12:00:00.000Z"
NOON_DATE = {"__type": "Date", "iso": NOON_ISO}
LATER_DATE = {"__type": "Date", "iso": "2024-05-17T12:00:01Z"}
POINTER = {"__type": "Pointer", "className": "C", "objectId": "x"}
SYSTEM = {"objectId": "one", "createdAt": NOON_ISO, "updatedAt": NOON_ISO}
MISSING = object()


def an_object(**fields: Any) -> dict[str, Any]:
    return {**check_fields(fields), **SYSTEM}


def fits(asked: Any, value: Any = MISSING) -> bool:
    """Whether an object whose field `f` has this value, or is missing, fits."""
    return compile_query({"f": asked}).matches(
        an_object(**({} if value is MISSING else {"f": value}))
    )


@pytest.mark.parametrize("where", [None, {}, {"$and": [{}]}, {"f": {"$exists": False}}])
def test_an_object_without_fields_fits_what_asks_for_nothing(where: Any) -> None:
    assert compile_query(where).matches(SYSTEM)


@pytest.mark.parametrize(
    ("asked", "value", "expected"),
    [
        (1, 1, True),
        (1, 1.0, True),
        (1, True, False),
        (0, False, False),
        (1, "1", False),
        ("a", "a", True),
        ("a", "A", False),
        ({"a": 1, "b": True}, {"b": True, "a": 1.0}, True),
        ({"a": 1}, {"a": 1, "b": 2}, False),
        ({}, {}, True),
        (POINTER, {**POINTER, "more": 1}, True),
        (NOON, NOON_DATE, True),
        (NOON_DATE, NOON_ISO, False),
        ({"__type": "Date", "iso": "2024-05-17T14:00+02:00"}, NOON, True),
        (1, [0, 1], True),
        ([0, 1], [0, 1], True),
        ([0], [0, 1], False),
        ([0], [[0], 1], True),
        (None, None, True),
        (None, MISSING, True),
        (None, 0, False),
        (None, [None], True),
        (1, MISSING, False),
    ],
)
def test_a_value_is_equal_to_the_field_or_to_an_element_of_its_list(
    asked: Any, value: Any, expected: bool
) -> None:
    assert fits(asked, value) is expected
    assert fits({"$eq": asked}, value) is expected
    assert fits({"$in": ["nothing", asked]}, value) is expected
    assert fits({"$all": [asked]}, value) is expected
    assert fits({"$ne": asked}, value) is not expected
    assert fits({"$nin": ["nothing", asked]}, value) is not expected


@pytest.mark.parametrize(
    ("asked", "value", "expected"),
    [
        ({"$lt": 2}, 1, True),
        ({"$lt": 2}, 2.0, False),
        ({"$lte": 2}, 2.0, True),
        ({"$gt": 2}, 2**64 - 1, True),
        ({"$gte": 2**53 + 1}, 2**53, False),
        ({"$gt": 1, "$lt": 3}, 2, True),
        ({"$gt": 1, "$lt": 3}, 3, False),
        ({"$gt": False}, 1, False),
        ({"$gte": 0}, True, False),
        ({"$gt": "a"}, "b", True),
        ({"$gt": "Z"}, "a", True),
        ({"$gt": "\uffff"}, "\U00010000", True),
        ({"$gt": 1}, "2", False),
        ({"$lt": LATER_DATE}, NOON, True),
        ({"$gt": NOON}, LATER_DATE, True),
        ({"$gte": NOON_ISO}, NOON, False),
        ({"$gte": NOON}, NOON_ISO, False),
        ({"$gt": 0}, [1, 2], False),
        ({"$gte": []}, [], False),
        ({"$gte": None}, None, False),
        ({"$lte": {}}, {}, False),
        ({"$lt": 1}, MISSING, False),
        ({"$lt": 1}, None, False),
    ],
)
def test_a_range_holds_for_numbers_strings_and_dates(
    asked: Any, value: Any, expected: bool
) -> None:
    assert fits(asked, value) is expected


@pytest.mark.parametrize("value", [None, 0, "", [], {}])
def test_a_field_exists_whatever_it_holds(value: Any) -> None:
    assert fits({"$exists": True}, value)
    assert not fits({"$exists": False}, value)


def test_a_missing_field_does_not_exist() -> None:
    assert fits({"$exists": False})
    assert not fits({"$exists": True})


def test_all_needs_each_value_in_the_list() -> None:
    assert fits({"$all": [1, "a"]}, ["a", 2, 1])
    assert not fits({"$all": [1, "a"]}, ["a", 2])
    assert not fits({"$all": []}, ["a"])


def test_in_nothing_is_nothing() -> None:
    assert not fits({"$in": []}, 1)
    assert fits({"$nin": []}, 1)


def test_a_regular_expression_is_found_in_a_string_or_in_one_of_a_list() -> None:
    assert fits({"$regex": "^\\QB.\\E", "$options": "i"}, "b.c")
    assert fits({"$options": "i", "$regex": "B"}, [1, "ab"])
    for value in ("a", ["a"], 1, None, MISSING, {"a": "b"}, [["b"]]):
        assert not fits({"$regex": "b"}, value)


def test_groups_combine_queries() -> None:
    one, two = {"a": 1}, {"b": 1}
    both, first, none = an_object(a=1, b=1), an_object(a=1), an_object()
    for operator, expected in {
        "$and": [True, False, False],
        "$or": [True, True, False],
        "$nor": [False, False, True],
    }.items():
        query = compile_query({operator: [one, two]})
        assert [query.matches(stored) for stored in (both, first, none)] == expected
    assert not compile_query({"$or": [one, two], "c": 1}).matches(both)


def test_a_dotted_name_reaches_into_mappings_and_not_into_lists() -> None:
    stored = an_object(address={"city": "Ulm", "zip": None}, many=[{"city": "Ulm"}], one=POINTER)
    expectations: list[tuple[dict[str, Any], bool]] = [
        ({"address.city": "Ulm"}, True),
        ({"address.zip": None}, True),
        ({"address.street": None}, True),
        ({"address.city.part": {"$exists": True}}, False),
        ({"one.objectId": "x"}, True),
        ({"many.city": "Ulm"}, False),
        ({"many.0": {"$exists": True}}, False),
    ]
    for where, expected in expectations:
        assert compile_query(where).matches(stored) is expected, where


@pytest.mark.parametrize("name", ["createdAt", "updatedAt"])
def test_the_dates_of_the_system_compare_with_dates_and_with_text(name: str) -> None:
    for noon in (NOON, NOON_DATE, NOON_ISO, "2024-05-17T14:00:00+02:00"):
        for asked in (noon, {"$in": [noon]}, {"$gte": noon}, {"$lte": noon, "$exists": True}):
            assert compile_query({name: asked}).matches(SYSTEM)
        for asked in ({"$ne": noon}, {"$gt": noon}, {"$lt": noon}, {"$nin": [noon]}):
            assert not compile_query({name: asked}).matches(SYSTEM)
    assert not compile_query({name: None}).matches(SYSTEM)
    with pytest.raises(InvalidQuery, match="a Date needs iso"):
        compile_query({name: {"$gt": "yesterday"}})


@pytest.mark.parametrize(
    ("where", "reason"),
    [
        ({"a": {"$gt": 1, "b": 2}}, "unknown 'b'; known for a field are"),
        ({"a": {"$near": 1}}, r"unknown '\$near'; known for a field are \$eq, \$ne"),
        ({"a": {"$or": []}}, "unknown"),
        ({"$where": "1"}, r"unknown '\$where'; known here are \$and, \$or, \$nor"),
        ({"$or": {}}, "needs a list"),
        ({"$and": []}, "needs a list"),
        ({"$nor": [1]}, "a query is a mapping"),
        ({"a": {"$in": 1}}, "need a list"),
        ({"a": {"$nin": {}}}, "need a list"),
        ({"a": {"$all": None}}, "need a list"),
        ({"a": {"$exists": 1}}, "true or false"),
        ({"a": {"$regex": 1}}, "strings"),
        ({"a": {"$regex": "a", "$options": 1}}, "strings"),
        ({"a": {"$regex": "a", "$options": "x"}}, "not supported"),
        ({"a": {"$options": "i"}}, "beside"),
        ({"a": {"$regex": "(?=a)"}}, "ahead"),
        ({"a": "\0"}, "NUL"),
        ({"a": object()}, "JSON cannot carry"),
        ({"a": NOON.replace(tzinfo=None)}, "time zone"),
        ({"a": {"__type": "Pointer"}}, "a Pointer needs"),
        ({"a": {"$gt": {"__type": "Date", "iso": "now"}}}, "a Date needs"),
        ([], "a query is a mapping"),
        ("a", "a query is a mapping"),
    ],
)
def test_a_query_that_cannot_be_understood_is_refused(where: Any, reason: str) -> None:
    with pytest.raises(InvalidQuery, match=reason):
        compile_query(where)


@pytest.mark.parametrize(
    "name", ["", "1a", "_a", "a b", "a'", 'a"', "a\0", "__proto__", "a..b", ".a", "a.$b", "a\n"]
)
def test_a_query_of_what_cannot_be_a_field_is_refused(name: str) -> None:
    for where in ({name: 1}, {"$or": [{"$and": [{name: 1}]}]}):
        with pytest.raises(InvalidName):
            compile_query(where)


def nested(levels: int) -> dict[str, Any]:
    where: dict[str, Any] = {"a": 1}
    for group, _ in zip(itertools.cycle(["$or", "$and", "$nor"]), range(levels), strict=False):
        where = {group: [where]}
    return where


def test_groups_nest_to_a_depth() -> None:
    compile_query(nested(MAX_DEPTH))
    with pytest.raises(InvalidQuery, match="deeper than 16"):
        compile_query(nested(MAX_DEPTH + 1))


@pytest.mark.parametrize(
    "where",
    [
        {"a": {"$in": list(range(MAX_CONDITIONS))}},
        {"$or": [{"a": 1}] * (MAX_CONDITIONS // 2 + 1)},
        {f"a{number}": 1 for number in range(MAX_CONDITIONS + 1)},
        {f"a{number}": {"$regex": "a"} for number in range(11)},
    ],
)
def test_a_query_has_only_so_many_conditions(where: Any) -> None:
    with pytest.raises(InvalidQuery, match="up to 1000 conditions"):
        compile_query(where)


def test_a_query_does_not_change_with_what_it_was_made_of() -> None:
    where: dict[str, Any] = {"f": {"$in": [[1]]}}
    query = compile_query(where)
    where["f"]["$in"][0].append(2)
    assert query.matches(an_object(f=[[1]]))


def test_prefilters_tell_what_a_database_can_look_for() -> None:
    where = {
        "a": 1,
        "b": {"$eq": "x", "$gt": "a"},
        "$and": [{"c": {"$in": [1, "x"]}}, {"$and": [{"d": {**POINTER, "more": 1}}]}],
        "e": {"$all": [True, 2]},
    }
    assert compile_query(where).prefilters() == [
        Prefilter("a", (1,)),
        Prefilter("b", ("x",)),
        Prefilter("c", (1, "x")),
        Prefilter("d", (POINTER,)),
        Prefilter("e", (True,)),
    ]


@pytest.mark.parametrize(
    "where",
    [
        {"a": None},
        {"a": {"$in": [1, None]}},
        {"a": {"$in": []}},
        {"a": {"$ne": 1}},
        {"a": {"$nin": [1]}},
        {"a": [1]},
        {"a": {"b": 1}},
        {"a.b": 1},
        {"$or": [{"a": 1}]},
        {"$nor": [{"a": 1}]},
        {"objectId": "a", "createdAt": NOON, "updatedAt": NOON},
        {"a": {"$gt": 1, "$exists": True, "$regex": "a"}},
    ],
)
def test_prefilters_tell_nothing_else(where: Any) -> None:
    assert compile_query(where).prefilters() == []


@pytest.mark.parametrize(
    ("where", "ids"),
    [
        ({}, None),
        ({"objectId": "a"}, ["a"]),
        ({"objectId": {"$in": ["b", "a", "b", 1]}}, ["b", "a"]),
        ({"objectId": {"$in": ["b", "a"]}, "$and": [{"objectId": {"$in": ["a", "c"]}}]}, ["a"]),
        ({"objectId": 1}, []),
        ({"objectId": {"$in": []}}, []),
        ({"objectId": {"$ne": "a"}}, None),
        ({"$or": [{"objectId": "a"}]}, None),
        ({"a.objectId": "a"}, None),
    ],
)
def test_a_query_tells_the_ids_it_asks_for(where: Any, ids: list[str] | None) -> None:
    assert compile_query(where).object_ids() == ids


# A second writing of the conditions for scalars and lists of them, as plain as can be.
def alike(one: Any, other: Any) -> bool:
    return isinstance(one, bool) is isinstance(other, bool) and bool(one == other)


def equals(value: Any, asked: Any) -> bool:
    if value is MISSING:
        return asked is None
    return alike(value, asked) or (isinstance(value, list) and any(alike(v, asked) for v in value))


def is_below(one: Any, other: Any) -> bool:
    numbers = all(type(value) in (int, float) for value in (one, other))
    texts = all(isinstance(value, str) for value in (one, other))
    return bool(one < other) if numbers or texts else False


def reference(where: dict[str, Any], stored: dict[str, Any]) -> bool:
    return all(reference_of(name, asked, stored) for name, asked in where.items())


def reference_of(name: str, asked: Any, stored: dict[str, Any]) -> bool:
    if name.startswith("$"):
        found = [reference(where, stored) for where in asked]
        return {"$and": all(found), "$or": any(found), "$nor": not any(found)}[name]
    value = stored.get(name, MISSING)
    if not isinstance(asked, dict):
        return equals(value, asked)
    return all(holds(operator, operand, value) for operator, operand in asked.items())


def holds(operator: str, operand: Any, value: Any) -> bool:
    match operator:
        case "$eq" | "$ne":
            return equals(value, operand) is (operator == "$eq")
        case "$in" | "$nin":
            return any(equals(value, one) for one in operand) is (operator == "$in")
        case "$all":
            return operand != [] and all(equals(value, one) for one in operand)
        case "$exists":
            return (value is not MISSING) is operand
        case "$regex":
            texts = value if isinstance(value, list) else [value]
            return any(isinstance(text, str) and re.search(operand, text) for text in texts)
        case "$lt":
            return is_below(value, operand)
        case "$gt":
            return is_below(operand, value)
        case _:
            same_kind = is_below(value, operand) or is_below(operand, value)
            equal = alike(value, operand) and type(value) in (int, float, str)
            above = is_below(operand, value)
            return (
                (same_kind or equal)
                and (operator == "$gte" or not above)
                and (operator == "$lte" or above or equal)
            )


SCALARS = st.sampled_from([None, True, False, 0, 1, 1.0, -1.5, 2**53, "", "a", "ab", "b", "1"])
NAMES = st.sampled_from(["a", "b", "c"])
FIELDS = st.dictionaries(NAMES, SCALARS | st.lists(SCALARS, max_size=3))
SOME = st.lists(SCALARS, max_size=3)
CONDITION = SCALARS | st.fixed_dictionaries(
    {},
    optional={
        "$eq": SCALARS,
        "$ne": SCALARS,
        "$in": SOME,
        "$nin": SOME,
        "$all": SOME,
        "$exists": st.booleans(),
        "$regex": st.sampled_from(["a", "^b", ".", "a$"]),
        **dict.fromkeys(["$lt", "$lte", "$gt", "$gte"], SCALARS),
    },
).filter(bool)
WHERE = st.recursive(
    st.dictionaries(NAMES, CONDITION, max_size=2),
    lambda inner: st.dictionaries(
        st.sampled_from(["$and", "$or", "$nor"]),
        st.lists(inner, min_size=1, max_size=3),
        max_size=2,
    ),
    max_leaves=6,
)


@given(WHERE, FIELDS)
def test_a_query_matches_what_its_second_writing_does(
    where: dict[str, Any], fields: dict[str, Any]
) -> None:
    assert compile_query(where).matches(an_object(**fields)) is reference(where, fields)


TYPED = st.sampled_from([POINTER, NOON_DATE, {"__type": "GeoPoint", "latitude": 1, "longitude": 2}])
TELLING = st.dictionaries(
    NAMES, SCALARS | TYPED | st.builds(lambda values: {"$in": values}, st.lists(SCALARS | TYPED))
)


@given(WHERE | TELLING, st.dictionaries(NAMES, SCALARS | TYPED | st.lists(SCALARS | TYPED)))
@example({"a": {"__type": "GeoPoint", "latitude": 1, "longitude": 2}}, {"a": POINTER})
def test_every_object_that_matches_fulfils_each_prefilter(
    where: dict[str, Any], fields: dict[str, Any]
) -> None:
    query = compile_query(where)
    stored = an_object(**fields)
    ids = query.object_ids()
    if query.matches(stored):
        assert ids is None or stored["objectId"] in ids
        for one in query.prefilters():
            assert one.values
            assert any(equals(stored.get(one.name, MISSING), value) for value in one.values)


OPERATORS = ["$eq", "$ne", "$in", "$nin", "$all", "$exists", "$lt", "$lte", "$gt", "$gte"]
KEYS = st.text(max_size=4) | st.sampled_from(
    [*OPERATORS, "$regex", "$options", "$or", "$and", "$nor", "a", "a.b", "createdAt", "__type"]
)
ANY_WHERE = st.recursive(
    JSON | st.sampled_from(["Date", "Pointer", NOON_ISO, POINTER]),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(KEYS, inner, max_size=3),
    max_leaves=12,
)


@given(st.dictionaries(KEYS, ANY_WHERE, max_size=3), st.dictionaries(KEYS, JSON, max_size=3))
def test_any_query_compiles_or_is_refused_and_matching_never_fails(
    where: dict[str, Any], stored: dict[str, Any]
) -> None:
    try:
        query = compile_query(where)
    except StoreError:
        return
    for candidate in (stored, {**stored, **SYSTEM}):
        assert query.matches(candidate) in (True, False)
    query.prefilters()
    query.object_ids()


def in_order(order: Any, values: list[Any]) -> list[Any]:
    """The values of the field `f` of some objects as they come in this order."""
    objects = [
        {**an_object(**({} if value is MISSING else {"f": value})), "objectId": f"{number:03}"}
        for number, value in enumerate(values)
    ]
    return [one.get("f", MISSING) for one in sorted(objects, key=compile_order(order).key)]


ASCENDING = [MISSING, None, -1, 0.5, 1, 2**64 - 1, "", "B", "a", "é", False, True]
ASCENDING += [NOON_DATE, {**LATER_DATE, "iso": "2024-05-17T12:00:01.000Z"}, [1], {"a": 1}]


def test_values_of_different_kinds_have_one_order() -> None:
    assert in_order("f", ASCENDING) == ASCENDING
    # Missing and null are level: the ids decide between them, downwards too.
    backwards = [*ASCENDING[:1:-1], MISSING, None]
    assert in_order("-f", ASCENDING) == backwards
    assert in_order("f", backwards) == ASCENDING


def test_the_first_name_decides_then_the_second_then_the_id() -> None:
    objects = [
        {"objectId": "b", "x": 1, "y": {"z": 1}},
        {"objectId": "a", "x": 1, "y": {"z": 1}},
        {"objectId": "d", "x": 1, "y": {"z": 2}},
        {"objectId": "c", "x": 2, "y": {"z": 1}},
    ]
    for order, ids in [
        ("x,-y.z", "dabc"),
        (["-x", "y.z"], "cabd"),
        (" -x , -y.z ", "cdab"),
        ("-objectId", "dcba"),
        (None, "abcd"),
        ("", "abcd"),
        ((), "abcd"),
    ]:
        found = sorted(objects, key=compile_order(order).key)
        assert "".join(str(one["objectId"]) for one in found) == ids, order


ORDER = st.lists(st.builds(str.__add__, st.sampled_from(["", "-"]), NAMES), max_size=3)


@given(ORDER, st.lists(st.dictionaries(NAMES, JSON), max_size=8), st.randoms())
def test_pages_are_the_same_however_the_objects_are_found(
    order: list[str], fields: list[dict[str, Any]], random: Any
) -> None:
    objects = [{**one, "objectId": str(number)} for number, one in enumerate(fields)]
    key = compile_order(order).key
    expected = sorted(objects, key=key)
    random.shuffle(objects)
    found = heapq.nsmallest(5, objects, key=key)
    assert [one["objectId"] for one in found] == [one["objectId"] for one in expected[:5]]


@pytest.mark.parametrize("order", ["+a", "a,,b", "--a", "-", "a b", ["a,b"], "a;", ["a", ""]])
def test_an_order_by_what_cannot_be_a_field_is_refused(order: Any) -> None:
    with pytest.raises(InvalidName):
        compile_order(order)
    with pytest.raises(InvalidName):
        compile_keys(order)


@pytest.mark.parametrize("order", [5, [5], {"a": 1}, ["a"] * 1001, b"a", {"a"}])
def test_an_order_that_is_no_list_of_names_is_refused(order: Any) -> None:
    with pytest.raises(InvalidQuery):
        compile_order(order)
    with pytest.raises(InvalidQuery):
        compile_keys(order)


def test_an_order_has_up_to_ten_names() -> None:
    compile_order(["a"] * 10)
    with pytest.raises(InvalidQuery, match="10 names"):
        compile_order(["a"] * 11)


def test_keys_select_fields_and_those_of_the_system() -> None:
    stored = an_object(a=1, b=None, c={"d": 1, "e": {"f": 2, "g": 3}}, l=[{"d": 1}])
    selections: list[tuple[Any, dict[str, Any]]] = [
        ("a, b", {"a": 1, "b": None}),
        (["x"], {}),
        ("", {}),
        ("c.d,c.e.f", {"c": {"d": 1, "e": {"f": 2}}}),
        ("c.d,c", {"c": stored["c"]}),
        ("c.x,l.d,a.b", {}),
    ]
    for keys, fields in selections:
        wanted = compile_keys(keys)
        assert wanted is not None
        assert wanted.select(stored) == {**fields, **SYSTEM}


def test_without_keys_nothing_is_selected() -> None:
    assert compile_keys(None) is None
