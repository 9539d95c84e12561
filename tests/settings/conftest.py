"""What the tests of the settings share."""

import importlib
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.settings.confs import Conf
from tornado_cc import dialects


@pytest.fixture
def conf(tmp_path: Path) -> Conf:
    """A folder for a conf file."""
    return Conf(tmp_path)


ECHO = """
from tornado_cc.core.ports import Surroundings
from tornado_cc.settings import Mount, Settings


class DialectSettings(Settings):
    mount: Mount = "/echo"


class Echo:
    name = "echo"
    max_body = 0
    paths = ()
    hooks = frozenset()
    warnings = ()

    def __init__(self, mount: str) -> None:
        self.mount = mount


def build(settings: DialectSettings, surroundings: Surroundings) -> Echo:
    return Echo(settings.mount)
"""


@pytest.fixture
def second_dialect(
    tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch
) -> Iterator[Path]:
    """A dialect `echo` beside the real ones, found the way they are."""
    folder = tmp_path_factory.mktemp("dialects")
    (folder / "echo").mkdir()
    (folder / "echo" / "__init__.py").write_text(ECHO)
    monkeypatch.setattr(dialects, "__path__", [*dialects.__path__, str(folder)])
    importlib.invalidate_caches()
    yield folder
    sys.modules.pop("tornado_cc.dialects.echo", None)
    vars(dialects).pop("echo", None)
