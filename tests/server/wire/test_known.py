"""A head that came before is not read again, and nobody can tell but by the time it takes."""

import asyncio
from collections.abc import Awaitable, Callable

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.server.wire.speaking import GET, Speaker, never
from tornado_cc.server.wire_known import _LONGEST, _MOST, KnownHeads

Speak = Callable[..., Awaitable[Speaker]]

POST = b"POST /a?b=c HTTP/1.1\r\nHost: x\r\nX-Twice: 1\r\nx-twice: 2\r\nContent-Length: 5\r\n\r\n"


def known(speaker: Speaker) -> KnownHeads:
    return speaker.wire.heads


def is_known(speaker: Speaker, raw: bytes) -> bool:
    return known(speaker).get(raw, 0)[0] is not None


async def test_it_is_the_same_request_on_this_connection_and_on_others(speak: Speak) -> None:
    speaker = await speak()
    one = await speaker.ask(POST + b"first")
    await one.until(b"first")
    assert is_known(speaker, POST)
    await one.say(POST + b"again")
    await one.until(b"again")
    await (await speaker.ask(POST + b"other")).until(b"other")
    first, *others = speaker.asked
    for other in others:
        assert other.line == first.line
        assert other.fields.get_all() == first.fields.get_all()
    assert [asked.body for asked in speaker.asked] == [b"first", b"again", b"other"]


async def test_many_in_one_write_are_answered_in_their_order(speak: Speak) -> None:
    speaker = await speak()
    bodies = [f"{number:05}".encode() for number in range(200)]
    caller = await speaker.ask(b"".join(POST + body for body in bodies))
    for body in bodies:
        await caller.until(body)
    assert [asked.body for asked in speaker.asked] == bodies


async def test_one_whose_body_is_not_all_there_waits_for_it(speak: Speak) -> None:
    speaker = await speak()
    caller = await speaker.ask(POST + b"first")
    await caller.until(b"first")
    await caller.say(POST + b"sec")
    await asyncio.sleep(0.01)
    assert not speaker.asked[-1].is_complete
    await caller.say(b"ndGET")
    await caller.until(b"secnd")
    await caller.say(GET.removeprefix(b"GET"))
    await caller.until(b"ok")
    assert [asked.line.method for asked in speaker.asked] == ["POST", "POST", "GET"]


async def test_those_that_are_known_and_those_that_are_not_take_turns(speak: Speak) -> None:
    speaker = await speak()
    caller = await speaker.ask(GET)
    await caller.until(b"ok")
    for number in range(5):
        await caller.say(GET + b"GET /%d HTTP/1.1\r\nHost: x\r\n\r\n" % number + GET)
        for _ in range(3):
            await caller.until(b"ok")
    assert [asked.line.path for asked in speaker.asked[1:4]] == ["/", "/0", "/"]


async def test_no_request_after_one_that_is_known_is_still_none(speak: Speak) -> None:
    speaker = await speak()
    await (await speaker.ask(GET)).until(b"ok")
    answer = await (await speaker.ask(GET + b"GET / HTTP/1.1\r\n\r\n")).rest()
    assert answer.count(b"HTTP/1.1 200 OK") == 1
    assert b"HTTP/1.1 400 Bad Request" in answer


async def test_one_that_does_not_keep_the_connection_does_not_the_second_time(
    speak: Speak,
) -> None:
    speaker = await speak()
    for head in (b"GET / HTTP/1.0\r\n\r\n", GET[:-2] + b"Connection: close\r\n\r\n"):
        first = await (await speaker.ask(head)).rest()
        assert is_known(speaker, head)
        second = await (await speaker.ask(head + GET)).rest()
        for answer in (first, second):
            assert answer.count(b"HTTP/1.1 200 OK") == 1
            assert b"Connection: close\r\n" in answer


@pytest.mark.parametrize(
    "lines",
    [
        b"Transfer-Encoding: chunked\r\n",
        b"Content-Length: 5\r\nExpect: 100-continue\r\n",
        b"Connection: Upgrade\r\nUpgrade: h2c\r\nContent-Length: 5\r\n",
    ],
)
async def test_one_that_says_more_than_a_length_is_read_each_time(
    speak: Speak, lines: bytes
) -> None:
    speaker = await speak()
    head = b"POST / HTTP/1.1\r\nHost: x\r\n" + lines + b"\r\n"
    body = b"5\r\nfirst\r\n0\r\n\r\n" if b"chunked" in lines else b"first"
    for _ in range(2):
        await (await speaker.ask(head + body)).until(b"first")
        assert not is_known(speaker, head)


async def test_one_that_was_refused_is_refused_each_time(speak: Speak) -> None:
    speaker = await speak(early=lambda asked: asked.say(b"no", close=True))
    for _ in range(2):
        await (await speaker.ask(GET)).until(b"no")
        assert not is_known(speaker, GET)


async def test_a_caller_who_leaves_before_the_answer_is_told_of(speak: Speak) -> None:
    speaker = await speak()
    caller = await speaker.ask(GET)
    await caller.until(b"ok")
    speaker.answer = never
    await caller.say(GET)
    asked = await speaker.until(2)
    caller.end.close()
    async with asyncio.timeout(5):
        while not asked.is_gone:
            await asyncio.sleep(0.005)


async def test_long_heads_are_not_kept_and_many_are_not_kept_for_long(speak: Speak) -> None:
    speaker = await speak()
    caller = await speaker.ask(GET)
    await caller.until(b"ok")
    long = b"GET / HTTP/1.1\r\nHost: x\r\nX: " + b"y" * _LONGEST + b"\r\n\r\n"
    await caller.say(long)
    await caller.until(b"ok")
    assert is_known(speaker, GET)
    assert not is_known(speaker, long)
    for number in range(_MOST + 1):
        await caller.say(b"GET /%d HTTP/1.1\r\nHost: x\r\n\r\n" % number)
        await caller.until(b"ok")
        assert len(known(speaker)._known) <= _MOST
    assert not is_known(speaker, GET)


@given(st.binary(max_size=60), st.integers(0, 60))
@settings(max_examples=300)
def test_only_the_very_same_bytes_are_known(garbage: bytes, at: int) -> None:
    heads = KnownHeads()
    heads._known[GET] = object()  # type: ignore[assignment]
    changed = GET[:at] + garbage + GET[at + len(garbage) :]
    found = heads.get(changed, 0)[0]
    assert (found is not None) == (changed.startswith(GET))
