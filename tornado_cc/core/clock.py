"""The one clock of the process, so that a test can tell that nothing keeps another."""

import time
from datetime import UTC, datetime


def monotonic() -> float:
    """Seconds that never run backwards, for deadlines and durations."""
    return time.monotonic()


def utc_now() -> datetime:
    """The wall clock, aware and in UTC, for what people and protocols read."""
    return datetime.now(UTC)
