"""When schedules are due: alike for whoever asks, at any time and in any order."""

from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tornado_cc.flows.due import DueTimes, Never
from tornado_cc.hooks.schedules import When, every
from tornado_cc.store import moments

MANY: list[When] = [
    *(1, 7, 30, "minute", "hour", "day", "@every 1h1m1s"),
    *("* * * * * *", "*/7 * * * * *", "*/5 * * * *", "30 8 * * 1-5", "@weekly", "@monthly"),
    *("0 0 29 2 *", "0 0 L * *", "0 12 * * 5#2", "59 59 23 31 12 ?"),
]
# 1970 to 2200.
MOMENTS = st.integers(0, 7_258_118_400_000)


def moment(text: str) -> int:
    return moments.of(datetime.fromisoformat(text).replace(tzinfo=UTC))


def around(when: When, text: str) -> tuple[str, str]:
    times = DueTimes(every(when), moment(text))
    return moments.spelt(times.latest(moment(text))), moments.spelt(times.following(moment(text)))


@pytest.mark.parametrize(
    ("when", "latest", "following"),
    [
        (30, "2026-03-29T01:59:30", "2026-03-29T02:00:00"),
        ("minute", "2026-03-29T01:59:00", "2026-03-29T02:00:00"),
        ("hour", "2026-03-29T01:00:00", "2026-03-29T02:00:00"),
        ("day", "2026-03-29T00:00:00", "2026-03-30T00:00:00"),
        ("@weekly", "2026-03-29T00:00:00", "2026-04-05T00:00:00"),
        ("@monthly", "2026-03-01T00:00:00", "2026-04-01T00:00:00"),
        ("@yearly", "2026-01-01T00:00:00", "2027-01-01T00:00:00"),
        ("*/5 * * * *", "2026-03-29T01:55:00", "2026-03-29T02:00:00"),
        ("15 */5 * * * *", "2026-03-29T01:55:15", "2026-03-29T02:00:15"),
        # Summer begins in Europe in this night, and nowhere in UTC.
        ("30 2 * * *", "2026-03-28T02:30:00", "2026-03-29T02:30:00"),
        ("0 9 * * MON", "2026-03-23T09:00:00", "2026-03-30T09:00:00"),
        ("0 0 29 2 *", "2024-02-29T00:00:00", "2028-02-29T00:00:00"),
    ],
)
def test_times_are_those_of_utc(when: When, latest: str, following: str) -> None:
    expected = (f"{latest}.000Z", f"{following}.000Z")
    assert around(when, "2026-03-29T01:59:59.500") == expected


@pytest.mark.parametrize("when", [60, "minute", "* * * * *", "@hourly", "0 * * * *"])
def test_a_time_that_is_right_now_has_come(when: When) -> None:
    latest, following = around(when, "2026-03-29T02:00:00")
    assert latest == "2026-03-29T02:00:00.000Z"
    assert following > latest


@given(when=st.sampled_from(MANY), asked=st.lists(MOMENTS, min_size=1, max_size=5))
def test_whatever_was_asked_before_the_times_around_a_moment_are_the_same(
    when: When, asked: list[int]
) -> None:
    times = DueTimes(every(when), asked[0])
    for one in asked:
        latest, following = times.latest(one), times.following(one)
        assert latest <= one < following
        fresh = DueTimes(every(when), one)
        assert (fresh.latest(one), fresh.following(one)) == (latest, following)
        # Nothing is between the two.
        assert DueTimes(every(when), following - 1).latest(following - 1) == latest
        assert DueTimes(every(when), latest).following(latest) == following


@pytest.mark.parametrize(
    ("when", "why"),
    [
        ("60 * * * *", "Bad minute"),
        ("* 24 * * *", "Bad hour"),
        ("* * 0 * *", "Bad day-of-month"),
        ("* * * FOO *", "Bad month"),
        ("* * * * 8", "Bad day-of-week"),
        ("* * 5-1 * *", "Bad day-of-month"),
        ("*/0 * * * *", "Bad minute"),
        ("0 0 30 2 *", "Bad day-of-month"),
        ("0 0 */31 * 1#2", "no such day comes in fifty years"),
    ],
)
def test_a_time_that_never_comes_is_told_apart(when: str, why: str) -> None:
    with pytest.raises(Never, match=why):
        DueTimes(every(when), moment("2026-03-29T02:00:00"))
