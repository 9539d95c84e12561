"""What commands are given: texts, durations, moments, and secrets that are no argument."""

import re
import sys
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any, BinaryIO, NoReturn

import click

from tornado_cc.core import clock
from tornado_cc.store.ids import moment_of

_UNITS = {"s": "seconds", "m": "minutes", "h": "hours", "d": "days", "w": "weeks"}
_DURATION = re.compile(r"(?P<number>[0-9]{1,9})(?P<unit>[smhdw])")
_LONGEST = timedelta(days=36_525)
NEVER = "never"

_ONE_OF = "Give one of --password, --password-stdin and --password-file."

_LARGEST = 1 << 20
"""Bytes of a secret or a value that is read from elsewhere."""


class Text(click.ParamType[str]):
    """A text that can be stored."""

    name = "text"

    def convert(self, value: Any, param: Any, context: Any) -> str:
        """The text itself."""
        try:
            value.encode()
        except UnicodeEncodeError:
            self.fail("is not UTF-8", param, context)
        return str(value)


class Duration(click.ParamType[timedelta | None]):
    """`30d`, `12h` and the like as a timedelta; `never` as None."""

    name = "duration"

    def convert(self, value: Any, param: Any, context: Any) -> timedelta | None:
        """How long it is."""
        if isinstance(value, timedelta) or value == NEVER:
            return None if value == NEVER else value
        match = _DURATION.fullmatch(value)
        if match is None:
            self.fail(f"write a number and s, m, h, d or w, as in 30d, or {NEVER}", param, context)
        number = int(match["number"])
        if not 0 < number <= _LONGEST / timedelta(**{_UNITS[match["unit"]]: 1}):
            self.fail(f"is more than nothing and at most 100 years, or {NEVER}", param, context)
        return timedelta(**{_UNITS[match["unit"]]: number})


class Moment(click.ParamType[datetime]):
    """A moment to come, in ISO 8601 with a time zone."""

    name = "moment"

    def convert(self, value: Any, param: Any, context: Any) -> datetime:
        """When it is."""
        if isinstance(value, datetime):
            return value
        example = "2030-01-31T12:00:00Z"
        try:
            moment = datetime.fromisoformat(value)
        except ValueError:
            self.fail(f"is no time in ISO 8601, such as {example}", param, context)
        if moment.utcoffset() is None:
            self.fail(
                f"needs a time zone, as in {example} or 2030-01-31T12:00+01:00", param, context
            )
        if moment <= clock.utc_now():
            self.fail("is over", param, context)
        return moment


class Ulid(click.ParamType[tuple[str, int]]):
    """The id of a request, and the moment that it says, in milliseconds since 1970."""

    name = "id"

    def convert(self, value: Any, param: Any, context: Any) -> tuple[str, int]:
        """Both."""
        if isinstance(value, tuple):
            return value
        moment = moment_of(value)
        if moment is None:
            self.fail("is no id of a request", param, context)
        return value, moment


def password(prompt: bool, from_stdin: bool, file: Path | None) -> str | None:
    """The password from where exactly one option says; None when none does.

    It is never an argument: those can be read in the process list and in the shell's history.
    """
    if prompt + from_stdin + (file is not None) > 1:
        raise click.UsageError(_ONE_OF)
    if from_stdin:
        return _line(_read(sys.stdin.buffer), "Standard input")
    if file is not None:
        return _line(_file(file), f"The file {file}")
    if not prompt:
        return None
    if not sys.stdin.isatty():
        raise click.UsageError(
            "--password asks on a terminal, and there is none; use --password-stdin."
        )
    answer: str = click.prompt("Password", hide_input=True, confirmation_prompt=True, err=True)
    return answer


def needed_password(prompt: bool, from_stdin: bool, file: Path | None) -> str:
    """The same, where one is needed."""
    found = password(prompt, from_stdin, file)
    if found is None:
        raise click.UsageError(_ONE_OF)
    return found


def standard_input() -> str:
    """All of standard input, without the line break at its end."""
    return _text(_read(sys.stdin.buffer), "Standard input")


def file_text(file: Path) -> str:
    """A file's only line."""
    return _line(_file(file), f"The file {file}")


def _file(file: Path) -> bytes:
    try:
        with file.open("rb") as opened:
            return _read(opened)
    except OSError as error:
        _refuse(f"The file {file} cannot be read: {error.strerror}.")


def _read(stream: BinaryIO) -> bytes:
    raw = stream.read(_LARGEST + 1)
    if len(raw) > _LARGEST:
        _refuse(f"More than {_LARGEST} bytes were given.")
    return raw


def _text(raw: bytes, what: str) -> str:
    try:
        text = raw.decode()
    except UnicodeDecodeError:
        _refuse(f"{what} is not UTF-8.")
    return re.sub(r"\r?\n\Z", "", text)


def _line(raw: bytes, what: str) -> str:
    text = _text(raw, what)
    if not text or "\n" in text:
        _refuse(f"{what} has to be one line that is not empty.")
    return text


def _refuse(text: str) -> NoReturn:
    raise click.UsageError(text)
