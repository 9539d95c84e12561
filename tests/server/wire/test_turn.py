"""What is answered in one turn of the loop goes out at its end, and nothing of it is lost."""

import asyncio
import socket
from collections.abc import Awaitable, Callable

import pytest

from tests.server.wire.speaking import GET, Caller, Speaker, at_once, never
from tests.serving import PARSE, Serve
from tornado_cc.server.wire_turn import Turn

Speak = Callable[..., Awaitable[Speaker]]


class Noted:
    """Something to send, that notes when it is sent."""

    def __init__(self, sent: list[str], name: str) -> None:
        self._sent = sent
        self._name = name

    def flush(self) -> None:
        self._sent.append(self._name)
        if self._name == "broken":
            raise RuntimeError("boom")


class Now:
    """A clock that a test sets."""

    def __init__(self) -> None:
        self.seconds = 100.0

    def __call__(self) -> float:
        return self.seconds


@pytest.fixture
def now(monkeypatch: pytest.MonkeyPatch) -> Now:
    """The clock by which answers wait for one another."""
    found = Now()
    monkeypatch.setattr("tornado_cc.core.clock.monotonic", found)
    return found


@pytest.mark.usefixtures("now")
async def test_what_is_added_in_a_turn_is_sent_at_its_end_in_that_order() -> None:
    turn, sent = Turn(), list[str]()
    for name in ("first", "second"):
        turn.add(Noted(sent, name))
    assert sent == []
    await asyncio.sleep(0)
    assert sent == ["first", "second"]
    turn.add(Noted(sent, "third"))
    await asyncio.sleep(0)
    assert sent == ["first", "second", "third"]


async def test_the_first_does_not_wait_for_long(now: Now) -> None:
    turn, sent = Turn(), list[str]()
    turn.add(Noted(sent, "first"))
    now.seconds += 0.01
    turn.add(Noted(sent, "second"))
    assert sent == ["first", "second"]


async def test_nor_does_it_wait_for_what_comes_in(speak: Speak, now: Now) -> None:
    speaker = await speak(never)
    caller = await speaker.ask()
    first = await speaker.until(1)
    await speaker.ask()
    second = await speaker.until(2)
    second.say()
    first.say(b"hello")
    with pytest.raises(BlockingIOError):
        caller.end.recv(1024)
    now.seconds += 0.01
    second.connection.data_received(b"GET / HTTP/1.1")
    assert caller.end.recv(1024).endswith(b"hello")


async def test_one_that_cannot_be_sent_keeps_no_other_back(
    caplog: pytest.LogCaptureFixture,
) -> None:
    turn, sent = Turn(), list[str]()
    for name in ("first", "broken", "last"):
        turn.add(Noted(sent, name))
    await asyncio.sleep(0)
    assert sent == ["first", "broken", "last"]
    assert [one.getMessage() for one in caplog.records] == ["an answer could not be sent"]


async def test_an_answer_that_is_late_in_its_turn_goes_out_with_the_others(
    speak: Speak, now: Now
) -> None:
    speaker = await speak(never)
    callers = [await speaker.ask() for _ in range(3)]
    await speaker.until(3)
    for asked in speaker.asked:
        asked.say(b"hello")
        now.seconds += 0.01
    for caller in callers:
        await caller.until(b"hello")


async def test_who_sends_no_more_gets_the_answer_of_that_turn(speak: Speak) -> None:
    speaker = await speak(never)
    caller = await speaker.ask()
    asked = await speaker.until(1)
    asked.say(b"hello")
    asked.connection.eof_received()
    assert (await caller.until(b"hello")).startswith(b"HTTP/1.1 200 OK\r\n")


async def test_a_wire_that_is_closed_sends_the_answers_of_that_turn(speak: Speak) -> None:
    speaker = await speak(never)
    caller = await speaker.ask()
    (await speaker.until(1)).say(b"hello")
    await speaker.wire.close()
    assert (await caller.rest()).endswith(b"hello")


async def test_who_takes_no_answer_is_read_no_further_and_gets_all_of_them_later(
    speak: Speak,
) -> None:
    body = b"x" * (8 << 10)
    speaker = await speak(lambda asked: asked.say(body) and None)
    caller = await speaker.ask(b"", room=16 << 10)
    sent = await until_full(speaker, caller)
    await caller.say(GET)
    await asyncio.sleep(0.1)
    assert len(speaker.asked) == sent
    speaker.answer = at_once
    answers = await caller.until(b"\r\n\r\nok")
    assert answers.count(body) == sent
    assert not speaker.wire.is_sending


async def test_who_takes_no_answer_for_long_is_dropped(speak: Speak) -> None:
    body = b"x" * (8 << 10)
    speaker = await speak(lambda asked: asked.say(body) and None, write_timeout=0.3)
    caller = await speaker.ask(b"", room=16 << 10)
    await until_full(speaker, caller)
    async with asyncio.timeout(10):
        while speaker.wire.connections:
            await asyncio.sleep(0.05)
    assert not speaker.wire.is_sending


LONG = """
    from tornado_cc import Plugin
    plugin = Plugin("long")
    @plugin.cloud_function("long")
    async def long(call):
        return "x" * 8192
"""


@pytest.mark.usefixtures("wire")
async def test_a_drain_waits_for_who_has_not_taken_an_answer(serve: Serve) -> None:
    served = await serve(PARSE, {"long": LONG})
    head = b"POST /webhooks/functions/long HTTP/1.1\r\nHost: x\r\nX-Parse-Webhook-Key: test-key\r\n"
    end = socket.socket()
    end.setblocking(False)
    end.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 16 << 10)
    caller = Caller(end)
    await asyncio.get_running_loop().sock_connect(end, ("127.0.0.1", served.port))
    while not served.server._wire.is_sending:
        await caller.say(head + b"Content-Length: 2\r\n\r\n{}")
        await asyncio.sleep(0.002)
    stopping = asyncio.create_task(served.server.stop())
    # Longer than an end without a drain waits for connections.
    await asyncio.sleep(2.5)
    assert not stopping.done()
    answers = await caller.rest()
    await stopping
    end.close()
    assert answers.count(b"x" * 8192) == len(served.fired)


async def until_full(speaker: Speaker, caller: Caller) -> int:
    """Ask until an answer is not taken, each time when there is an answer; how often."""
    sent = 0
    while not speaker.wire.is_sending:
        sent += 1
        await caller.say(GET)
        await speaker.until(sent)
        await asyncio.sleep(0)
        assert sent < 5_000
    return sent
