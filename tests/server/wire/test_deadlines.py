"""Nobody holds a connection for longer than its deadlines allow."""

import asyncio
import logging
import time
from collections.abc import Awaitable, Callable

import pytest

from tests.server.wire.speaking import GET, Caller, Speaker, never
from tornado_cc.server.limits import DISCARD_SECONDS

Speak = Callable[..., Awaitable[Speaker]]
LARGE = b"x" * (6 << 20)


async def test_half_a_head_is_answered_408_and_closed(speak: Speak) -> None:
    speaker = await speak(header_timeout=0.2)
    caller = await speaker.ask(GET[:-2])
    answer = await caller.rest()
    assert answer.startswith(b"HTTP/1.1 408 Request Timeout\r\n")
    assert answer.endswith(b'{"error":"The headers took longer than 0.2 s"}')
    assert speaker.asked == []


async def test_a_head_that_comes_in_drops_has_one_deadline_in_all(speak: Speak) -> None:
    speaker = await speak(header_timeout=0.3)
    caller = await speaker.ask(b"GET / HTTP/1.1\r\n")
    for number in range(200):
        await caller.say(b"X-%d: y\r\n" % number)
        await asyncio.sleep(0.01)
        if speaker.wire.connections == 0:
            break
    assert (await caller.rest()).startswith(b"HTTP/1.1 408 ")


async def test_a_connection_on_which_nothing_comes_is_closed_without_a_word(speak: Speak) -> None:
    speaker = await speak(idle_timeout=0.2)
    assert await (await speaker.ask(b"")).rest() == b""
    caller = await speaker.ask()
    await caller.until(b"ok")
    assert await caller.rest() == b""


async def test_an_idle_connection_is_kept_until_its_deadline(speak: Speak) -> None:
    speaker = await speak(idle_timeout=60)
    caller = await speaker.ask()
    await caller.until(b"ok")
    await asyncio.sleep(0.3)
    await caller.say(GET)
    await caller.until(b"ok")


async def test_an_answer_that_takes_long_has_no_deadline_of_the_wire(speak: Speak) -> None:
    speaker = await speak(never, header_timeout=0.1, idle_timeout=0.1, write_timeout=0.1)
    caller = await speaker.ask()
    asked = await speaker.until(1)
    await asyncio.sleep(0.5)
    asked.say(b"late")
    await caller.until(b"late")
    assert not asked.is_gone


async def test_a_caller_that_takes_nothing_of_its_answer_is_dropped(speak: Speak) -> None:
    speaker = await speak(never, write_timeout=0.3)
    caller = await speaker.ask(room=64 << 10)
    asked = await speaker.until(1)
    written = asked.say(LARGE)
    assert not written.done()
    async with asyncio.timeout(10):
        await written
    assert speaker.wire.connections == 0
    assert len(await caller.rest()) < len(LARGE)


async def test_a_caller_that_takes_its_answer_slowly_gets_all_of_it(speak: Speak) -> None:
    speaker = await speak(never, write_timeout=0.5)
    caller = await speaker.ask(room=64 << 10)
    asked = await speaker.until(1)
    written = asked.say(LARGE)
    received = 0
    began = time.monotonic()
    async with asyncio.timeout(30):
        while received < len(LARGE):
            data = await caller.hear()
            assert data
            received += len(data)
            await asyncio.sleep(0.03)
    assert time.monotonic() - began > 0.5
    await written


async def test_a_caller_that_is_sent_as_much_as_it_takes_is_not_dropped(speak: Speak) -> None:
    speaker = await speak(never, write_timeout=0.3)
    caller = await speaker.ask(room=64 << 10)
    asked = await speaker.until(1)
    asked.begin()
    asked.connection.write(LARGE)
    began = time.monotonic()
    while time.monotonic() < began + 1.5:
        asked.connection.write(b"x" * len(await caller.hear()))
        await asyncio.sleep(0.02)
    assert speaker.wire.connections == 1


async def test_who_goes_on_sending_after_a_refusal_is_cut_off(speak: Speak) -> None:
    speaker = await speak()
    caller = await speaker.ask(b"bad\r\n\r\n")
    assert (await caller.until(b"}")).startswith(b"HTTP/1.1 400 ")
    with pytest.raises(ConnectionError):
        await go_on(caller, b"more", seconds=DISCARD_SECONDS + 8)


async def test_who_sends_a_flood_after_a_refusal_is_cut_off_before_that(speak: Speak) -> None:
    speaker = await speak()
    caller = await speaker.ask(b"bad\r\n\r\n")
    began = time.monotonic()
    with pytest.raises(ConnectionError):
        await go_on(caller, b"x" * (1 << 20), seconds=DISCARD_SECONDS + 8)
    assert time.monotonic() < began + DISCARD_SECONDS


async def test_a_refusal_is_logged_and_counted(
    speak: Speak, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO, logger="tornado_cc.access")
    speaker = await speak(header_timeout=0.1)
    await (await speaker.ask(b"bad secret\r\n\r\n")).rest()
    await (await speaker.ask(b"GET /secret")).rest()
    lines = [vars(one) for one in caplog.records if one.name == "tornado_cc.access"]
    assert [(one["status"], one["refused"]) for one in lines] == [
        (400, "malformed"),
        (408, "too slow"),
    ]
    assert {(one["dialect"], one["route"], one["remote"]) for one in lines} == {
        ("server", "unread", "127.0.0.1")
    }
    page = speaker.metrics.page("", None).body
    for status in (b"400", b"408"):
        labels = b'{dialect="server",method="OTHER",route="unread",status="%b"}' % status
        assert b"tornado_cc_requests_total%b 1.0" % labels in page
    assert "secret" not in caplog.text


async def go_on(caller: Caller, data: bytes, seconds: float) -> None:
    """Send for so long."""
    until = time.monotonic() + seconds
    while time.monotonic() < until:
        await caller.say(data)
        await asyncio.sleep(0.01)
