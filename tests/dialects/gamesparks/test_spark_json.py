"""JSON as a script has it: attributes, null for what is not there, and what may not be changed."""

import copy
import json
import pickle
from typing import Any

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.dialects.gamesparks.test_spark import JSON
from tornado_cc.core import json_value
from tornado_cc.dialects.gamesparks.spark_json import GivenData, scripted
from tornado_cc.gamesparks import JsonObject


def test_a_key_is_an_attribute_and_one_that_is_not_there_is_null() -> None:
    one = scripted({"a": {"b": [{"c": 1}]}})
    assert one.a.b[0].c == one["a"]["b"][0]["c"] == 1
    assert one.missing is None
    assert one["missing"] is None
    assert "missing" not in one
    assert one == {"a": {"b": [{"c": 1}]}}


def test_it_is_changed_either_way() -> None:
    one = JsonObject(a=1)
    one.b = 2
    one["c"] = 3
    del one.a
    del one.never_there
    assert one == {"b": 2, "c": 3}


@pytest.mark.parametrize("name", ["items", "keys", "get", "copy", "__class__"])
def test_what_a_dict_has_itself_is_a_key_in_brackets_only(name: str) -> None:
    one = JsonObject({name: 1})
    assert one[name] == 1
    assert callable(getattr(one, name))
    with pytest.raises(AttributeError, match="is a method here; write o"):
        setattr(one, name, 2)


CHANGES: dict[str, Any] = {
    "set": lambda one: one.__setitem__("a", 2),
    "attribute": lambda one: setattr(one, "a", 2),
    "del": lambda one: one.__delitem__("a"),
    "delattr": lambda one: delattr(one, "a"),
    "update": lambda one: one.update(a=2),
    "or": lambda one: one.__ior__({"a": 2}),
    "pop": lambda one: one.pop("a"),
    "popitem": lambda one: one.popitem(),
    "clear": lambda one: one.clear(),
    "setdefault": lambda one: one.setdefault("b", 2),
}


@pytest.mark.parametrize("how", CHANGES)
def test_row_44_what_was_given_cannot_be_changed(how: str) -> None:
    one = scripted({"a": 1}, GivenData)
    with pytest.raises(TypeError, match="can be read, but not changed"):
        CHANGES[how](one)
    assert one == {"a": 1}


@pytest.mark.parametrize("form", [JsonObject, GivenData])
def test_a_copy_may_be_changed(form: type[JsonObject]) -> None:
    one = scripted({"a": {"b": 1}}, form)
    for made in (copy.deepcopy(one), pickle.loads(pickle.dumps(one))):
        made.a.b = 2
        made.c = 3
        assert made == {"a": {"b": 2}, "c": 3}
    shallow = copy.copy(one)
    shallow.c = 3
    assert dict(one) == {"a": {"b": 1}}


@given(JSON, st.sampled_from([JsonObject, GivenData]))
def test_every_writer_of_json_spells_it_as_it_was(value: Any, form: type[JsonObject]) -> None:
    one = scripted(value, form)
    assert one == value
    assert json.dumps(one) == json.dumps(value)
    assert orjson.dumps(one) == orjson.dumps(value)
    assert json_value.same(json_value.checked(one), json_value.checked(value))


def test_it_shares_nothing_with_what_it_was_made_of() -> None:
    value = {"a": [{"b": 1}]}
    scripted(value).a[0].b = 2
    assert value == {"a": [{"b": 1}]}
