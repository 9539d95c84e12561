"""What third parties do to whoever waits: they are slow, they drip, break off, never end."""

import asyncio
import gzip
import os
import zlib

from tests.outbound.wire import Reply, answer, hang, reset, say, trickle

HEAD = b"HTTP/1.1 200 OK\r\n"
CHUNKED = HEAD + b"Transfer-Encoding: chunked\r\n\r\n"
GZIP = HEAD + b"Content-Encoding: gzip\r\n\r\n"
DEFLATE = HEAD + b"Content-Encoding: deflate\r\n\r\n"


def endless(piece: bytes, begin: bytes = b"") -> Reply:
    """One piece after another, as fast as it is read, for ever."""

    async def reply(writer: asyncio.StreamWriter) -> None:
        writer.write(begin)
        while not writer.is_closing():
            writer.write(piece)
            await writer.drain()

    return reply


def dripping(text: bytes) -> Reply:
    """A byte every now and then, over and over."""

    async def reply(writer: asyncio.StreamWriter) -> None:
        while not writer.is_closing():
            for at in range(len(text)):
                writer.write(text[at : at + 1])
                await asyncio.sleep(0.01)

    return reply


def breaking(begin: bytes) -> Reply:
    """Some bytes, and then a TCP reset."""

    async def reply(writer: asyncio.StreamWriter) -> None:
        writer.write(begin)
        await writer.drain()
        await asyncio.sleep(0.02)
        await reset(writer)

    return reply


def _stored(body: bytes) -> bytes:
    """A zlib stream that has not ended yet."""
    packer = zlib.compressobj()
    return packer.compress(body) + packer.flush(zlib.Z_SYNC_FLUSH)


SLOW: dict[str, Reply] = {
    "silence": hang,
    "half a head": say(HEAD + b"Content-Le"),
    "half a body": say(HEAD + b"Content-Length: 9\r\n\r\nabc"),
    "half a chunk": say(CHUNKED + b"9\r\nabc"),
    "half a gzip": say(GZIP + gzip.compress(b"abc")[:-4]),
    "a dripping head": dripping(b"HTTP/1.1 200 OK\r\nX-A: " + b"b" * 5000),
    "a dripping body": trickle(0.01),
    "dripping headers": dripping(HEAD + b"X-A: b\r\n" * 500),
    "an endless chunk extension": endless(b"a" * 1000, CHUNKED + b"5;"),
    "an endless chunk size": endless(b"0" * 1000, CHUNKED),
    "endless interim answers": endless(b"HTTP/1.1 100 Continue\r\n\r\n" * 100),
}
"""They end when the time has passed."""

BROKEN: dict[str, Reply] = {
    "reset at once": reset,
    "reset in the head": breaking(HEAD + b"X-A: "),
    "reset in the body": breaking(HEAD + b"Content-Length: 9\r\n\r\nabc"),
    "reset in a chunk": breaking(CHUNKED + b"9\r\nabc"),
    "an endless status line": endless(b"a" * 1000, b"HTTP/1.1 200 "),
    "an endless header": endless(b"a" * 1000, HEAD + b"X-A: "),
    "endless headers": endless(b"X-A: b\r\n" * 100, HEAD),
    "endless trailers": endless(b"X-A: b\r\n" * 100, CHUNKED + b"0\r\n"),
}
"""They end when they break a rule of HTTP, or break off."""

LARGE: dict[str, Reply] = {
    "an endless body": endless(b"a" * 10_000, HEAD + b"\r\n"),
    "an endless row of chunks": endless(b"1\r\na\r\n" * 100, CHUNKED),
    "a body longer than said": endless(
        b"a" * 10_000, HEAD + b"Content-Length: 99999999999\r\n\r\n"
    ),
    "a gzip bomb": answer(gzip.compress(bytes(50 << 20)), "Content-Encoding: gzip"),
    "a deflate bomb": answer(zlib.compress(bytes(50 << 20)), "Content-Encoding: deflate"),
    "an endless bomb": endless(_stored(bytes(1 << 20))[2:], DEFLATE + _stored(b"")[:2]),
    "endless empty streams": endless(gzip.compress(b"") * 100, GZIP),
    "endless empty blocks": endless(b"\x00\x00\x00\xff\xff" * 100, DEFLATE + b"\x78\x9c"),
}
"""They end when there is more of them than allowed."""


def open_files() -> set[str]:
    """The files and sockets that this process has open."""
    return set(os.listdir("/proc/self/fd"))
