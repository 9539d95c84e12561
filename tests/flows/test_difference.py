"""What hooks made of an object, as changes: laid over what is stored, it is what they left."""

from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from tornado_cc.core.json_value import same
from tornado_cc.flows.records import difference
from tornado_cc.store import operations
from tornado_cc.store.fields import check_fields

NAMES = st.sampled_from(["a", "b", "c", "d"])
VALUES = st.recursive(
    st.none() | st.booleans() | st.integers(-2, 2) | st.sampled_from([0.0, 1.0, "", "x"]),
    lambda inner: st.lists(inner, max_size=2) | st.dictionaries(NAMES, inner, max_size=2),
    max_leaves=4,
)
FIELDS = st.dictionaries(NAMES, VALUES)
SYSTEM = {"className": "Thing", "objectId": "t1", "createdAt": "then", "updatedAt": "then"}


def change(stored: dict[str, Any], changes: dict[str, Any]) -> dict[str, Any]:
    return operations.apply(stored, check_fields(changes))


@given(FIELDS, FIELDS, FIELDS)
def test_what_the_hooks_left_is_what_is_stored(
    stored: dict[str, Any], changes: dict[str, Any], left: dict[str, Any]
) -> None:
    shown = {**stored, **changes, **SYSTEM}
    assert same(change(stored, {**changes, **difference(shown, left)}), left)


@given(FIELDS, FIELDS)
def test_what_no_hook_touched_is_no_change(stored: dict[str, Any], changes: dict[str, Any]) -> None:
    shown = {**stored, **changes, **SYSTEM}
    assert difference(shown, shown) == {}


@given(FIELDS, FIELDS, FIELDS, FIELDS)
def test_a_field_that_no_hook_touched_keeps_what_somebody_else_stored_meanwhile(
    stored: dict[str, Any], changes: dict[str, Any], meanwhile: dict[str, Any], left: dict[str, Any]
) -> None:
    shown = {**stored, **changes}
    laid = {**changes, **difference(shown, {**shown, **left})}
    after = change({**stored, **meanwhile}, laid)
    for name, value in meanwhile.items():
        if name not in laid:
            assert same(after[name], value)
