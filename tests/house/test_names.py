"""What things are called, and what is public."""

import ast
import importlib
from types import ModuleType

import pytest

import tornado_cc
from tests.house.source import Module, modules

NO_NOUNS = {"utils", "util", "helpers", "helper", "common", "base", "misc", "manager", "managers"}
LONGEST = 350


@pytest.mark.parametrize("module", modules(), ids=lambda module: module.name)
def test_a_module_is_called_by_a_noun(module: Module) -> None:
    assert not NO_NOUNS & set(module.parts)


@pytest.mark.parametrize("module", modules(), ids=lambda module: module.name)
def test_a_file_stays_short(module: Module) -> None:
    assert len(module.path.read_text(encoding="utf-8").splitlines()) <= LONGEST


@pytest.mark.parametrize("module", modules(), ids=lambda module: module.name)
def test_a_module_says_what_it_is_for(module: Module) -> None:
    assert ast.get_docstring(module.tree) or module.room == "__main__"


def test_the_face_shows_exactly_its_public_names() -> None:
    shown = {
        name
        for name, value in vars(tornado_cc).items()
        if not name.startswith("_") and not isinstance(value, ModuleType)
    }
    assert shown == set(tornado_cc.__all__)


def test_the_modules_seen_through_the_face_are_its_own_rooms() -> None:
    for name, value in vars(tornado_cc).items():
        if isinstance(value, ModuleType):
            assert value.__name__ == f"tornado_cc.{name}"


def test_everything_on_the_face_is_documented() -> None:
    # An Annotated type keeps its sentence in the source only, below the assignment.
    for name in tornado_cc.__all__:
        assert getattr(tornado_cc, name).__doc__, name


@pytest.mark.parametrize(
    "module",
    [module for module in modules() if not module.is_script],
    ids=lambda module: module.name,
)
def test_every_name_a_module_says_it_has_is_there(module: Module) -> None:
    loaded = importlib.import_module(module.name)
    named = getattr(loaded, "__all__", [])
    assert [name for name in named if not hasattr(loaded, name)] == []
    assert len(set(named)) == len(named)
    assert not any(name.startswith("_") for name in named)


@pytest.mark.parametrize(
    "module",
    [
        module
        for module in modules()
        if module.path.name == "__init__.py" and len(module.parts) == 1
    ],
    ids=lambda module: module.name,
)
def test_a_room_that_brings_names_to_its_door_lists_them(module: Module) -> None:
    brought = [node for node in module.tree.body if isinstance(node, ast.ImportFrom)]
    ours = [node for node in brought if (node.module or "").startswith("tornado_cc")]
    assert not ours or hasattr(importlib.import_module(module.name), "__all__")
