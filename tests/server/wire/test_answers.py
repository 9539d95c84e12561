"""One connection: requests in order, answers in order, and nobody made to hold more than needed."""

import asyncio
import re
from collections.abc import Awaitable, Callable

import pytest

from tests.server.wire.cases import chunk
from tests.server.wire.speaking import GET, Asked, Caller, Speaker, at_once, briefly, never

Speak = Callable[..., Awaitable[Speaker]]
LAST = b"GET / HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n"
POST = b"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 5\r\n\r\nhello"


async def test_a_request_arrives_as_it_was_sent(speak: Speak) -> None:
    speaker = await speak()
    head = b"PUT /a?b=c HTTP/1.1\r\nHOST: x\r\nX-One:  a \r\nx-one: b\r\nContent-Length: 5\r\n\r\n"
    caller = await speaker.ask(head + b"hello")
    assert (await caller.until(b"hello")).startswith(b"HTTP/1.1 200 OK\r\n")
    asked = speaker.asked[0]
    assert tuple(asked.line) == ("PUT", "/a?b=c", "HTTP/1.1")
    assert list(asked.fields.get_all()) == [
        ("host", "x"),
        ("x-one", "a"),
        ("x-one", "b"),
        ("content-length", "5"),
    ]
    assert asked.fields.get("X-ONE", "") == "a,b"
    assert asked.fields.get("X-Two", "none") == "none"
    assert "Content-Length" in asked.fields
    assert "X-Two" not in asked.fields
    assert asked.connection.context.remote_ip == "127.0.0.1"


async def test_the_next_request_is_not_read_before_the_answer_to_the_last(speak: Speak) -> None:
    speaker = await speak(never)
    caller = await speaker.ask(POST + GET)
    first = await speaker.until(1)
    await asyncio.sleep(0.1)
    assert len(speaker.asked) == 1
    first.say(b"first")
    second = await speaker.until(2)
    second.say(b"second")
    assert b"first" in await caller.until(b"second")


async def test_who_sends_far_ahead_has_to_wait(speak: Speak) -> None:
    speaker = await speak(never)
    caller = await speaker.ask()
    raw = GET[:-2] + b"X: %b\r\n\r\n" % (b"x" * 1000)
    sending = asyncio.ensure_future(send_all(caller, raw * 20_000 + LAST))
    first = await speaker.until(1)
    await asyncio.sleep(0.5)
    assert not sending.done()
    speaker.answer = at_once
    first.say()
    assert (await caller.rest()).count(b"HTTP/1.1 200 OK") == 20_002
    await sending


async def test_the_next_request_is_not_read_before_the_last_answer_is_taken(speak: Speak) -> None:
    speaker = await speak(lambda asked: asked.say(b"x" * (6 << 20)) and None)
    caller = await speaker.ask(GET + GET, room=64 << 10)
    await speaker.until(1)
    await asyncio.sleep(0.2)
    assert len(speaker.asked) == 1
    received = 0
    while received < 12 << 20:
        received += len(await caller.hear(1 << 20))
    assert len(speaker.asked) == 2


async def test_a_hundred_thousand_crumbs_reach_the_gate_in_few_pieces(speak: Speak) -> None:
    speaker = await speak(briefly)
    head = b"POST / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n"
    caller = await speaker.ask(head + chunk(b"x") * 100_000 + b"0\r\n\r\n")
    await caller.until(b"ok")
    assert speaker.asked[0].body == b"x" * 100_000
    assert speaker.asked[0].pieces < 5


async def test_an_answer_without_a_length_goes_out_in_chunks(speak: Speak) -> None:
    speaker = await speak(never)
    caller = await speaker.ask(GET + GET)
    for number in (1, 2):
        asked = await speaker.until(number)
        asked.begin()
        asked.connection.write(b"hello")
        asked.connection.write(b"")
        asked.connection.write(b"x" * 20)
        asked.connection.finish()
        answer = await caller.until(b"0\r\n\r\n")
        head, _, body = answer.partition(b"\r\n\r\n")
        assert b"\r\nTransfer-Encoding: chunked" in head
        assert body == b"5\r\nhello\r\n14\r\n" + b"x" * 20 + b"\r\n0\r\n\r\n"


async def test_to_http_1_0_such_an_answer_ends_with_the_connection(speak: Speak) -> None:
    speaker = await speak(never)
    caller = await speaker.ask(b"GET / HTTP/1.0\r\nConnection: keep-alive\r\n\r\n")
    asked = await speaker.until(1)
    asked.begin()
    asked.connection.write(b"hello")
    asked.connection.finish()
    answer = await caller.rest()
    assert answer.endswith(b"\r\n\r\nhello")
    assert b"Connection: close\r\n" in answer
    assert b"Transfer-Encoding" not in answer


async def test_leave_to_send_a_body_is_given_once_and_only_to_whom_waits(speak: Speak) -> None:
    speaker = await speak()
    head, _, body = POST.partition(b"hello")[0][:-2], b"", b"hello"
    caller = await speaker.ask(head + b"Expect: 100-Continue\r\n\r\n")
    assert await caller.until(b"\r\n\r\n") == b"HTTP/1.1 100 Continue\r\n\r\n"
    await caller.say(b"hel")
    await asyncio.sleep(0.05)
    await caller.say(b"lo")
    assert (await caller.until(b"hello")).startswith(b"HTTP/1.1 200 OK\r\n")
    await caller.say(head + b"Expect: 100-continue\r\n\r\n" + body)
    assert (await caller.until(b"hello")).startswith(b"HTTP/1.1 200 OK\r\n")


async def test_no_leave_is_given_to_who_is_refused_already(speak: Speak) -> None:
    speaker = await speak(early=lambda asked: asked.say(b"no", close=True))
    caller = await speaker.ask(POST[:-7] + b"Expect: 100-continue\r\n\r\n")
    answer = await caller.rest()
    assert answer.startswith(b"HTTP/1.1 200 OK\r\n")
    assert answer.endswith(b"no")


async def test_a_client_that_leaves_before_its_answer_is_told_of(speak: Speak) -> None:
    speaker = await speak(never)
    caller = await speaker.ask()
    asked = await speaker.until(1)
    caller.end.close()
    await until_gone(asked)
    asked.say(b"to nobody")


async def test_a_client_that_leaves_in_its_body_is_told_of(speak: Speak) -> None:
    speaker = await speak()
    caller = await speaker.ask(POST[:-1])
    while not speaker.asked:
        await asyncio.sleep(0.005)
    caller.end.close()
    await until_gone(speaker.asked[0])
    assert not speaker.asked[0].is_complete


async def test_a_body_that_is_malformed_ends_its_request(speak: Speak) -> None:
    speaker = await speak()
    head = b"POST / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n"
    caller = await speaker.ask(head + b"5\r\nhello\r\nno")
    assert (await caller.rest()).startswith(b"HTTP/1.1 400 Bad Request\r\n")
    assert speaker.asked[0].is_gone
    assert not speaker.asked[0].is_complete


async def test_an_answer_that_nobody_waits_for_any_more_goes_nowhere(speak: Speak) -> None:
    speaker = await speak(never)
    caller = await speaker.ask(GET + GET)
    asked = await speaker.until(1)
    caller.end.close()
    await until_gone(asked)
    while speaker.wire.connections:
        assert asked.connection.write(b"x").done()
        await asyncio.sleep(0.005)
    assert asked.say().done()
    asked.connection.close()
    assert len(speaker.asked) == 1


async def test_a_gate_that_raises_loses_its_own_connection_only(
    speak: Speak, caplog: pytest.LogCaptureFixture
) -> None:
    def fail(asked: Asked) -> None:
        raise RuntimeError("boom")

    speaker = await speak()
    other = await speaker.ask()
    await other.until(b"ok")
    speaker.answer = fail
    caller = await speaker.ask()
    assert await caller.rest() == b""
    assert [one.getMessage() for one in caplog.records] == ["connection failed"]
    speaker.answer = at_once
    await other.say(GET)
    await other.until(b"ok")


async def test_every_answer_has_exactly_one_head(speak: Speak) -> None:
    speaker = await speak()
    caller = await speaker.ask((GET + POST) * 50 + LAST)
    answers = await caller.rest()
    assert len(re.findall(rb"HTTP/1\.1 200 OK\r\n", answers)) == 101
    assert len(re.findall(rb"\r\nDate: ", answers)) == 101
    assert answers.count(b"Connection: close") == 1


async def until_gone(asked: Asked) -> None:
    async with asyncio.timeout(10):
        while not asked.is_gone:
            await asyncio.sleep(0.005)


async def send_all(caller: Caller, data: bytes) -> None:
    await asyncio.get_running_loop().sock_sendall(caller.end, data)
