"""The queue is looked at seldom, by one at a time, and never keeps a scrape waiting."""

import asyncio
import logging

import pytest

from tornado_cc.core import clock
from tornado_cc.server import depth
from tornado_cc.server.depth import QueueGauge
from tornado_cc.store import StoreUnavailable
from tornado_cc.store.deliveries import Depth

HELD = Depth({"ready": 1}, 0.5)


class Queue:
    """A queue that answers once it may, and counts how often it was asked."""

    def __init__(self, error: Exception | None = None) -> None:
        self.asked = 0
        self.may_answer = asyncio.Event()
        self.may_answer.set()
        self.error = error

    async def depth(self) -> Depth:
        self.asked += 1
        await self.may_answer.wait()
        if self.error is not None:
            raise self.error
        return HELD


@pytest.fixture
def passes(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """Seconds that the clock is ahead, the last one counts."""
    ahead = [0.0]
    now = clock.monotonic
    monkeypatch.setattr(clock, "monotonic", lambda: now() + ahead[-1])
    return ahead


async def test_many_scrapes_are_one_look(passes: list[float]) -> None:
    queue = Queue()
    gauge = QueueGauge(queue)
    assert await asyncio.gather(*(gauge.read() for _ in range(50))) == [HELD] * 50
    assert await gauge.read() is HELD
    assert queue.asked == 1
    passes.append(depth.ASK_EVERY)
    await gauge.read()
    assert queue.asked == 2


async def test_a_database_that_is_away_is_nothing_and_asked_as_seldom(
    passes: list[float], caplog: pytest.LogCaptureFixture
) -> None:
    queue = Queue(StoreUnavailable())
    gauge = QueueGauge(queue)
    assert await gauge.read() is None
    assert await gauge.read() is None
    assert queue.asked == 1
    queue.error = None
    passes.append(depth.ASK_EVERY)
    assert await gauge.read() is HELD
    assert caplog.records == []


async def test_a_look_that_fails_is_nothing_and_logged(caplog: pytest.LogCaptureFixture) -> None:
    gauge = QueueGauge(Queue(LookupError("no such table")))
    with caplog.at_level(logging.ERROR):
        assert await gauge.read() is None
    assert [record.getMessage() for record in caplog.records] == ["the queue could not be measured"]


async def test_a_slow_look_keeps_nobody_waiting_and_is_there_for_the_next(
    monkeypatch: pytest.MonkeyPatch, passes: list[float]
) -> None:
    monkeypatch.setattr(depth, "_PATIENCE", 0.05)
    queue = Queue()
    queue.may_answer.clear()
    gauge = QueueGauge(queue)
    assert await gauge.read() is None
    passes.append(2 * depth.ASK_EVERY)
    assert await gauge.read() is None
    assert queue.asked == 1
    queue.may_answer.set()
    passes.append(0)
    assert await gauge.read() is HELD
    assert queue.asked == 1


async def test_a_stop_gives_up_what_looks() -> None:
    queue = Queue()
    queue.may_answer.clear()
    gauge = QueueGauge(queue)
    reading = asyncio.create_task(gauge.read())
    await asyncio.sleep(0)
    await gauge.stop()
    assert await reading is None
    await QueueGauge(queue).stop()
