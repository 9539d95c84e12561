"""How long a receiver asks to be left alone for, whatever it writes."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tornado_cc.flows.webhooks import retry_after


@given(st.text())
def test_any_text_is_a_time_to_come_or_none(text: str) -> None:
    seconds = retry_after(text)
    assert seconds is None or seconds >= 0


@pytest.mark.parametrize(
    ("text", "seconds"),
    [
        ("120", 120),
        (" 120 ", 120),
        ("0", 0),
        ("9" * 400, float("inf")),
        ("Wed, 21 Oct 2015 07:28:00 GMT", 0),
        ("Wed, 21 Oct 2015 07:28:00", 0),
    ],
)
def test_it_is_written_as_seconds_or_as_a_date(text: str, seconds: float) -> None:
    assert retry_after(text) == seconds


@pytest.mark.parametrize(
    "text",
    [
        "",
        "-1",
        "1.5",
        "1e3",
        "²",
        "tomorrow",
        "Wed, 99 Oct 2015 07:28:00 GMT",
        "1 Jan 99999999999 0:0",
    ],
)
def test_anything_else_says_nothing(text: str) -> None:
    assert retry_after(text) is None


def test_a_receiver_that_says_nothing_asks_for_nothing() -> None:
    assert retry_after(None) is None
