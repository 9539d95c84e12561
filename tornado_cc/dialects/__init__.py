"""The languages callers speak. Each folder is one dialect: `build` and `DialectSettings`.

A dialect is on when the conf has its section; nothing else in the project lists them.
"""

import importlib
import pkgutil
from types import ModuleType


def available() -> list[str]:
    """The names of the dialects there are."""
    return sorted(info.name for info in pkgutil.iter_modules(__path__) if info.ispkg)


def find(name: str) -> ModuleType | None:
    """A dialect's package, or None when there is no such dialect."""
    if name not in available():
        return None
    return importlib.import_module(f"{__name__}.{name}")
