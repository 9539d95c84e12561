"""Writing: whatever a hook returns, leaves or raises, the answer is JSON and means what it says."""

import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from decimal import Decimal
from enum import IntEnum
from types import MappingProxyType
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.dialects.parse import offered
from tests.dialects.parse.values import JSON
from tests.serving import Serve, Served

PLUGIN = """
from tests.dialects.parse import offered
from tornado_cc import Plugin, Refusal

plugin = Plugin("offering")

@plugin.cloud_function("give")
@plugin.before_save("Returned")
@plugin.before_delete("Returned")
@plugin.after_save("Returned")
@plugin.parse_trigger("Returned", "beforeFind")
@plugin.parse_trigger("Returned", "afterFind")
async def give(call):
    return offered.value

@plugin.before_save("Replaced")
async def replace(call):
    call.object = offered.value

@plugin.before_save("Filled")
async def fill(call):
    call.object["field"] = offered.value

@plugin.parse_trigger("Filled", "afterFind")
async def fill_found(call):
    call.objects.append(offered.value)

@plugin.cloud_function("refuse")
@plugin.before_save("Refused")
@plugin.parse_trigger("Refused", "afterFind")
async def refuse(call):
    raise Refusal(offered.value, code=offered.value)
"""
FOUND = [{"objectId": "o1"}]
PLACES = [
    "/functions/give",
    "/functions/refuse",
    "/triggers/Returned/beforeSave",
    "/triggers/Returned/beforeDelete",
    "/triggers/Returned/afterSave",
    "/triggers/Returned/beforeFind",
    "/triggers/Returned/afterFind",
    "/triggers/Replaced/beforeSave",
    "/triggers/Filled/beforeSave",
    "/triggers/Filled/afterFind",
    "/triggers/Refused/beforeSave",
    "/triggers/Refused/afterFind",
]


@dataclass
class Record:
    """Something orjson would serialise if it were let."""

    password: str = "hunter2"


class Colour(IntEnum):
    RED = 1


class Hostile:
    """An object that helps nobody who asks it anything."""

    def __eq__(self, other: object) -> bool:
        raise RuntimeError("do not compare me")

    def __repr__(self) -> str:
        raise RuntimeError("do not print me")

    __hash__ = None  # type: ignore[assignment]


def _containing_itself() -> list[object]:
    loop: list[object] = []
    loop.append(loop)
    return loop


def _mapping_containing_itself() -> dict[str, object]:
    loop: dict[str, object] = {}
    loop["self"] = loop
    return loop


def _deep(levels: int) -> list[object]:
    value: list[object] = []
    for _ in range(levels):
        value = [value]
    return value


def _generator() -> Iterator[int]:
    yield 1


MONSTERS: dict[str, Callable[[], object]] = {
    "not a number": lambda: float("nan"),
    "infinity": lambda: float("inf"),
    "an integer of 65 bits": lambda: 2**64,
    "an integer of 20,000 digits": lambda: 1 << 66_000,
    "a lone surrogate": lambda: "\ud800",
    "a key that is a lone surrogate": lambda: {"\udfff": 1},
    "a key of bytes": lambda: {b"key": 1},
    "a key that is a number": lambda: {1: 1},
    "a reserved key": lambda: {"__op": "Steal"},
    "a set": lambda: {1},
    "bytes": lambda: b"bytes",
    "a date": lambda: datetime(2015, 3, 24, tzinfo=UTC),
    "a decimal": lambda: Decimal("1.5"),
    "a dataclass": Record,
    "a class": lambda: Record,
    "a generator": _generator,
    "an exception": lambda: ValueError("returned, not raised"),
    "a hostile object": Hostile,
    "a list of hostile objects": lambda: [Hostile()],
    "a list that contains itself": _containing_itself,
    "a mapping that contains itself": _mapping_containing_itself,
    "a mapping of a list that contains itself": lambda: {"loop": _containing_itself()},
    "101 levels": lambda: _deep(101),
    "20,000 levels": lambda: _deep(20_000),
    "11 MiB": lambda: "x" * (11 << 20),
    "an empty text": lambda: "",
    "false": lambda: False,
    "zero": lambda: 0,
}


@pytest.fixture
async def served(serve: Serve) -> Served:
    return await serve("[dialect:parse]\n", {"offering": PLUGIN})


@pytest.mark.parametrize("monster", MONSTERS)
async def test_whatever_a_hook_comes_up_with_the_answer_is_one(
    monster: str, served: Served
) -> None:
    for place in PLACES:
        offered.value = MONSTERS[monster]()
        await _check_answer(served, place)


STRANGE = st.recursive(
    JSON
    | st.floats()
    | st.text()
    | st.binary(max_size=4)
    | st.integers()
    | st.sampled_from([Colour.RED, MappingProxyType({"a": 1}), range(2), ...]),
    lambda inner: st.one_of(
        st.lists(inner, max_size=3),
        st.tuples(inner, inner),
        st.dictionaries(
            st.text(max_size=3) | st.binary(max_size=2) | st.integers(), inner, max_size=3
        ),
    ),
    max_leaves=5,
)


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(value=STRANGE)
async def test_any_value_in_any_place_gives_an_answer(served: Served, value: object) -> None:
    offered.value = value
    for place in PLACES:
        await _check_answer(served, place)


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(value=JSON)
async def test_a_json_value_reaches_the_caller_of_a_function_as_it_is(
    served: Served, value: object
) -> None:
    offered.value = value
    assert repr(await served.webhook("/functions/give", {})) == repr({"success": value})


@pytest.mark.parametrize(
    ("value", "spelt"),
    [
        ((1, 2), [1, 2]),
        (MappingProxyType({"a": (1,)}), {"a": [1]}),
        (Colour.RED, 1),
        (2**64 - 1, 2**64 - 1),
        (-(2**63), -(2**63)),
    ],
)
async def test_a_value_that_stands_for_a_json_one_is_spelt_as_that(
    served: Served, value: object, spelt: object
) -> None:
    offered.value = value
    assert await served.webhook("/functions/give", {}) == {"success": spelt}


async def _check_answer(served: Served, place: str) -> None:
    trigger = place.rpartition("/")[2]
    save = {"object": {"comment": "hi"}}
    body = {"objects": FOUND} if trigger.endswith("Find") else save
    answer = await served.request("POST", f"/webhooks{place}", {}, json.dumps(body).encode())
    assert answer.status == 200
    value = json.loads(answer.body.decode("utf-8"), parse_constant=_no_constant)
    _check_meaning(value, trigger)


def _check_meaning(value: Any, trigger: str) -> None:
    """What a Parse Server makes of it has to be what was meant (spec parse, section 2)."""
    assert isinstance(value, dict)
    assert value.keys() in ({"success"}, {"error"}, set())
    if "error" in value:
        assert isinstance(value["error"], str | dict)
        assert value["error"]
    if trigger in ("beforeDelete", "beforeFind", "afterSave"):
        assert "success" not in value
    if trigger == "afterSave":
        assert value == {}
    if trigger == "afterFind" and "success" in value:
        assert isinstance(value["success"], list)
        assert all(isinstance(one, dict) for one in value["success"])
    if trigger == "beforeSave" and "success" in value:
        assert isinstance(value["success"], dict)
        assert not [key for key in value["success"] if key.startswith("__")]


def _no_constant(constant: str) -> None:
    raise AssertionError(f"{constant} is not JSON")
