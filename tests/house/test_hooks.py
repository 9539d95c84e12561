"""A hook is finished when it has a heading in the documentation and a test."""

import re

import pytest

from tests.house.source import ROOT, files
from tornado_cc.hooks import specs

HERE = ROOT / "tests" / "house"


def documented() -> set[str]:
    """The hooks that have a heading in docs/hooks.md, with or without backticks and arguments."""
    page = (ROOT / "docs" / "hooks.md").read_text(encoding="utf-8")
    headings = re.findall(r"^#+ (.*)$", page, re.MULTILINE)
    return {word for heading in headings for word in re.findall(r"[a-z_]+", heading)}


@pytest.fixture(scope="module")
def tests() -> str:
    """The text of every test but these."""
    places = [*files(ROOT / "tests"), *files(ROOT / "plugins")]
    scenarios = (ROOT / "tests" / "scenarios").rglob("*.txt")
    paths = [path for path in places if HERE not in path.parents and "tests" in path.parts]
    return "\n".join(path.read_text(encoding="utf-8") for path in [*paths, *scenarios])


def test_every_hookspec_is_listed_once() -> None:
    marker = f"{specs.PROJECT}_spec"
    specified = [name for name, value in vars(specs).items() if hasattr(value, marker)]
    assert sorted(specs.HOOKS) == sorted(specified)
    assert set(specs.HOOKS) >= specs.EXCLUSIVE


def test_the_file_reads_in_the_order_a_call_meets_the_hooks() -> None:
    marker = f"{specs.PROJECT}_spec"
    assert list(specs.HOOKS) == [
        name for name, value in vars(specs).items() if hasattr(value, marker)
    ]


@pytest.mark.parametrize("hook", specs.HOOKS)
def test_a_hook_has_a_heading_in_the_documentation(hook: str) -> None:
    assert hook in documented()


@pytest.mark.parametrize("hook", specs.HOOKS)
def test_a_hook_is_mentioned_in_a_test(hook: str, tests: str) -> None:
    assert re.search(rf"\b{hook}\b", tests)


@pytest.mark.parametrize("hook", specs.HOOKS)
def test_a_hook_says_what_it_is(hook: str) -> None:
    assert getattr(specs, hook).__doc__
