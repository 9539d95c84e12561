"""The one clock of the process, so that a test can tell that nothing keeps another."""

import time
from datetime import UTC, datetime


def monotonic() -> float:
    """Seconds that never run backwards, for deadlines and durations."""
    return time.monotonic()


def utc_now() -> datetime:
    """The wall clock, aware and in UTC, for what people and protocols read."""
    return datetime.now(UTC)


def iso(moment: datetime) -> str:
    """An aware moment as Parse writes it, `2026-01-31T12:00:00.000Z`: such texts sort by time."""
    text = moment.astimezone(UTC).isoformat(timespec="milliseconds")
    return text.replace("+00:00", "Z")


def now() -> str:
    """The wall clock as `iso` writes it."""
    return iso(utc_now())
