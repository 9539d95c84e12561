"""The source of the project, as the tests about the house read it."""

import ast
from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path

ROOT = Path(__file__).parents[2]
PRODUCT = ROOT / "tornado_cc"
FACE = "tornado_cc"
SCRIPTS = PRODUCT / "store" / "migrations"
"""No package: alembic runs what lies here, by file, once there is a database to migrate."""


@dataclass(frozen=True)
class Module:
    """One module of the product."""

    name: str
    path: Path
    tree: ast.Module = field(repr=False)

    @property
    def file(self) -> str:
        """The path below the project, for people and for tables of exceptions."""
        return self.path.relative_to(ROOT).as_posix()

    @property
    def parts(self) -> list[str]:
        """The words of the dotted name after the first."""
        return self.name.split(".")[1:]

    @property
    def is_script(self) -> bool:
        """Whether it is run by alembic and imported by nobody."""
        return SCRIPTS in self.path.parents

    @property
    def room(self) -> str:
        """The room it stands in; the name itself for a module that stands in none."""
        return self.parts[0] if self.parts else FACE

    def imports(self) -> Iterator[str]:
        """The dotted name of every module it imports, wherever in its text."""
        for node in ast.walk(self.tree):
            if isinstance(node, ast.Import):
                yield from (alias.name for alias in node.names)
            elif isinstance(node, ast.ImportFrom):
                yield from self._imports_from(node)

    def _imports_from(self, node: ast.ImportFrom) -> Iterator[str]:
        assert node.level == 0, f"{self.file}:{node.lineno} imports relatively"
        assert node.module is not None
        for alias in node.names:
            full = f"{node.module}.{alias.name}"
            yield full if full in names() else node.module

    def mentions(self, *dotted: str) -> Iterator[int]:
        """The lines on which one of these stands, spelt `a.b` or imported as `from a import b`."""
        for node in ast.walk(self.tree):
            if isinstance(node, ast.Attribute) and ast.unparse(node) in dotted:
                yield node.lineno
            elif isinstance(node, ast.ImportFrom):
                for alias in node.names:
                    if f"{node.module}.{alias.name}" in dotted:
                        yield node.lineno


def files(folder: Path) -> list[Path]:
    """Every Python file of a folder, in one order everywhere."""
    return sorted(path for path in folder.rglob("*.py") if "node_modules" not in path.parts)


@cache
def names() -> frozenset[str]:
    """The dotted name of every module of the product."""
    return frozenset(_name(path) for path in files(PRODUCT))


@cache
def modules() -> tuple[Module, ...]:
    """Every module of the product."""
    return tuple(
        Module(_name(path), path, ast.parse(path.read_text(encoding="utf-8")))
        for path in files(PRODUCT)
    )


def _name(path: Path) -> str:
    parts = path.relative_to(ROOT).with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)
