"""Schedules as plugins declare them: how often a function runs, and what that is called."""

import re
from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

When = str | float | timedelta
"""Seconds, a duration, or words that say when: see `every`."""

ALLOWED = (
    'seconds such as 30, a timedelta, "minute", "hour" or "day", a cron expression such as'
    ' "*/5 * * * *" (six fields begin with the seconds), "@hourly", "@daily", "@weekly",'
    ' "@monthly", "@yearly" or "@every 1m30s"'
)
"""What a schedule may be declared with, for error messages."""

SHORTEST = timedelta(seconds=1)
LONGEST = timedelta(days=365)

_LONGEST_NAME = 100
"""Characters: the name is a part of what the database finds a run by."""
_INTERVALS = {
    "minute": timedelta(minutes=1),
    "hour": timedelta(hours=1),
    "day": timedelta(days=1),
    "@hourly": timedelta(hours=1),
    "@daily": timedelta(days=1),
    "@midnight": timedelta(days=1),
}
_EXPRESSIONS = {
    "@weekly": "0 0 0 * * 0",
    "@monthly": "0 0 0 1 * *",
    "@yearly": "0 0 0 1 1 *",
    "@annually": "0 0 0 1 1 *",
}
# As Go spells durations, in the units that a schedule can have (spec skygear, row `every`).
_DURATION = re.compile(r"@every ((?:\d+(?:\.\d+)?(?:ms|h|m|s))+)")
_PART = re.compile(r"(\d+(?:\.\d+)?)(ms|h|m|s)")
_UNITS = {"h": 3_600_000.0, "m": 60_000.0, "s": 1000.0, "ms": 1.0}
_FIELD = re.compile(r"[0-9A-Za-z*/,#?-]+")


@dataclass(frozen=True, slots=True)
class Every:
    """When a schedule is due, in UTC: at the multiples of an interval, or as cron says.

    Attributes:
        text: for people, what stands behind the word every.
        interval: milliseconds, counted from 1970; 0 where cron says when.
        cron: six fields, the seconds first; empty where there is an interval.
    """

    text: str
    interval: int = 0
    cron: str = ""


def every(when: object) -> Every:
    """What a declaration means. Of a cron expression only the form is checked here.

    Raises:
        TypeError: it is of no kind that a schedule may be declared with.
        ValueError: it cannot be understood, or is too short or too long.
    """
    if isinstance(when, timedelta):
        return _interval(when, f"{when.total_seconds():g} s")
    if isinstance(when, int | float) and not isinstance(when, bool):
        return _interval(_seconds(when), f"{_shown(when)} s")
    if not isinstance(when, str):
        raise TypeError(f"@plugin.every takes {ALLOWED}; not {_shown(when)}")
    text = " ".join(when.split())
    if text in _INTERVALS:
        return _interval(_INTERVALS[text], text.removeprefix("@"))
    if duration := _DURATION.fullmatch(text):
        return _interval(_duration(duration[1]), duration[1])
    return Every(text, cron=_cron(text))


def name_of(function: Callable[..., Any], name: object) -> str:
    """What a schedule is called: as declared, or as its function is.

    Raises:
        TypeError: neither has a name.
        ValueError: the name is too long, or has control characters in it.
    """
    found = getattr(function, "__name__", None) if name is None else name
    if not isinstance(found, str) or not found:
        raise TypeError('this schedule needs a name, as in @plugin.every("day", name="tidy")')
    if len(found) > _LONGEST_NAME or not found.isprintable():
        raise ValueError(f"the name of a schedule is 1 to {_LONGEST_NAME} printable characters")
    return found


def _interval(duration: timedelta, text: str) -> Every:
    if not SHORTEST <= duration <= LONGEST:
        raise ValueError(
            f"a schedule is due every second at most and every 365 days at least, not every {text}"
        )
    return Every(text, interval=round(duration.total_seconds() * 1000))


def _seconds(number: float) -> timedelta:
    try:
        return timedelta(seconds=number)
    except (OverflowError, ValueError):
        # Infinity, or no number at all: longer than any schedule.
        return timedelta.max


def _duration(text: str) -> timedelta:
    try:
        parts = _PART.findall(text)
        return timedelta(milliseconds=sum(float(one) * _UNITS[unit] for one, unit in parts))
    except OverflowError:
        return timedelta.max


def _cron(text: str) -> str:
    """A cron expression in six fields; a `?` is the `*` of others, in the fields for days."""
    if text in _EXPRESSIONS:
        return _EXPRESSIONS[text]
    fields = text.split()
    if len(fields) not in (5, 6) or not all(map(_FIELD.fullmatch, fields)):
        raise ValueError(f"@plugin.every takes {ALLOWED}; not {_shown(text)}")
    seconds = fields[:-5] or ["0"]
    minute, hour, day, month, weekday = fields[-5:]
    days = ["*" if one == "?" else one for one in (day, weekday)]
    return " ".join((*seconds, minute, hour, days[0], month, days[1]))


def _shown(value: object) -> str:
    text = repr(value)
    return text if len(text) <= _LONGEST_NAME else f"{text[:_LONGEST_NAME]}..."
