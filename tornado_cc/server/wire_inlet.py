"""What has come in on a connection and is not read yet."""

import asyncio

_MOST = 64 << 10
"""Bytes that a sender may be ahead; with more it has to wait."""


class Inlet:
    """Takes what one caller sends.

    Attributes:
        data: what has come.
        start: how much of it is read; who reads moves it.
    """

    __slots__ = ("_dropped", "_is_held", "_transport", "data", "start")

    def __init__(self, transport: asyncio.Transport) -> None:
        self._transport = transport
        self._is_held = False
        self._dropped = 0
        self.data = b""
        self.start = 0

    @property
    def waiting(self) -> int:
        """Bytes that are not read."""
        return len(self.data) - self.start

    def take(self, data: bytes) -> None:
        """More has come."""
        self.data = self.data[self.start :] + data
        self.start = 0

    def throttle(self) -> None:
        """Make a caller wait that is far ahead, and one go on that is not any more."""
        if (self.waiting > _MOST) is self._is_held:
            return
        self._is_held = not self._is_held
        if self._is_held:
            self._transport.pause_reading()
        else:
            self._transport.resume_reading()

    def forget(self) -> None:
        """Let go of what is not read: nobody will read it."""
        self.data = b""
        self.start = 0

    def drop(self, data: bytes) -> int:
        """Let go of more that has come; how many bytes that makes."""
        self._dropped += len(data)
        return self._dropped
