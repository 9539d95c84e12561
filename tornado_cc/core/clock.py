"""The one clock of the process, so that a test can tell that nothing keeps another."""

import time
from datetime import UTC, datetime
from functools import lru_cache

monotonic = time.monotonic
"""Seconds that never run backwards, for deadlines and durations."""


def utc_now() -> datetime:
    """The wall clock, aware and in UTC, for what people and protocols read."""
    return datetime.now(UTC)


def seconds() -> int:
    """The wall clock in whole seconds since 1970."""
    return int(time.time())


# To format a number takes as long as to look at the clock.
_THOUSANDTHS = tuple(f"{one:03}" for one in range(1000))


def stamp() -> str:
    """The wall clock for a line of a log, `2026-01-31T12:00:00.000+00:00`."""
    milliseconds = int(time.time() * 1000)
    return f"{_second(milliseconds // 1000)}.{_THOUSANDTHS[milliseconds % 1000]}+00:00"


@lru_cache(maxsize=1)
def _second(second: int) -> str:
    """Spelling it costs as much as the rest of a line, and a second has many."""
    return f"{datetime.fromtimestamp(second, UTC):%Y-%m-%dT%H:%M:%S}"


def iso(moment: datetime) -> str:
    """An aware moment as Parse writes it, `2026-01-31T12:00:00.000Z`: such texts sort by time."""
    text = moment.astimezone(UTC).isoformat(timespec="milliseconds")
    return text.replace("+00:00", "Z")


def now() -> str:
    """The wall clock as `iso` writes it."""
    return iso(utc_now())
