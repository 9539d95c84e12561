"""How log lines are written."""

import asyncio
import io
import json
import logging
import os
import pty
import subprocess
import sys
import weakref
from collections.abc import Iterator
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.cli.running import PATIENCE, command, environment, occupied_port, write_conf
from tornado_cc.cli.logs import HumanFormatter, JsonFormatter, LineHandler, PlainFormatter
from tornado_cc.core.redact import Redactor

CANARY = "CANARY-q41"
ANY_TEXT = st.text(st.characters(exclude_categories=()))
FACTS = ANY_TEXT | st.integers() | st.floats() | st.binary() | st.none() | st.lists(ANY_TEXT)


class Unspeakable:
    """Something whose repr fails."""

    def __repr__(self) -> str:
        raise RuntimeError("no words")


def record(message: object, *args: object, **facts: object) -> logging.LogRecord:
    """A record as a logger makes it."""
    made = logging.LogRecord("x", logging.INFO, "x.py", 1, message, args, None)
    vars(made).update(facts)
    return made


def failing(error: Exception) -> logging.LogRecord:
    """A record about an exception."""
    made = record("it failed")
    try:
        raise error
    except Exception:
        made.exc_info = sys.exc_info()
    return made


def as_json(made: logging.LogRecord) -> dict[str, Any]:
    """The record as the JSON formatter writes it."""
    line = JsonFormatter(Redactor([CANARY])).format(made)
    assert "\n" not in line
    parsed = json.loads(line)
    assert isinstance(parsed, dict)
    return parsed


@given(message=ANY_TEXT, fact=FACTS)
def test_any_record_becomes_one_line_of_json(message: str, fact: object) -> None:
    line = as_json(record("%s", message, fact=fact))
    assert {"time", "level", "logger", "message", "fact"} == set(line)


@given(message=ANY_TEXT, fact=FACTS)
def test_any_record_becomes_one_printable_line_for_people(message: str, fact: object) -> None:
    line = PlainFormatter(Redactor([CANARY])).format(record("%s", message, fact=fact))
    assert line.isprintable()


@pytest.mark.parametrize("formatter", [JsonFormatter, PlainFormatter, HumanFormatter])
@pytest.mark.parametrize(
    "made",
    [
        record("key %s", CANARY),
        record(CANARY, fact=CANARY),
        record("%d", CANARY),
        record("%s %s", CANARY),
        record("x", fact={"a": [CANARY]}),
        record("x", fact=CANARY.encode()),
        failing(ValueError(CANARY)),
        record("x", error=ValueError(CANARY)),
    ],
    ids=["args", "message", "misfit", "too few", "nested", "bytes", "traceback", "exception"],
)
def test_no_formatter_writes_a_secret(
    formatter: type[JsonFormatter | HumanFormatter], made: logging.LogRecord
) -> None:
    text = formatter(Redactor([CANARY])).format(made)
    assert "[redacted]" in text
    assert CANARY not in text


@pytest.mark.parametrize("formatter", [JsonFormatter, PlainFormatter, HumanFormatter])
def test_a_fact_without_words_is_named_by_its_type(
    formatter: type[JsonFormatter | HumanFormatter],
) -> None:
    assert "<Unspeakable>" in formatter(Redactor()).format(record("x", fact=Unspeakable()))


def test_facts_keep_their_kind_in_json() -> None:
    line = as_json(record("x", number=1, real=0.5, flag=True, nothing=None, text="a"))
    assert [line[key] for key in ("number", "real", "flag", "nothing", "text")] == [
        1,
        0.5,
        True,
        None,
        "a",
    ]


def test_a_fact_cannot_pass_for_what_the_server_says_itself() -> None:
    line = as_json(record("x", level="critical", logger="root", time="never"))
    assert (line["level"], line["logger"]) == ("info", "x")
    assert line["time"] != "never"


def test_an_exception_comes_with_its_traceback() -> None:
    line = as_json(failing(ValueError("oops")))
    assert line["exception"].startswith("Traceback")
    assert line["exception"].endswith("ValueError: oops\n")


def test_a_traceback_for_people_stands_indented_below_its_line() -> None:
    first, *rest = PlainFormatter(Redactor()).format(failing(ValueError("oops"))).splitlines()
    assert first.endswith("INFO x: it failed")
    assert rest
    assert all(line.startswith("    ") for line in rest)


@pytest.mark.parametrize("make", [JsonFormatter, PlainFormatter])
def test_a_formatter_suits_the_standard_handler(
    make: type[JsonFormatter | PlainFormatter],
) -> None:
    stream = io.StringIO()
    handler = logging.StreamHandler(stream)
    handler.setFormatter(make(Redactor()))
    handler.handle(record("%d", "x"))
    assert stream.getvalue().count("\n") == 1


class Written(io.StringIO):
    """A stream that remembers what was written in one go."""

    def __init__(self) -> None:
        super().__init__()
        self.pieces: list[str] = []

    def write(self, text: str, /) -> int:
        self.pieces.append(text)
        return super().write(text)


@pytest.fixture
def written() -> Iterator[tuple[LineHandler, Written]]:
    stream = Written()
    handler = LineHandler(stream)
    handler.setFormatter(logging.Formatter("%(message)s"))
    yield handler, stream
    handler.close()


def access(message: str) -> logging.LogRecord:
    made = record(message)
    made.name = "tornado_cc.access"
    return made


async def test_what_one_turn_of_the_loop_has_answered_is_written_in_one_go(
    written: tuple[LineHandler, Written],
) -> None:
    handler, stream = written
    for message in "abc":
        handler.handle(access(message))
    assert stream.pieces == []
    await asyncio.sleep(0)
    assert stream.pieces == ["a\nb\nc\n"]
    handler.handle(access("d"))
    await asyncio.sleep(0)
    assert stream.getvalue() == "a\nb\nc\nd\n"


async def test_another_line_waits_for_nobody_and_stands_behind_those_before_it(
    written: tuple[LineHandler, Written],
) -> None:
    handler, stream = written
    handler.handle(access("a"))
    handler.handle(record("urgent"))
    assert stream.getvalue() == "a\nurgent\n"
    handler.handle(access("b"))
    await asyncio.sleep(0)
    assert stream.getvalue() == "a\nurgent\nb\n"


async def test_a_line_that_is_only_what_it_says_is_json_and_stands_in_its_place(
    written: tuple[LineHandler, Written],
) -> None:
    handler, stream = written
    handler.put_off({"route": "/a", "status": 200})
    handler.handle(access("b"))
    assert stream.pieces == []
    handler.handle(record("urgent"))
    first, *others = stream.getvalue().splitlines()
    line = json.loads(first)
    assert datetime.fromisoformat(line.pop("time")).tzinfo is not None
    assert line == {
        "level": "info",
        "logger": "tornado_cc.access",
        "message": "request",
        "route": "/a",
        "status": 200,
    }
    assert others == ["b", "urgent"]


def test_without_a_loop_each_line_is_written_at_once(
    written: tuple[LineHandler, Written],
) -> None:
    handler, stream = written
    handler.handle(access("a"))
    assert stream.getvalue() == "a\n"


async def test_what_waits_is_written_when_the_log_is_shut_down(
    written: tuple[LineHandler, Written],
) -> None:
    handler, stream = written
    handler.handle(access("a"))
    logging.shutdown([weakref.ref(handler)])
    assert stream.getvalue() == "a\n"


def test_on_a_terminal_the_lines_are_coloured(tmp_path: Path) -> None:
    plugin = "from tornado_cc import hookimpl\n@hookimpl\ndef on_start(app): app.log.info('hi')"
    with occupied_port() as port:
        conf = write_conf(
            tmp_path,
            f"[server]\nbind = 127.0.0.1:{port}\n[log]\nformat = human\n",
            {"greeter": plugin},
        )
        shown = on_terminal(command("--conf", conf))
    assert "hi" in shown
    assert "\x1b[" in shown


def on_terminal(arguments: list[str]) -> str:
    """What a command that ends by itself shows on a terminal."""
    ours, theirs = pty.openpty()
    environ = environment({"TERM": "xterm-256color"})
    environ.pop("NO_COLOR", None)
    subprocess.run(arguments, env=environ, stderr=theirs, timeout=PATIENCE, check=False)
    os.close(theirs)
    with os.fdopen(ours, "rb", buffering=0) as reader:
        return reader.read(65536).decode()
