"""Each outside library has one owner."""

import sys

import pytest

from tests.house.source import FACE, Module, modules

OWNERS = {
    "aiohttp": {"outbound"},
    "aiosmtplib": {"outbound"},
    "alembic": {"store"},
    "argon2": {"store"},
    "asyncpg": {"store"},
    "click": {"cli"},
    "cronsim": {"flows"},
    "httptools": {"server"},
    "idna": {"outbound"},
    "jinja2": {"console"},
    "limits": {"flows"},
    "orjson": {"core"},
    "pluggy": {"hooks"},
    "prometheus_client": {"server"},
    "pydantic": {"settings"},
    "re2": {"store"},
    "rich": {"cli"},
    "sqlalchemy": {"store"},
    "standardwebhooks": {"dialects"},
    "tornado": {"server", "console"},
    "uvloop": {"server"},
    "werkzeug": {"dialects"},
    "yarl": {"outbound"},
}
"""The rooms that may import a library. A library that is not here has no owner yet."""


def outside(module: Module) -> set[str]:
    """The outside libraries a module imports."""
    first = {name.partition(".")[0] for name in module.imports()}
    return first - set(sys.stdlib_module_names) - {FACE}


@pytest.mark.parametrize("module", modules(), ids=lambda module: module.name)
def test_a_library_is_imported_by_its_owner_only(module: Module) -> None:
    for library in outside(module):
        assert library in OWNERS, f"{module.file} imports {library}, which has no owner"
        assert module.room in OWNERS[library], f"{module.file} imports {library}"


def test_the_core_needs_the_standard_library_and_orjson_only() -> None:
    used = {library for module in modules() if module.room == "core" for library in outside(module)}
    assert used == {"orjson"}
