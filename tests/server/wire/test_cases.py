"""Each case of the table gets its verdict, on either wire and either loop."""

import asyncio
import re

import pytest

from tests.server.wire.cases import GROUPS, OPEN, Case
from tests.serving import PARSE, Serve

PLUGIN = """
    import asyncio
    from tornado_cc import Plugin

    plugin = Plugin("echo")

    @plugin.cloud_function("echo")
    async def echo(call):
        return call.params

    @plugin.cloud_function("slow")
    async def slow(call):
        await asyncio.sleep(0.1)
        return call.params
"""
GOOD = b"GET /readyz HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n"
"""What a sender goes on with; no case asks for this page."""
READY = b'{"status":"ready"}'


@pytest.mark.parametrize("group", GROUPS)
async def test_what_is_sent_gets_its_verdict(serve: Serve, wire: str, group: str) -> None:
    served = await serve(PARSE, {"echo": PLUGIN})
    expected = {case.sentence: case.expected(wire) for case in GROUPS[group]}
    open_ = {sentence for sentence, one in expected.items() if one == OPEN}
    # The second time, the wire knows most of the heads.
    for _ in range(2):
        answers = await asyncio.gather(*(converse(served.port, case) for case in GROUPS[group]))
        got = {
            case.sentence: verdict(raw) for case, raw in zip(GROUPS[group], answers, strict=True)
        }
        assert got == {**expected, **{sentence: got[sentence] for sentence in open_}}
        for case, raw in zip(GROUPS[group], answers, strict=True):
            assert case.says in raw or expected[case.sentence] == OPEN, case.sentence
    assert served.errors == set()


def test_there_are_150_cases_and_no_two_have_one_name() -> None:
    for group, cases in GROUPS.items():
        assert len({case.sentence for case in cases}) == len(cases), group
    assert sum(map(len, GROUPS.values())) >= 150


async def converse(port: int, case: Case) -> bytes:
    """Say it, and go on with a good request unless the sender ends; everything that comes back."""
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    received = b""
    try:
        async with asyncio.timeout(15):
            writer.write(case.raw if case.ends else case.raw + GOOD)
            if case.ends:
                writer.write_eof()
            while data := await reader.read(1 << 16):
                received += data
    except ConnectionError:
        # Somebody who is refused and goes on sending.
        pass
    finally:
        writer.close()
    return received


def verdict(received: bytes) -> str:
    """The statuses, and whether the good request at the end was answered."""
    statuses = [found.decode() for found in re.findall(rb"HTTP/1\.1 (\d{3}) ", received)]
    kept = READY in received
    return " ".join([*(statuses[:-1] if kept else statuses), "kept" if kept else "closed"])
