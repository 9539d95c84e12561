"""Conf files as somebody writes them, and what becomes of them."""

import textwrap
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import pytest

from tornado_cc.server import Built, build
from tornado_cc.settings import Mistake, Mistakes

PARSE = "[dialect:parse]\nwebhook_key = Zx8-q41\n"
# Without a name in `enable`, every plugin that happens to be installed would be loaded.
NO_PLUGINS = "\n[plugins]\nenable = none\noptional = none\n"


@dataclass(frozen=True)
class Conf:
    """A folder with a conf file in it."""

    folder: Path

    @property
    def path(self) -> Path:
        return self.folder / "test.ini"

    def build(self, text: str, environ: Mapping[str, str] | None = None) -> Built:
        """What a conf makes; without a [plugins] section it loads none."""
        text = textwrap.dedent(text)
        self.path.write_text(text if "[plugins]" in text else text + NO_PLUGINS, encoding="utf-8")
        return build(self.path, environ or {})

    def mistakes(self, text: str, environ: Mapping[str, str] | None = None) -> list[Mistake]:
        """What is wrong with a conf; it is an error when nothing is."""
        with pytest.raises(Mistakes) as wrong:
            self.build(text, environ)
        return list(wrong.value.mistakes)

    def mistake(self, text: str, environ: Mapping[str, str] | None = None) -> Mistake:
        """The only thing wrong with a conf."""
        (one,) = self.mistakes(text, environ)
        return one

    def add_plugin(self, name: str, source: str) -> str:
        """A one-file plugin; returns the [plugins] section that enables it alone."""
        folder = self.folder / "plugins.d"
        folder.mkdir(exist_ok=True)
        (folder / f"{name}.py").write_text(textwrap.dedent(source), encoding="utf-8")
        return f"\n[plugins]\ndir = plugins.d\nenable = {name}\n"


def names(mistakes: list[Mistake]) -> list[tuple[str, str]]:
    """Section and key of every mistake."""
    return [(one.section, one.key) for one in mistakes]
