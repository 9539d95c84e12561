"""`[store] url` in production: the data must not depend on where a server is started."""

from pathlib import Path

import pytest

from tests.settings.confs import Conf

TEXT = "[server]\nmode = {mode}\n[store]\n{line}\n[dialect:parse]\nwebhook_key = 6f1ed002ab\n"


def about_store(conf: Conf, mode: str, line: str) -> list[str]:
    built = conf.build(TEXT.format(mode=mode, line=line))
    return [one for one in built.warnings() if "[store]" in one]


@pytest.mark.parametrize(
    ("line", "file"),
    [("", "data/tornado_cc.db"), ("url = sqlite:///mine.db", "mine.db")],
    ids=["left out", "stated"],
)
def test_a_relative_path_is_warned_about_in_production(conf: Conf, line: str, file: str) -> None:
    assert about_store(conf, "production", line) == [
        "[store] url is a relative path, so another working folder is another, empty store; write"
        f" sqlite:///{Path.cwd() / file}"
    ]


@pytest.mark.parametrize(
    ("mode", "line"),
    [
        ("development", ""),
        ("development", "url = sqlite:///mine.db"),
        ("production", "url = sqlite:////var/lib/mine.db"),
        ("production", "url = postgresql://ann:6f1ed002ab@host/name"),
    ],
)
def test_nothing_else_is_warned_about(conf: Conf, mode: str, line: str) -> None:
    assert about_store(conf, mode, line) == []


def test_the_production_conf_of_this_repository_names_a_whole_path(conf: Conf) -> None:
    root = Path(__file__).parents[2]
    text = (root / "conf" / "prod.ini").read_text(encoding="utf-8")
    built = conf.build(text, {"PARSE_WEBHOOK_KEY": "6f1ed002ab"})
    path = built.configuration.store.url.path
    assert path is not None
    assert path.is_absolute()
