"""Rooms import downwards only."""

import ast
from collections.abc import Iterator

import pytest

from tests.house.source import FACE, ROOT, Module, files, modules

ROOMS = {
    "core": 1,
    "settings": 2,
    "dialects": 3,
    "hooks": 3,
    "store": 3,
    "outbound": 3,
    "flows": 4,
    "server": 5,
    "console": 5,
    "cli": 6,
    "testing": 6,
    "__main__": 7,
}
"""Every room and its floor. Rooms on one floor are siblings, which never import one another."""

FACES = {FACE, "skygear", "gamesparks"}
"""What plugin authors import. Faces look into floors 1 to 3; no room looks at a face."""

HIGHEST_BEHIND_A_FACE = 3


def rooms_imported(module: Module) -> Iterator[str]:
    """The room of everything of ours that a module imports."""
    for name in module.imports():
        first, _, rest = name.partition(".")
        if first == FACE:
            yield rest.split(".")[0] or FACE


@pytest.mark.parametrize("module", modules(), ids=lambda module: module.name)
def test_a_room_imports_lower_rooms_only(module: Module) -> None:
    assert module.room in ROOMS or module.room in FACES, "give the new room a floor"
    for room in rooms_imported(module):
        if room == module.room and room not in FACES:
            continue
        assert room not in FACES, f"{module.file} imports the face {room}"
        if module.room in FACES:
            assert ROOMS[room] <= HIGHEST_BEHIND_A_FACE, f"{module.file} shows {room}"
        else:
            assert ROOMS[room] < ROOMS[module.room], f"{module.file} imports {room}"


def test_no_dialect_imports_another() -> None:
    for module in modules():
        if module.room != "dialects":
            continue
        own = module.parts[1:2]
        for name in module.imports():
            parts = name.split(".")[1:]
            if parts[:1] == ["dialects"]:
                assert parts[1:2] == own, f"{module.file} imports {name}"


def test_a_plugin_imports_only_faces() -> None:
    allowed = {FACE, f"{FACE}.skygear", f"{FACE}.gamesparks"}
    for path in files(ROOT / "plugins"):
        if "tests" in path.parts:
            continue
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            imported = [node.module or ""] if isinstance(node, ast.ImportFrom) else []
            if isinstance(node, ast.Import):
                imported = [alias.name for alias in node.names]
            for name in imported:
                place = f"{path.relative_to(ROOT)}:{getattr(node, 'lineno', 0)}"
                assert name.split(".")[0] != FACE or name in allowed, f"{place} imports {name}"
