"""Objects, on both engines. What queries and operations mean is tested without a database."""

import datetime
import itertools
from typing import Any

import pytest

from tests.store import opened as fixtures
from tests.store.opened import outcomes
from tornado_cc.core import clock
from tornado_cc.store import (
    DuplicateValue,
    IncorrectType,
    InvalidName,
    InvalidQuery,
    InvalidValue,
    ObjectNotFound,
    Store,
)
from tornado_cc.store.fields import check_fields

migrated_file, migrated_server = fixtures.migrated_file, fixtures.migrated_server
migrated_url, store = fixtures.migrated_url, fixtures.store

NOON = datetime.datetime(2024, 5, 17, 12, tzinfo=datetime.UTC)
INCREMENT = {"__op": "Increment", "amount": 1}


async def make(store: Store, object_id: str, class_name: str = "C", **fields: Any) -> Any:
    return await store.objects.insert(class_name, object_id, check_fields(fields))


async def ids(store: Store, *args: Any, **page: Any) -> list[str]:
    return [one["objectId"] for one in await store.objects.find("C", *args, **page)]


async def test_a_new_object_is_returned_and_found_as_it_was_made(store: Store) -> None:
    before = clock.now()
    made = await make(store, "1", text="ä\n'", at=NOON, none=None, deep={"x": [1.5, {"y": []}]})
    assert made == {
        "objectId": "1",
        "createdAt": made["createdAt"],
        "updatedAt": made["createdAt"],
        "text": "ä\n'",
        "at": {"__type": "Date", "iso": "2024-05-17T12:00:00.000Z"},
        "none": None,
        "deep": {"x": [1.5, {"y": []}]},
    }
    assert before <= made["createdAt"] <= clock.now()
    assert await store.objects.get("C", "1") == made
    assert await store.objects.find("C") == [made]


@pytest.mark.parametrize(
    "number",
    [0, -0.0, 1.0, 0.1, 5e-324, 1e15, 1e16, 1e19, 1e22, -1e18, 1.7e308, 2**53 + 1, 2**63, -(2**63)],
)
async def test_a_number_is_read_back_as_it_was_returned(store: Store, number: float) -> None:
    made = await make(store, "1", number=number)
    found = await store.objects.get("C", "1")
    assert found["number"] == number
    assert repr(found["number"]) == repr(made["number"])
    increment = check_fields({"number": {"__op": "Increment", "amount": 0.0}})
    _, after = await store.objects.update("C", "1", increment)
    assert repr(after) == repr(await store.objects.get("C", "1"))


async def test_the_same_id_may_be_used_in_another_class_only(store: Store) -> None:
    await make(store, "1", a=1)
    other = await make(store, "1", "c", a=2)
    with pytest.raises(DuplicateValue):
        await make(store, "1", a=3)
    assert await store.objects.get("c", "1") == other
    assert await store.objects.count("C") == 1


async def test_an_update_returns_the_object_as_it_was_and_as_it_is(store: Store) -> None:
    made = await make(store, "1", a=1, b=[1], c="x")
    changes = check_fields({"a": INCREMENT, "b": {"__op": "Add", "objects": [2]}, "d": None})
    before, after = await store.objects.update("C", "1", changes)
    assert before == made
    assert after == {**made, "a": 2, "b": [1, 2], "d": None, "updatedAt": after["updatedAt"]}
    assert after["updatedAt"] >= made["updatedAt"]
    assert await store.objects.get("C", "1") == after


async def test_an_operation_that_does_not_fit_changes_nothing(store: Store) -> None:
    made = await make(store, "1", a="x", b=1)
    with pytest.raises(IncorrectType):
        await store.objects.update("C", "1", check_fields({"b": 2, "a": INCREMENT}))
    await make(store, "2", b=2**64 - 1)
    with pytest.raises(InvalidValue):
        await store.objects.update("C", "2", check_fields({"b": INCREMENT}))
    assert await store.objects.get("C", "1") == made


async def test_what_is_not_there_is_not_found(store: Store) -> None:
    await make(store, "1")
    for class_name, object_id in (("C", "2"), ("D", "1"), ("c", "1")):
        for call in (
            store.objects.get(class_name, object_id),
            store.objects.update(class_name, object_id, {}),
            store.objects.delete(class_name, object_id),
        ):
            with pytest.raises(ObjectNotFound):
                await call
        assert await store.objects.find(class_name, {"objectId": object_id}) == []


async def test_what_does_not_fit_the_condition_is_not_found_and_stays(store: Store) -> None:
    made = await make(store, "1", used=True)
    with pytest.raises(ObjectNotFound):
        await store.objects.update("C", "1", {"a": 1}, {"used": False})
    with pytest.raises(ObjectNotFound):
        await store.objects.delete("C", "1", {"used": False})
    assert await store.objects.get("C", "1") == made
    assert await store.objects.delete("C", "1", {"used": True, "objectId": "1"}) == made
    assert await store.objects.count("C") == 0


async def test_objects_come_oldest_first_and_by_id_within_a_moment(store: Store) -> None:
    made = [await make(store, name) for name in ("b", "B", "a", "_", "10", "9")]
    made.sort(key=lambda one: (one["createdAt"], one["objectId"]))
    assert await store.objects.find("C") == made


async def test_pages_neither_overlap_nor_leave_out(store: Store) -> None:
    for number in range(12):
        await make(store, str(number), rank=number % 3)
    for order in (None, "rank", "-rank", "rank,-objectId", ["-createdAt"]):
        pages = [await ids(store, order=order, limit=5, skip=skip) for skip in (0, 5, 10, 15)]
        assert [len(page) for page in pages] == [5, 5, 2, 0]
        assert sorted(itertools.chain(*pages)) == sorted(map(str, range(12)))
    assert await ids(store, limit=0) == []


async def test_more_objects_than_are_read_at_once_are_all_found(store: Store) -> None:
    made = [
        await outcomes(*(make(store, f"{n}-{m}", n=n, m=m) for m in range(101))) for n in range(11)
    ]
    assert made == [{"ok": 101}] * 11
    assert await store.objects.count("C") == 1111
    assert await store.objects.count("C", {"n": {"$gte": 0}}) == 1111
    assert await store.objects.count("C", {"n": 3}) == 101
    assert await store.objects.count("C", {"n": {"$in": [3, 4]}, "m": {"$lt": 10}}) == 20
    found = await ids(store, {"n": {"$gte": 0}}, limit=1000, skip=500)
    assert len(set(found)) == 611


async def test_selected_keys_come_with_those_of_the_system(store: Store) -> None:
    made = await make(store, "1", a={"x": 1, "y": 2}, b=1)
    del made["b"]
    assert await store.objects.find("C", keys="a.x") == [{**made, "a": {"x": 1}}]
    assert await store.objects.find("C", keys=["a", "a.x", "c"]) == [made]


@pytest.mark.parametrize(
    ("asked", "error"),
    [
        ({"limit": -1}, InvalidQuery),
        ({"limit": 1001}, InvalidQuery),
        ({"limit": True}, InvalidQuery),
        ({"limit": "1"}, InvalidQuery),
        ({"skip": -1}, InvalidQuery),
        ({"skip": 100_001}, InvalidQuery),
        ({"order": 5}, InvalidQuery),
        ({"order": "a b"}, InvalidName),
        ({"keys": "a;b"}, InvalidName),
        ({"where": []}, InvalidQuery),
        ({"where": {"a": {"$no": 1}}}, InvalidQuery),
        ({"where": {"a": {"$regex": "("}}}, InvalidQuery),
        ({"where": {"a": "\0"}}, InvalidQuery),
        ({"where": {"objectId": "\0"}}, InvalidQuery),
        ({"where": {"objectId": {"$in": ["\ud800"]}}}, InvalidQuery),
        ({"where": {"a'b": 1}}, InvalidName),
    ],
)
async def test_what_cannot_be_asked_is_refused(
    store: Store, asked: dict[str, Any], error: type[Exception]
) -> None:
    await make(store, "1", a="x")
    with pytest.raises(error):
        await store.objects.find("C", **asked)
    if "where" in asked:
        for call in (
            store.objects.count("C", asked["where"]),
            store.objects.update("C", "1", {}, asked["where"]),
            store.objects.delete("C", "1", asked["where"]),
        ):
            with pytest.raises(error):
                await call


async def test_increments_at_once_lose_nothing(store: Store) -> None:
    await make(store, "1", n=0)
    changes = check_fields({"n": INCREMENT})
    assert await outcomes(*(store.objects.update("C", "1", changes) for _ in range(50))) == {
        "ok": 50
    }
    assert (await store.objects.get("C", "1"))["n"] == 50


async def test_one_of_many_who_use_a_single_use_object_at_once_has_it(store: Store) -> None:
    await make(store, "1", used=False)
    uses = (
        store.objects.update("C", "1", check_fields({"used": True, "by": n}), {"used": False})
        for n in range(50)
    )
    assert await outcomes(*uses) == {"ok": 1, "ObjectNotFound": 49}


async def test_one_of_many_who_delete_an_object_at_once_did(store: Store) -> None:
    await make(store, "1")
    deletes = (store.objects.delete("C", "1") for _ in range(50))
    assert await outcomes(*deletes) == {"ok": 1, "ObjectNotFound": 49}


async def test_one_of_many_who_create_an_object_at_once_did(store: Store) -> None:
    assert await outcomes(*(make(store, "1", n=n) for n in range(50))) == {
        "ok": 1,
        "DuplicateValue": 49,
    }
