"""What a third party compressed, inflated within a limit and to its very end."""

import zlib
from typing import Protocol

ACCEPTED = "gzip, deflate"
"""The encodings asked for."""

_GZIP = 16 + zlib.MAX_WBITS
# What packing may add to a body that cannot be packed. Without a limit of its own a stream of empty
# blocks would go on for ever, and unpack to nothing.
_OVERHEAD = 64 << 10
# Each takes some 10 us of the loop, and may unpack to nothing. Who writes blocks of 64 KiB needs
# a sixth of these for the default limit.
_STREAMS = 1000


class BadEncoding(ValueError):
    """A body that is larger than allowed, cut off, or encoded otherwise than asked for."""


class Decoder(Protocol):
    """Takes the pieces of a body as they come."""

    def feed(self, data: bytes) -> None:
        """Take a piece. Raises `BadEncoding`."""
        ...

    def end(self) -> bytes:
        """The whole body. Raises `BadEncoding` when something is missing."""
        ...


def decoder(encoding: str, limit: int) -> Decoder:
    """The decoder of a Content-Encoding. Raises `BadEncoding` for one that was not asked for."""
    name = encoding.strip().lower()
    if name in ("", "identity"):
        return _Plain(limit)
    if name in ("gzip", "x-gzip", "deflate"):
        return _Inflating(name == "deflate", limit)
    raise BadEncoding("the body is encoded in a way that was not asked for")


class _Plain:
    def __init__(self, limit: int) -> None:
        self._limit = limit
        self._body = bytearray()

    def feed(self, data: bytes) -> None:
        self._body += data
        if len(self._body) > self._limit:
            raise BadEncoding(f"the body is larger than {self._limit} bytes")

    def end(self) -> bytes:
        return bytes(self._body)


class _Inflating(_Plain):
    def __init__(self, deflate: bool, limit: int) -> None:
        super().__init__(limit)
        self._deflate = deflate
        self._inflater: zlib._Decompress | None = None
        self._taken = 0
        self._streams = 0

    def feed(self, data: bytes) -> None:
        self._taken += len(data)
        if self._taken > self._limit + _OVERHEAD:
            raise BadEncoding(f"the compressed body is larger than {self._limit} bytes")
        while data:
            if self._inflater is None:
                self._streams += 1
                if self._streams > _STREAMS:
                    raise BadEncoding(f"the body is made of more than {_STREAMS} streams")
                self._inflater = zlib.decompressobj(self._window(data))
            try:
                # One byte more than allowed tells a bomb from a body that just fits.
                piece = self._inflater.decompress(data, self._limit - len(self._body) + 1)
            except zlib.error:
                raise BadEncoding("the body is not what its encoding says") from None
            super().feed(piece)
            data = self._inflater.unconsumed_tail or self._inflater.unused_data
            if self._inflater.eof and data:
                # gzip allows several streams, one after another.
                self._inflater = None

    def end(self) -> bytes:
        if self._inflater is not None and not self._inflater.eof:
            raise BadEncoding("the compressed body ends before its end")
        return super().end()

    def _window(self, data: bytes) -> int:
        if not self._deflate:
            return _GZIP
        # "deflate" means a zlib stream, and many senders leave its header out.
        return zlib.MAX_WBITS if data[0] & 0x0F == 8 else -zlib.MAX_WBITS
