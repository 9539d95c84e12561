"""Telling a service manager how far a server is, as sd_notify(3) has it."""

import asyncio
import contextlib
import socket
from collections.abc import MutableMapping

from tornado_cc.core import clock


class ServiceManager:
    """Whoever has started this process and wants to hear of it; nobody, mostly."""

    def __init__(self, environ: MutableMapping[str, str]) -> None:
        """Take the address out of the environment: a plugin's own processes are not the service."""
        address = environ.pop("NOTIFY_SOCKET", "")
        # A name that begins with @ is one of Linux's that are in no folder.
        self._address = f"\0{address[1:]}" if address.startswith("@") else address
        limit = environ.pop("WATCHDOG_USEC", "")
        self._every = int(limit) / 2_000_000 if limit.isdigit() else 0.0
        self._timer: asyncio.TimerHandle | None = None

    def ready(self) -> None:
        """It serves. From now on, where that is asked for, show that the loop turns."""
        self._tell("READY=1")
        if self._every and self._timer is None:
            self._show_life()

    def reloading(self) -> None:
        """It takes up new settings; `ready` follows, whatever comes of it."""
        self._tell(f"RELOADING=1\nMONOTONIC_USEC={int(clock.monotonic() * 1_000_000)}")

    def stopping(self) -> None:
        """It drains, and ends."""
        self._tell("STOPPING=1")

    def _show_life(self) -> None:
        self._tell("WATCHDOG=1")
        self._timer = asyncio.get_running_loop().call_later(self._every, self._show_life)

    def _tell(self, text: str) -> None:
        if not self._address:
            return
        # To serve is what matters, even where nobody hears of it.
        with contextlib.suppress(OSError), socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as one:
            one.setblocking(False)
            one.sendto(text.encode(), self._address)
