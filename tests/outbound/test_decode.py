"""Compressed answers: inflated within the limit and to their very end, or an error."""

import gzip
import zlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.outbound.conftest import Opened, Wired
from tests.outbound.wire import answer
from tornado_cc.outbound import HttpClient, ResponseError
from tornado_cc.outbound.decode import BadEncoding, decoder

TEXT = b"the quick brown fox " * 500


def deflated(body: bytes, window: int) -> bytes:
    packer = zlib.compressobj(wbits=window)
    return packer.compress(body) + packer.flush()


PACKERS = {
    "gzip": gzip.compress,
    "x-gzip": gzip.compress,
    "deflate": lambda body: deflated(body, zlib.MAX_WBITS),
    "identity": bytes,
    "": bytes,
}


@given(st.binary(max_size=500), st.sampled_from(sorted(PACKERS)), st.integers(1, 50))
def test_a_body_in_any_pieces_is_what_it_was(body: bytes, encoding: str, size: int) -> None:
    packed = PACKERS[encoding](body)
    taking = decoder(encoding, 500)
    for at in range(0, len(packed), size):
        taking.feed(packed[at : at + size])
    assert taking.end() == body


def test_deflate_without_its_header_and_gzip_in_several_streams_are_read() -> None:
    raw = decoder("Deflate", 100_000)
    raw.feed(deflated(TEXT, -zlib.MAX_WBITS))
    assert raw.end() == TEXT
    several = decoder("gzip", 100_000)
    several.feed(gzip.compress(b"one ") + gzip.compress(b"two"))
    assert several.end() == b"one two"


@pytest.mark.parametrize("encoding", ["gzip", "deflate"])
@pytest.mark.parametrize("missing", [1, 10, 50])
async def test_an_answer_whose_compressed_body_is_cut_off_is_an_error(
    client: HttpClient, wired: Wired, encoding: str, missing: int
) -> None:
    packed = PACKERS[encoding](TEXT)[:-missing]
    wire = await wired(answer(packed, f"Content-Encoding: {encoding}"))
    with pytest.raises(ResponseError, match="ends before its end"):
        await client.request(wire.url)


@pytest.mark.parametrize("encoding", ["gzip, gzip", "br", "nonsense"])
async def test_an_encoding_that_was_not_asked_for_is_an_error(
    client: HttpClient, wired: Wired, encoding: str
) -> None:
    wire = await wired(answer(gzip.compress(TEXT), f"Content-Encoding: {encoding}"))
    with pytest.raises(ResponseError, match="not asked for"):
        await client.request(wire.url)


async def test_a_head_or_an_empty_body_needs_no_stream(client: HttpClient, wired: Wired) -> None:
    wire = await wired(answer(b"", "Content-Encoding: gzip"))
    assert (await client.request(wire.url)).buffer == b""


async def test_a_bomb_ends_at_the_limit(opened: Opened, wired: Wired) -> None:
    client = await opened(max_response=1000)
    wire = await wired(answer(gzip.compress(b"\0" * 10_000_000), "Content-Encoding: gzip"))
    with pytest.raises(ResponseError, match="larger than 1000 bytes"):
        await client.request(wire.url)


def test_what_is_no_compressed_stream_is_an_error() -> None:
    with pytest.raises(BadEncoding, match="not what its encoding says"):
        decoder("gzip", 100).feed(b"plain text")


def test_streams_that_unpack_to_nothing_are_counted() -> None:
    taking = decoder("gzip", 1 << 20)
    taking.feed(gzip.compress(b"") * 999 + gzip.compress(b"end"))
    assert taking.end() == b"end"
    with pytest.raises(BadEncoding, match="more than 1000 streams"):
        taking.feed(gzip.compress(b""))


def test_what_comes_in_is_counted_as_well_as_what_comes_out() -> None:
    taking = decoder("deflate", 1000)
    # Empty blocks of a stream that goes on.
    taking.feed(b"\x78\x9c" + b"\x00\x00\x00\xff\xff" * 10_000)
    with pytest.raises(BadEncoding, match="larger than 1000 bytes"):
        taking.feed(b"\x00\x00\x00\xff\xff" * 10_000)
