"""Objects against a plain dictionary that does the same, on both engines at once."""

from __future__ import annotations

import functools
import operator
from typing import Any

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.store import opened as fixtures
from tests.store.model import Model, Refused
from tests.store.opened import Beside, spelt
from tornado_cc.store import Store
from tornado_cc.store.fields import check_fields
from tornado_cc.store.ids import new_id

beside = fixtures.beside

NAMES = ("a", "b", "c")
IDS = ("1", "2", "B", "a", "_")

DATES = st.sampled_from(["2024-05-17T12:00:00.000Z", "1999-12-31T23:59:59.999Z"])
TYPED = st.builds(lambda iso: {"__type": "Date", "iso": iso}, DATES) | st.builds(
    lambda found: {"__type": "Pointer", "className": "C", "objectId": found}, st.sampled_from(IDS)
)
NUMBERS = st.integers(-2, 2) | st.sampled_from(
    [0.0, -0.0, 1.0, 0.5, 1e15, 1e16, -1e18, 1e19, 1e22, 2**53, 2**53 + 1, 2**63, 0.1, 5e-324]
)
SCALARS = (
    st.none() | st.booleans() | NUMBERS | st.sampled_from(["", "a", "ab", "B", "ä", "1", "null"])
)
INNER = SCALARS | TYPED
LISTS = st.lists(INNER | st.lists(SCALARS, max_size=2), max_size=3)
MAPS = st.dictionaries(st.sampled_from(["x", "y", "O'R", "é"]), INNER, max_size=2)
VALUES = INNER | LISTS | MAPS

OPERATIONS = (
    st.builds(lambda amount: {"__op": "Increment", "amount": amount}, NUMBERS)
    | st.just({"__op": "Increment"})
    | st.builds(
        lambda op, items: {"__op": op, "objects": items},
        st.sampled_from(["Add", "AddUnique", "Remove"]),
        LISTS,
    )
    | st.just({"__op": "Delete"})
)
FIELDS = st.dictionaries(st.sampled_from(NAMES), VALUES, max_size=3)
CHANGES = st.dictionaries(st.sampled_from(NAMES), VALUES | OPERATIONS, max_size=3)
PATHS = st.sampled_from([*NAMES, "a.x", "b.y"])


def one(name: str, operand: st.SearchStrategy[Any]) -> st.SearchStrategy[dict[str, Any]]:
    return operand.map(lambda value: {name: value})


ASKED = (
    INNER
    | one("$eq", VALUES)
    | one("$ne", VALUES)
    | one("$in", st.lists(VALUES, max_size=3))
    | one("$nin", st.lists(VALUES, max_size=3))
    | one("$all", st.lists(VALUES, max_size=2))
    | one("$exists", st.booleans())
    | st.tuples(st.sampled_from(["$lt", "$lte", "$gt", "$gte"]), INNER).map(
        lambda pair: dict([pair])
    )
    | one("$regex", st.sampled_from(["^a", "b$", "^$", "[A-Z]"]))
)
FLAT = st.dictionaries(PATHS, ASKED, max_size=2) | st.one_of(
    st.builds(lambda found: {"objectId": found}, st.sampled_from(IDS)),
    st.builds(lambda found: {"objectId": {"$in": found}}, st.lists(st.sampled_from(IDS))),
    st.builds(lambda found: {"objectId": {"$ne": found}}, st.sampled_from(IDS)),
)
WHERE = FLAT | st.dictionaries(
    st.sampled_from(["$and", "$or", "$nor"]), st.lists(FLAT, min_size=1, max_size=3), max_size=2
)
ORDERS = st.none() | st.lists(
    st.builds(operator.add, st.sampled_from(["", "-"]), PATHS | st.just("objectId")), max_size=3
)
KEYS = st.none() | st.lists(PATHS, max_size=2)
PAGES = st.fixed_dictionaries(
    {"order": ORDERS, "keys": KEYS, "limit": st.integers(0, 6), "skip": st.integers(0, 3)}
)
OBJECT_IDS = st.sampled_from(IDS)
STEPS = st.one_of(
    st.tuples(st.just("create"), OBJECT_IDS, FIELDS),
    st.tuples(st.just("create"), OBJECT_IDS, FIELDS),
    st.tuples(st.just("update"), OBJECT_IDS, CHANGES, st.none() | WHERE),
    st.tuples(st.just("update"), OBJECT_IDS, CHANGES, st.none()),
    st.tuples(st.just("delete"), OBJECT_IDS, st.none() | WHERE),
    st.tuples(st.just("get"), OBJECT_IDS),
    st.tuples(st.just("find"), WHERE, PAGES),
    st.tuples(st.just("find"), WHERE, PAGES),
    st.tuples(st.just("count"), WHERE),
)


async def asked_of(class_name: str, step: tuple[Any, ...], store: Store) -> Any:
    """What the store answers to a step, without the times, which differ."""
    name, *given = step
    objects = store.objects
    if name == "create":
        return timeless(await objects.insert(class_name, given[0], check_fields(given[1])))
    if name == "update":
        object_id, changes, where = given
        _, after = await objects.update(class_name, object_id, check_fields(changes), where)
        return timeless(after)
    if name == "delete":
        return timeless(await objects.delete(class_name, *given))
    if name == "get":
        return timeless(await objects.get(class_name, *given))
    if name == "find":
        found = await objects.find(class_name, given[0], **given[1])
        return [timeless(each) for each in found]
    return await objects.count(class_name, given[0])


def timeless(stored: dict[str, Any]) -> dict[str, Any]:
    assert stored["createdAt"] <= stored["updatedAt"]
    return {name: value for name, value in stored.items() if name not in ("createdAt", "updatedAt")}


def expected(model: Model, step: tuple[Any, ...]) -> Any:
    name, *given = step
    try:
        return getattr(model, name)(*given)
    except Refused as refused:
        return str(refused)


@settings(max_examples=150, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(steps=st.lists(STEPS, min_size=1, max_size=30))
def test_both_engines_do_what_a_dictionary_does(
    beside: Beside, steps: list[tuple[Any, ...]]
) -> None:
    class_name, model = f"C{new_id()}", Model()
    for step in [*steps, ("find", {}, {"order": None, "keys": None, "limit": 100, "skip": 0})]:
        answer = beside.on_both(functools.partial(asked_of, class_name, step))
        if isinstance(answer, type):
            answer = answer.__name__
        assert spelt(answer) == spelt(expected(model, step)), step
