"""The answer to a save, applied as a Parse Server applies it, stores what the chain left."""

import copy
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.dialects.parse.values import JSON
from tornado_cc.core.json_value import NotJson, same
from tornado_cc.dialects.parse.objects import DELETE, UNSENDABLE, answer, check_fields

Fields = dict[str, Any]

NAMES = st.sampled_from(["ACL", "comment", "n", "tags", "when", "password", *UNSENDABLE])
OPERATIONS: st.SearchStrategy[Fields] = st.one_of(
    st.just(DELETE),
    st.integers(-3, 3).map(lambda amount: {"__op": "Increment", "amount": amount}),
    st.lists(st.integers(0, 3), max_size=2).map(
        lambda objects: {"__op": "AddUnique", "objects": objects}
    ),
)
STORED: st.SearchStrategy[Fields] = st.dictionaries(NAMES, JSON, max_size=6)
CHANGES: st.SearchStrategy[Fields] = st.dictionaries(NAMES, OPERATIONS | JSON, max_size=4)


@st.composite
def chains(draw: st.DrawFn, received: Fields) -> Fields:
    """What a chain may leave of an object: fields deleted, changed, added."""
    deleted = draw(st.sets(NAMES))
    kept = {name: value for name, value in received.items() if name not in deleted}
    return copy.deepcopy({**kept, **draw(CHANGES)})


@given(data=st.data(), received=CHANGES)
def test_a_create_stores_exactly_what_the_chain_left(data: st.DataObject, received: Fields) -> None:
    final = data.draw(chains(received))
    sent = answer(received, None, final)
    stored = _applied({}, received if sent is None else sent)
    assert _sendable(stored) == _sendable(_applied({}, final))


@given(data=st.data(), original=STORED, changes=CHANGES)
def test_an_update_stores_exactly_what_the_chain_left(
    data: st.DataObject, original: Fields, changes: Fields
) -> None:
    received = {**original, **changes}
    final = data.draw(chains(received))
    sent = answer(received, original, final)
    stored = _applied(original, changes if sent is None else sent)
    assert _sendable(stored) == _sendable(_after(original, final))


@given(data=st.data(), original=STORED, changes=CHANGES, meanwhile=STORED)
def test_an_update_rewrites_nothing_that_neither_the_client_nor_a_plugin_changed(
    data: st.DataObject, original: Fields, changes: Fields, meanwhile: Fields
) -> None:
    received = {**original, **changes}
    final = data.draw(chains(received))
    sent = answer(received, original, final) or {}
    changed = _changed(original, received) | _changed(received, final)
    assert sent.keys() <= changed
    stored = _applied(meanwhile, sent)
    for name in meanwhile.keys() - changed:
        assert same(stored[name], meanwhile[name])


def _kept(fields: Fields) -> Fields:
    return {name: value for name, value in fields.items() if name not in UNSENDABLE}


@given(data=st.data(), original=st.none() | STORED, changes=CHANGES)
def test_there_is_an_answer_exactly_when_something_changed_and_it_holds_no_reserved_key(
    data: st.DataObject, original: Fields | None, changes: Fields
) -> None:
    received = {**(original or {}), **changes}
    final = data.draw(chains(received))
    sent = answer(received, original, final)
    assert (sent is None) == same(_kept(received), _kept(final))
    chosen = original is None and isinstance(received.get("objectId"), str)
    allowed = {"objectId"} if chosen else set()
    assert UNSENDABLE & (sent or {}).keys() <= allowed


def test_the_id_a_client_chose_for_a_new_object_goes_back_with_every_change() -> None:
    received = {"objectId": "chosen", "a": 1}
    sent = answer(received, None, {**received, "objectId": "another", "b": 2})
    assert sent == {"objectId": "chosen", "a": 1, "b": 2}
    assert answer(received, None, {"a": 1}) is None


def test_no_id_goes_back_where_the_client_chose_none() -> None:
    assert answer({"a": 1}, None, {"a": 1, "objectId": "mine", "b": 2}) == {"a": 1, "b": 2}
    stored = {"objectId": "stored", "a": 1}
    assert answer(stored, stored, {**stored, "b": 2}) == {"b": 2}


@given(data=st.data(), original=st.none() | STORED, changes=CHANGES)
def test_an_answer_changes_nothing_of_what_it_was_made_from(
    data: st.DataObject, original: Fields | None, changes: Fields
) -> None:
    received = {**(original or {}), **changes}
    given_ = (received, original, data.draw(chains(received)))
    before = copy.deepcopy(given_)
    answer(*given_)
    assert given_ == before


@pytest.mark.parametrize(("was", "is_"), [(0, False), (1, True), (1, 1.0), ([0], [False])])
def test_a_value_of_another_type_is_a_change_though_python_calls_them_equal(
    was: Any, is_: Any
) -> None:
    sent = answer({"flag": was}, {"flag": was}, {"flag": is_})
    assert repr(sent) == repr({"flag": is_})


@pytest.mark.parametrize(("was", "is_"), [(0, False), (1, True), ([0], [False])])
def test_a_change_of_the_clients_to_another_type_is_sent_along(was: Any, is_: Any) -> None:
    received = {"flag": is_, "comment": "hi"}
    final = {**received, "comment": "changed"}
    sent = answer(received, {"flag": was, "comment": "hi"}, final)
    assert repr(sent) == repr({"flag": is_, "comment": "changed"})


def test_a_field_that_would_fail_the_save_is_found_before_it_is_sent() -> None:
    with pytest.raises(NotJson, match="__mine"):
        check_fields({"comment": "hi", "__mine": 1}, {"comment": "hi"})


def test_a_field_that_the_client_sent_is_not_the_plugins_fault() -> None:
    check_fields({"__type": "Object"}, {"__type": "Object"})


def _applied(stored: Fields, changes: Fields) -> Fields:
    """What a Parse Server stores: the changes over what is there, operations carried out."""
    fields = dict(stored)
    for name, change in changes.items():
        operation = change.get("__op") if isinstance(change, dict) else None
        if operation == "Delete":
            fields.pop(name, None)
        elif operation is not None:
            # How it is carried out is the Parse Server's; that it arrives is ours.
            fields[name] = (stored.get(name), change)
        else:
            fields[name] = change
    return fields


def _after(original: Fields, final: Fields) -> Fields:
    """What is to be stored when the chain left `final` of an object that was `original`."""
    kept = {name: value for name, value in original.items() if name in final}
    return _applied(kept, final)


def _changed(old: Fields, new: Fields) -> set[str]:
    return {
        name
        for name in old.keys() | new.keys()
        if name not in old or name not in new or not same(old[name], new[name])
    }


def _sendable(fields: Fields) -> str:
    """Fields as text, so that 0 and False differ, without those the Parse Server sets."""
    return repr(sorted((name, fields[name]) for name in fields.keys() - UNSENDABLE))
