"""Counting bad credentials: who counts as one, for how long, and what many at once may do."""

import asyncio
import logging
from datetime import UTC, datetime

import pytest

from tornado_cc.core import clock
from tornado_cc.core.errors import Reason, Refusal
from tornado_cc.flows import attempts as module
from tornado_cc.flows.attempts import Attempts, key_of

ANN = "192.0.2.1"
BOB = "192.0.2.2"


class Time:
    """Both clocks, where the test puts them."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.wall = 1_800_000_000.0
        self.running = 1000.0
        monkeypatch.setattr("time.time", lambda: self.wall)
        monkeypatch.setattr(clock, "monotonic", lambda: self.running)
        monkeypatch.setattr(clock, "utc_now", lambda: datetime.fromtimestamp(self.wall, UTC))

    def passes(self, seconds: float) -> None:
        """Time goes by, for everybody."""
        self.wall += seconds
        self.running += seconds


@pytest.fixture
def time(monkeypatch: pytest.MonkeyPatch) -> Time:
    return Time(monkeypatch)


def failed(attempts: Attempts, remote: str, count: int) -> None:
    for _ in range(count):
        attempts.note(remote)


def test_the_tenth_failure_blocks_for_what_is_left_of_the_minute(time: Time) -> None:
    attempts = Attempts(10)
    attempts.note(ANN)
    time.passes(20)
    failed(attempts, ANN, 8)
    assert attempts.retry_after(ANN) is None
    attempts.note(ANN)
    assert attempts.retry_after(ANN) == 40
    refusal = attempts.refusal(ANN)
    assert refusal is not None
    assert (refusal.reason, refusal.retry_after) == (Reason.TOO_MANY, 40)
    assert refusal.message == "Too many bad credentials from this address, try again in 40 s"
    assert attempts.retry_after(BOB) is None


def test_when_the_first_failure_is_a_minute_old_there_is_one_attempt_again(time: Time) -> None:
    attempts = Attempts(10)
    attempts.note(ANN)
    time.passes(20)
    failed(attempts, ANN, 9)
    time.passes(40.5)
    assert attempts.retry_after(ANN) is None
    attempts.note(ANN)
    assert attempts.retry_after(ANN) == 20


def test_no_minute_has_more_than_ten_wherever_it_begins(time: Time) -> None:
    attempts = Attempts(10)
    counted: list[float] = []
    for _ in range(600):
        time.passes(0.7)
        if attempts.retry_after(ANN) is None:
            attempts.note(ANN)
            counted.append(time.running)
    for start in counted:
        assert len([one for one in counted if start <= one < start + 60]) <= 10


def test_a_failure_that_was_one_too_many_is_refused_instead_of_counted(time: Time) -> None:
    attempts = Attempts(2)
    failed(attempts, ANN, 2)
    with pytest.raises(Refusal) as refused:
        attempts.note(ANN)
    assert (refused.value.reason, refused.value.retry_after) == (Reason.TOO_MANY, 60)


@pytest.mark.parametrize("jump", [-7200.0, 7200.0])
def test_a_wall_clock_that_jumps_blocks_nobody_for_longer_than_a_minute(
    time: Time, jump: float
) -> None:
    attempts = Attempts(2)
    failed(attempts, ANN, 2)
    time.wall += jump
    assert (attempts.retry_after(ANN) or 0) <= 60
    time.passes(60)
    assert attempts.retry_after(ANN) is None
    failed(attempts, ANN, 2)
    assert attempts.retry_after(ANN) is not None


def test_addresses_are_forgotten_after_a_minute_and_never_more_than_a_bound_remembered(
    time: Time, monkeypatch: pytest.MonkeyPatch
) -> None:
    attempts = Attempts(1)
    for number in range(100):
        attempts.note(f"198.51.100.{number}")
    time.passes(60)
    attempts.note(ANN)
    assert remembered(attempts) == (1, 1)
    monkeypatch.setattr(module, "_ADDRESSES", 50)
    for number in range(200):
        attempts.note(f"198.51.100.{number}")
    assert remembered(attempts) == (50, 50)
    assert attempts.retry_after(ANN) is None
    assert attempts.retry_after("198.51.100.199") == 60


def remembered(attempts: Attempts) -> tuple[int, int]:
    return len(attempts._noted), len(attempts._storage.events)


def test_the_log_says_once_a_minute_that_an_address_is_blocked(
    time: Time, caplog: pytest.LogCaptureFixture
) -> None:
    attempts = Attempts(3)
    with caplog.at_level(logging.WARNING, "tornado_cc.flows"):
        for _ in range(590):
            time.passes(0.1)
            if attempts.retry_after(ANN) is None:
                attempts.note(ANN)
        failed(attempts, BOB, 2)
    (record,) = caplog.records
    assert record.getMessage() == "address blocked after bad credentials"
    assert vars(record)["remote"] == ANN


@pytest.mark.parametrize(
    ("one", "other", "same"),
    [
        ("192.0.2.1", "192.0.2.2", False),
        ("192.0.2.1", "::ffff:192.0.2.1", True),
        ("::ffff:192.0.2.1", "::ffff:192.0.2.2", False),
        ("2001:db8::1", "2001:db8::ffff:1:2:3", True),
        ("2001:db8:0:0:1::1", "2001:0db8:0000:0000:2::1", True),
        ("2001:db8:0:1::1", "2001:db8:0:2::1", False),
        ("fe80::1%eth0", "fe80::2", True),
        ("", "/run/tornado_cc.sock", True),
        ("", "0.0.0.0", False),
    ],
)
def test_an_ipv6_network_of_64_bits_counts_as_one_address(
    one: str, other: str, *, same: bool
) -> None:
    assert (key_of(one) == key_of(other)) is same


async def test_of_many_tries_at_once_no_more_run_than_may_fail(time: Time) -> None:
    attempts = Attempts(10)
    running = 0
    most = 0

    async def guess() -> str:
        nonlocal running, most
        try:
            async with attempts.trying(ANN):
                running += 1
                most = max(most, running)
                await asyncio.sleep(0.01)
                running -= 1
                attempts.note(ANN)
        except Refusal as refusal:
            return refusal.reason.value
        return "bad"

    answers = await asyncio.gather(*(guess() for _ in range(50)))
    assert most == 10
    assert answers.count("bad") == 10
    assert answers.count("too many bad credentials") == 40
    assert idle(attempts)


async def test_good_ones_among_many_wait_for_their_turn_and_are_not_lost(time: Time) -> None:
    attempts = Attempts(10)
    failed(attempts, ANN, 9)

    async def good() -> bool:
        async with attempts.trying(ANN):
            await asyncio.sleep(0.001)
        return True

    assert all(await asyncio.gather(*(good() for _ in range(50))))
    assert attempts.retry_after(ANN) is None
    assert idle(attempts)


async def test_whoever_gives_up_waiting_leaves_the_turn_to_the_next(time: Time) -> None:
    attempts = Attempts(1)
    order: list[int] = []
    leave = asyncio.Event()

    async def one(number: int) -> None:
        async with attempts.trying(ANN):
            order.append(number)
            await leave.wait()

    tasks = [asyncio.create_task(one(number)) for number in range(5)]
    await asyncio.sleep(0)
    tasks[1].cancel()
    leave.set()
    await asyncio.sleep(0)
    tasks[2].cancel()  # woken by the first, and given up before it could run
    await asyncio.gather(*tasks, return_exceptions=True)
    assert order == [0, 3, 4]
    assert idle(attempts)


async def test_a_try_that_ends_in_an_error_gives_its_place_back(time: Time) -> None:
    attempts = Attempts(1)
    for _ in range(3):
        with pytest.raises(ValueError, match="the database"):
            async with attempts.trying(ANN):
                raise ValueError("the database")
    assert idle(attempts)
    assert attempts.retry_after(ANN) is None


async def test_nobody_waits_for_ever_behind_lookups_that_do_not_end(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(module, "_PATIENCE", 0.02)
    attempts = Attempts(1)
    async with attempts.trying(ANN):
        with pytest.raises(Refusal) as refused:
            async with attempts.trying(ANN):
                raise AssertionError("it is not its turn")
        async with attempts.trying(BOB):
            pass
    assert (refused.value.reason, refused.value.retry_after) == (Reason.UNAVAILABLE, 5)
    assert idle(attempts)


async def test_while_nobody_has_failed_nothing_is_counted(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    attempts = Attempts(10)
    monkeypatch.setattr(attempts, "_limiter", None)
    monkeypatch.setattr(attempts, "_storage", None)
    assert attempts.refusal(ANN) is None
    async with attempts.trying(ANN):
        pass


def idle(attempts: Attempts) -> bool:
    return not attempts._running and not attempts._waiting
