"""Changes laid over an object's fields."""

import copy
import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.core.values import JSON
from tornado_cc.core import clock
from tornado_cc.core.json_value import canonical, same
from tornado_cc.store.errors import IncorrectType, InvalidName, InvalidValue, StoreError
from tornado_cc.store.fields import check_fields
from tornado_cc.store.operations import MAX_BATCH, MAX_OBJECT, apply


def changed(stored: dict[str, Any] | None, change: Any) -> Any:
    """The field `f` after one change, None when it is gone."""
    return apply(stored, check_fields({"f": change})).get("f")


def test_a_new_object_has_the_fields_it_was_given() -> None:
    assert apply(None, check_fields({"a": 1, "b": None})) == {"a": 1, "b": None}


def test_changes_leave_the_other_fields_alone() -> None:
    assert apply({"a": 1, "b": {"c": 2}}, check_fields({"a": None})) == {"a": None, "b": {"c": 2}}


def test_a_mapping_replaces_a_mapping_as_a_whole() -> None:
    assert changed({"f": {"a": 1}}, {"b": 2}) == {"b": 2}


@pytest.mark.parametrize(
    ("before", "amount", "after"),
    [
        ({"f": 1}, 3, 4),
        ({"f": 1}, -1.5, -0.5),
        ({}, 3, 3),
        (None, 3, 3),
        ({"f": 2**63 - 1}, 1, 2**63),
    ],
)
def test_increment_adds(before: dict[str, Any] | None, amount: Any, after: Any) -> None:
    assert same(changed(before, {"__op": "Increment", "amount": amount}), after)


def test_increment_adds_one_unless_told() -> None:
    assert changed({"f": 1}, {"__op": "Increment"}) == 2


@pytest.mark.parametrize("value", ["1", True, None, [], {}])
def test_increment_of_what_is_no_number_is_refused(value: Any) -> None:
    with pytest.raises(IncorrectType, match="'f'"):
        changed({"f": value}, {"__op": "Increment"})


@pytest.mark.parametrize(("value", "amount"), [(2**64 - 1, 1), (-(2**63), -1), (1e308, 1e308)])
def test_increment_beyond_what_is_stored_is_refused(value: Any, amount: Any) -> None:
    with pytest.raises(InvalidValue, match="'f'"):
        changed({"f": value}, {"__op": "Increment", "amount": amount})


def test_add_appends_all() -> None:
    assert changed({"f": [1]}, {"__op": "Add", "objects": [1, [2]]}) == [1, 1, [2]]
    assert changed({}, {"__op": "Add", "objects": [1]}) == [1]


def test_add_unique_appends_what_is_not_there() -> None:
    add = {"__op": "AddUnique", "objects": [1, True, {"b": 1, "a": 2}, "x", "x", 1.0]}
    before = [1, {"a": 2, "b": 1}]
    assert canonical(changed({"f": before}, add)) == canonical([*before, True, "x", 1.0])


def test_remove_takes_every_equal_element_away() -> None:
    remove = {"__op": "Remove", "objects": [1, {"b": 1, "a": 2}]}
    assert canonical(changed({"f": [1, True, 1, {"a": 2, "b": 1}]}, remove)) == "[true]"
    assert changed({}, remove) == []


@pytest.mark.parametrize("op", ["Add", "AddUnique", "Remove"])
@pytest.mark.parametrize("value", ["1", 1, None, {}])
def test_an_operation_on_what_is_no_list_is_refused(op: str, value: Any) -> None:
    with pytest.raises(IncorrectType, match=f"{op} .*'f'"):
        changed({"f": value}, {"__op": op, "objects": []})


def test_delete_takes_the_field_away_if_it_is_there() -> None:
    delete = check_fields({"f": {"__op": "Delete"}})
    assert apply({"f": 1, "g": 2}, delete) == {"g": 2}
    assert apply({"g": 2}, delete) == {"g": 2}
    assert apply(None, delete) == {}


def test_a_batch_runs_one_after_another() -> None:
    ops = [
        {"__op": "Remove", "objects": [1]},
        {"__op": "Add", "objects": [2]},
        {"__op": "AddUnique", "objects": [2, 3]},
    ]
    assert changed({"f": [1]}, {"__op": "Batch", "ops": ops}) == [2, 3]
    ops = [{"__op": "Delete"}, {"__op": "Increment"}]
    assert changed({"f": "text"}, {"__op": "Batch", "ops": ops}) == 1
    assert apply({}, check_fields({"f": {"__op": "Batch", "ops": []}})) == {}


@pytest.mark.parametrize(
    "operation",
    [
        {"__op": "Increment", "amount": "1"},
        {"__op": "Increment", "amount": True},
        {"__op": "Increment", "amount": None},
        {"__op": "Add"},
        {"__op": "Add", "objects": {}},
        {"__op": "AddUnique", "objects": "ab"},
        {"__op": "Remove", "objects": [{"__type": "Nothing"}]},
        {"__op": "Add", "objects": ["\0"]},
        {"__op": "Add", "objects": [{"__op": "Delete"}]},
        {"__op": "Batch"},
        {"__op": "Batch", "ops": [1]},
        {"__op": "Batch", "ops": [{}]},
        {"__op": "Batch", "ops": [{"__op": "Batch", "ops": []}]},
        {"__op": "Batch", "ops": [{"__op": "Delete"}] * (MAX_BATCH + 1)},
    ],
)
def test_a_malformed_operation_is_refused_before_it_runs(operation: dict[str, Any]) -> None:
    with pytest.raises(InvalidValue):
        check_fields({"f": operation})


def test_what_an_operation_adds_is_checked_like_any_value() -> None:
    with pytest.raises(InvalidName):
        check_fields({"f": {"__op": "Add", "objects": [{"$a": 1}]}})
    pointer = {"objectId": "x", "__type": "Pointer", "className": "C", "more": 1}
    del_more = {"__type": "Pointer", "className": "C", "objectId": "x"}
    assert changed({"f": [del_more]}, {"__op": "Remove", "objects": [pointer]}) == []


@pytest.mark.parametrize("op", ["AddRelation", "increment", "", None, 1, []])
def test_an_unknown_operation_is_refused_with_those_known(op: object) -> None:
    with pytest.raises(InvalidValue, match="known are Increment, Add, AddUnique, Remove, Delete"):
        check_fields({"f": {"__op": op}})


def test_an_object_that_becomes_too_large_is_refused() -> None:
    half = "x" * (MAX_OBJECT // 2)
    with pytest.raises(InvalidValue, match="larger"):
        apply({"a": half}, check_fields({"b": half}))
    apply({"a": half}, check_fields({"a": half}))


def test_long_lists_take_no_long_time() -> None:
    numbers = list(range(50_000))
    add = check_fields({"f": {"__op": "AddUnique", "objects": numbers[::-1]}})
    assert apply({"f": numbers}, add) == {"f": numbers}


def test_many_operations_on_a_long_list_end_long_before_the_deadline_of_the_store() -> None:
    pairs = [[number] for number in range(100_000)]
    again = {"__op": "AddUnique", "objects": [[1]]}
    batch = check_fields({"f": {"__op": "Batch", "ops": [again] * MAX_BATCH}})
    started = clock.monotonic()
    assert apply({"f": pairs}, batch) == {"f": pairs}
    assert clock.monotonic() - started < 4


def test_the_arguments_stay_as_they_are_and_are_not_shared() -> None:
    stored = {"a": [[1]], "f": [[2]]}
    changes = check_fields({"f": {"__op": "Add", "objects": [[3]]}, "g": [[4]]})
    before = copy.deepcopy((stored, changes))
    result = apply(stored, changes)
    for items in result.values():
        for item in items:
            item.append("mine")
    assert (stored, changes) == before


# A second writing of the operations, as slow and as plain as can be.
def spelt(value: Any) -> str:
    return json.dumps(value, sort_keys=True)


def model(before: dict[str, Any], name: str, change: Any) -> dict[str, Any]:
    after = dict(before)
    op = change.get("__op") if isinstance(change, dict) else None
    if op == "Delete":
        after.pop(name, None)
    elif op == "Increment":
        after[name] = after.get(name, 0) + change.get("amount", 1)
    elif op == "Add":
        after[name] = [*after.get(name, []), *change["objects"]]
    elif op == "AddUnique":
        after[name] = list(after.get(name, []))
        for item in change["objects"]:
            if all(spelt(item) != spelt(other) for other in after[name]):
                after[name].append(item)
    elif op == "Remove":
        unwanted = [spelt(item) for item in change["objects"]]
        after[name] = [item for item in after.get(name, []) if spelt(item) not in unwanted]
    else:
        after[name] = change
    return after


def fits(value: Any, change: Any) -> bool:
    op = change.get("__op") if isinstance(change, dict) else None
    if op == "Increment":
        return type(value) in (int, float)
    return op not in ("Add", "AddUnique", "Remove") or type(value) is list


SMALL = st.sampled_from([0, 1, 1.0, True, None, "a", "b", [1], {"x": 1}, {"x": True}])
OBJECTS = st.lists(SMALL, max_size=4)
CHANGES = (
    SMALL
    | OBJECTS
    | st.just({"__op": "Delete"})
    | st.builds(lambda amount: {"__op": "Increment", "amount": amount}, st.integers(-5, 5))
    | st.builds(
        lambda op, objects: {"__op": op, "objects": objects},
        st.sampled_from(["Add", "AddUnique", "Remove"]),
        OBJECTS,
    )
)
STEPS = st.lists(st.tuples(st.sampled_from("abc"), CHANGES), max_size=12)


@given(STEPS)
def test_any_changes_one_after_another_do_what_a_dictionary_does(
    steps: list[tuple[str, Any]],
) -> None:
    stored: dict[str, Any] = {}
    expected: dict[str, Any] = {}
    for name, change in steps:
        changes = check_fields({name: change})
        if name not in expected or fits(expected[name], change):
            stored = apply(stored, changes)
            expected = model(expected, name, change)
        else:
            with pytest.raises(IncorrectType):
                apply(stored, changes)
        assert same(stored, expected)


@given(st.sampled_from("ab"), st.lists(CHANGES, max_size=6), OBJECTS)
def test_a_batch_is_its_operations_one_by_one(name: str, ops: list[Any], before: Any) -> None:
    ops = [op for op in ops if isinstance(op, dict) and "__op" in op]
    stored: dict[str, Any] = {"a": before}
    batch = check_fields({name: {"__op": "Batch", "ops": ops}})
    try:
        one_by_one = stored
        for op in ops:
            one_by_one = apply(one_by_one, check_fields({name: op}))
    except IncorrectType:
        with pytest.raises(IncorrectType):
            apply(stored, batch)
        return
    assert same(apply(stored, batch), one_by_one)


@given(JSON, st.sampled_from(["Increment", "Add", "AddUnique", "Remove", "Delete"]), JSON, JSON)
def test_any_operation_on_any_value_succeeds_or_is_refused(
    value: Any, op: str, amount: Any, objects: Any
) -> None:
    try:
        stored = apply(None, check_fields({"f": value}))
        changes = check_fields({"f": {"__op": op, "amount": amount, "objects": objects}})
        before = copy.deepcopy((stored, changes))
        try:
            result = apply(stored, changes)
        finally:
            assert (stored, changes) == before
    except StoreError:
        return
    assert same(apply(None, check_fields(result)), result)
