"""Whatever a conf file holds, it is read or it is a list of mistakes."""

from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.settings.confs import NO_PLUGINS
from tornado_cc.server import build
from tornado_cc.settings import Document, Mistakes, Settings
from tornado_cc.settings.parse import parse

# The folder is shared by the examples of one test: each writes its own file over the last.
SHARED_FOLDER = settings(suppress_health_check=[HealthCheck.function_scoped_fixture])

SECTIONS = ["server", "hooks", "log", "dialect:parse", "plugin:x", "DEFAULT", "", "]", "a] b"]
KEYS = ["bind", "mode", "threads", "deadlines", "webhook_key", "mount", "max_body", "level", ""]
TEXTS = st.sampled_from(
    ["", "1", "env:", "env:X", "file:", "file:x", "file:\0", "file:~a/b", "literal:", "production"]
)
INDENTS = st.sampled_from(["", "", " ", "\t", "\u2003"])
LINES = st.one_of(
    st.builds("{}[{}]".format, INDENTS, st.sampled_from(SECTIONS)),
    st.builds("{}{} ={}".format, INDENTS, st.sampled_from(KEYS), TEXTS | st.text()),
    st.builds("{}{}".format, INDENTS, st.text()),
    st.sampled_from(["# comment", ";", "", "\x0c", "no equals sign"]),
)
CONFS = st.lists(LINES, max_size=12).map("\n".join)
SINGLE_LINES = st.text(st.characters(exclude_characters="\r\n", exclude_categories=["Cs"])).map(
    # The parser strips white space from the end of a line; a literal cannot bring it back.
    str.rstrip
)


class Note(Settings):
    """A section with one text."""

    text: str


def outcome(path: Path) -> str:
    """How a build ends; anything but these two is what these tests look for."""
    try:
        build(path, {"X": "\udce9", "TORNADO_CC__HOOKS__THREADS": "1"})
    except Mistakes as mistakes:
        return "mistakes" if mistakes.mistakes and str(mistakes) else "nothing wrong"
    return "built"


@given(value=SINGLE_LINES)
@SHARED_FOLDER
def test_any_single_line_comes_back_from_a_literal(tmp_path: Path, value: str) -> None:
    path = tmp_path / "test.ini"
    path.write_text(f"[note]\ntext = literal:{value}\n", encoding="utf-8", newline="")
    document = Document.read(path, {})
    note = document.validate("note", Note)
    document.raise_mistakes()
    assert note == Note(text=value)


@given(content=st.binary())
@SHARED_FOLDER
def test_any_bytes_are_a_conf_or_mistakes(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "test.ini"
    path.write_bytes(content + NO_PLUGINS.encode())
    assert outcome(path) in ("built", "mistakes")


@given(text=CONFS)
@SHARED_FOLDER
def test_any_lines_are_a_conf_or_mistakes(tmp_path: Path, text: str) -> None:
    path = tmp_path / "test.ini"
    path.write_bytes((text + NO_PLUGINS).encode())
    assert outcome(path) in ("built", "mistakes")


@given(text=CONFS)
def test_every_key_that_is_read_has_its_line(text: str) -> None:
    parsed = parse(text)
    lines = text.split("\n")
    for section, keys in parsed.values.items():
        assert f"[{section}]" in lines[parsed.lines[section, ""] - 1]
        for key in keys:
            assert lines[parsed.lines[section, key] - 1].strip().startswith(key)


@given(text=CONFS)
def test_every_key_that_has_a_line_is_read(text: str) -> None:
    parsed = parse(text)
    read = {(section, key) for section, keys in parsed.values.items() for key in keys}
    assert {(section, key) for section, key in parsed.lines if key} == read


@pytest.mark.parametrize("separator", ["\x0b", "\x0c", "\x1c", "\x85", "\u2028"])
def test_only_a_newline_ends_a_line(separator: str) -> None:
    parsed = parse(f"[a]\nb = 1{separator}c = 2\nd = 3\n")
    assert parsed.values == {"a": {"b": f"1{separator}c = 2", "d": "3"}}
    assert parsed.lines["a", "d"] == 3
    assert parsed.problems == []
