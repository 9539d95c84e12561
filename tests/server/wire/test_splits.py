"""However the bytes come, in one piece or in as many as there are, they mean the same."""

import asyncio
from dataclasses import dataclass
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.server.wire.cases import BODY, ECHO, GROUPS, HEALTH, SAID, Case, chunk, chunked
from tests.serving import PARSE, Serve
from tornado_cc.core.errors import Refusal
from tornado_cc.server.wire_reader import Reader

LARGEST = 64 << 10
CASES = [case for group in GROUPS.values() for case in group]
SHORT = [case for case in CASES if len(case.raw) < 600]
ECHO_PLUGIN = """
    from tornado_cc import Plugin

    plugin = Plugin("echo")

    @plugin.cloud_function("echo")
    async def echo(call):
        return call.params
"""


@dataclass(frozen=True)
class Read:
    """One request, as it was read."""

    line: tuple[str, str, str]
    headers: tuple[tuple[str, str], ...]
    body: bytes
    keep_alive: bool


def read(pieces: list[bytes]) -> list[Read | str]:
    """What a connection reads of these: each request, and the words of its end if it is refused."""
    reader = Reader(LARGEST, 200)
    found: list[Read | str] = []
    for piece in pieces:
        start = 0
        while start < len(piece):
            try:
                start = reader.feed(piece, start)
            except Refusal as refusal:
                return [*found, refusal.message]
            if reader.is_complete:
                found.append(taken(reader))
                if not reader.keep_alive:
                    return found
                reader.begin()
    return found


def taken(reader: Reader) -> Read:
    body = bytes(reader.body)
    reader.body.clear()
    return Read(reader.line, tuple(reader.fields.get_all()), body, reader.keep_alive)


def cut(raw: bytes, at: list[int]) -> list[bytes]:
    """These bytes in pieces."""
    return [raw[start:end] for start, end in pairwise([0, *sorted(at), len(raw)])]


@pytest.mark.parametrize("case", SHORT, ids=lambda case: case.sentence)
def test_a_request_in_two_pieces_is_the_request_in_one(case: Case) -> None:
    raw = case.raw + ECHO
    whole = read([raw])
    for at in range(1, len(raw)):
        assert read([raw[:at], raw[at:]]) == whole, f"cut before {raw[at:][:20]!r}"


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.sentence)
def test_a_request_byte_by_byte_is_the_request_in_one(case: Case) -> None:
    raw = case.raw[: 70 << 10] + HEALTH
    assert read([raw[at : at + 1] for at in range(len(raw))]) == read([raw])


@given(
    st.lists(st.sampled_from(SHORT), min_size=1, max_size=4),
    st.lists(st.integers(0, 2_000), max_size=12),
)
def test_several_in_any_pieces_are_what_they_are_in_one(cases: list[Case], at: list[int]) -> None:
    raw = b"".join(case.raw for case in cases)
    assert read(cut(raw, [one % (len(raw) + 1) for one in at])) == read([raw])


async def test_pieces_on_a_socket_are_answered_like_the_whole(serve: Serve, wire: str) -> None:
    served = await serve(PARSE, {"echo": ECHO_PLUGIN})
    in_chunks = chunked(chunk(BODY[:7]) + chunk(BODY[7:]) + b"0\r\n\r\n")
    for raw in (ECHO + HEALTH, in_chunks + ECHO):
        for size in (1, 2, 3, 7, 50):
            reader, writer = await asyncio.open_connection("127.0.0.1", served.port)
            for at in range(0, len(raw), size):
                writer.write(raw[at : at + size])
                await writer.drain()
                await asyncio.sleep(0)
            async with asyncio.timeout(15):
                received = b""
                while received.count(b"HTTP/1.1 200 OK") < 2 or not received.endswith(b"}"):
                    received += await reader.read(1 << 16)
            assert SAID in received
            writer.close()
