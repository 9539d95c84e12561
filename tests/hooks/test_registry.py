"""Who is asked, and in which order."""

from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from tests.hooks.making import implementation
from tornado_cc.hooks import Registry


def asked(registry: Registry, *claim: str, hook: str = "before_save") -> list[str]:
    return [one.plugin for one in registry.who(hook, claim)]


def test_the_order_is_tryfirst_then_plugin_name_then_declaration_then_trylast() -> None:
    made = [
        implementation("zebra", "A", tryfirst=True),
        implementation("ant", "A", trylast=True),
        implementation("cat", "A", function_name="first"),
        implementation("bee", "A"),
        implementation("cat", "A", function_name="second"),
    ]
    registry = Registry(made)
    assert asked(registry, "A") == ["zebra", "bee", "cat", "cat", "ant"]
    assert [one.function.__name__ for one in registry.who("before_save", ("A",))][2:4] == [
        "first",
        "second",
    ]


@given(st.permutations(["ant", "bee", "cat", "dog"]))
def test_the_order_does_not_depend_on_the_order_of_loading(names: list[str]) -> None:
    registry = Registry(implementation(name, "A") for name in names)
    assert asked(registry, "A") == ["ant", "bee", "cat", "dog"]


def test_a_plain_hookimpl_is_asked_only_for_names_nobody_declared() -> None:
    registry = Registry([implementation("named", "A"), implementation("plain", None)])
    assert asked(registry, "A") == ["named"]
    assert asked(registry, "B") == ["plain"]


def test_a_star_is_asked_for_every_class_and_silences_no_plain_hookimpl() -> None:
    registry = Registry(
        [implementation("audit", "*"), implementation("named", "A"), implementation("plain", None)]
    )
    assert asked(registry, "A") == ["audit", "named"]
    assert asked(registry, "B") == ["audit", "plain"]


def test_a_trigger_may_be_declared_for_any_class_or_any_trigger() -> None:
    registry = Registry(
        [
            implementation("finds", "*", "beforeFind", hook="parse_trigger"),
            implementation("reviews", "Review", "*", hook="parse_trigger"),
            implementation("all", "*", "*", hook="parse_trigger"),
        ]
    )
    assert asked(registry, "Review", "beforeFind", hook="parse_trigger") == [
        "all",
        "finds",
        "reviews",
    ]
    assert asked(registry, "Post", "afterFind", hook="parse_trigger") == ["all"]


def test_names_that_callers_make_up_are_not_remembered_without_bound() -> None:
    registry = Registry([implementation("plain", None)])
    for number in range(3000):
        assert asked(registry, f"Made{number}") == ["plain"]
    remembered: dict[Any, Any] = registry._asked
    assert len(remembered) <= 1024
