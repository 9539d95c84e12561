"""Who has been guessing: bad credentials by address, and what an address may still try."""

import asyncio
import logging
import math
from collections import deque
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from functools import lru_cache
from ipaddress import IPv6Address, ip_address

from limits import RateLimitItemPerMinute
from limits.storage import MemoryStorage
from limits.strategies import MovingWindowRateLimiter

from tornado_cc.core import clock
from tornado_cc.core.errors import Reason, Refusal

_log = logging.getLogger("tornado_cc.flows")

MINUTE = 60.0
# The storage's own thread looks at all of them after each failure, 1.6 us each. Who has more than
# these has more guesses than a limit by address could take away.
_ADDRESSES = 2_000
_PATIENCE = 10.0


@dataclass(slots=True)
class _Noted:
    """When an address last failed, and when the log last said that it is blocked."""

    at: float
    told: float = -math.inf


class Attempts:
    """Counts bad credentials by address, in memory.

    The minute is told by two clocks. `limits` counts by the wall clock; an address is forgotten
    here a minute after its last failure by the clock that never jumps, so that a wall clock set
    back by an hour blocks nobody for that hour.
    """

    def __init__(self, per_minute: int) -> None:
        self._limit = RateLimitItemPerMinute(per_minute)
        self._storage = MemoryStorage()
        self._limiter = MovingWindowRateLimiter(self._storage)
        # In the order of their last failures. The storage never forgets a key by itself.
        self._noted: dict[str, _Noted] = {}
        self._running: dict[str, int] = {}
        self._waiting: dict[str, deque[asyncio.Future[None]]] = {}

    def retry_after(self, remote: str) -> int | None:
        """Seconds until this address may try again; None when it may now."""
        # The way of nearly every request: nobody, or not this one, has failed.
        if not self._noted or (key := key_of(remote)) not in self._noted:
            return None
        return None if self._left(key) else self._seconds(key)

    def refusal(self, remote: str) -> Refusal | None:
        """What a blocked address is told, whatever it sends; None when it may try."""
        seconds = self.retry_after(remote)
        return None if seconds is None else _too_many(seconds)

    def note(self, remote: str) -> None:
        """Count one bad credential.

        Raises:
            Refusal: others were counted meanwhile and this one was one too many. The answer must
                not say that the credential was bad.
        """
        now, key = clock.monotonic(), key_of(remote)
        self._forget(now)
        if not self._limiter.hit(self._limit, key):
            raise _too_many(self._seconds(key))
        noted = self._noted.pop(key, None) or _Noted(now)
        noted.at = now
        self._noted[key] = noted
        if not self._left(key) and now - noted.told >= MINUTE:
            noted.told = now
            _log.warning("address blocked after bad credentials", extra={"remote": remote})

    @asynccontextmanager
    async def trying(self, remote: str) -> AsyncIterator[None]:
        """Around looking up a credential, which takes time; `note` belongs inside.

        What runs counts as used until it ends, or a thousand guesses sent at once would all be
        looked up before the first is counted. One too many waits: it may be a good one.

        Raises:
            Refusal: the address is blocked, or the lookups before this one take too long.
        """
        key = key_of(remote)
        if not self._take(key):
            await self._turn(key)
        try:
            yield
        finally:
            self._running[key] -= 1
            if not self._running[key]:
                del self._running[key]
            self._wake(key)

    def _take(self, key: str) -> bool:
        """Take a place, if what runs and what has failed leave one."""
        left, running = self._left(key), self._running.get(key, 0)
        if not left:
            # Nothing may be running any more that would wake the others.
            self._wake(key)
            raise _too_many(self._seconds(key))
        if running >= left:
            return False
        self._running[key] = running + 1
        if running + 1 < left:
            # Failures of a minute ago may have left more room than the one that woke this saw.
            self._wake(key)
        return True

    async def _turn(self, key: str) -> None:
        """Wait until there is a place, and take it."""
        try:
            async with asyncio.timeout(_PATIENCE):
                while not self._take(key):
                    await self._wait(key)
        except TimeoutError:
            raise Refusal(
                "The server is busy, please try again", reason=Reason.UNAVAILABLE, retry_after=5
            ) from None

    async def _wait(self, key: str) -> None:
        waiter = asyncio.get_running_loop().create_future()
        waiting = self._waiting.setdefault(key, deque())
        waiting.append(waiter)
        try:
            await waiter
        except asyncio.CancelledError:
            if waiter.done() and not waiter.cancelled():
                # Woken and given up at once: the room is the next one's.
                self._wake(key)
            elif waiter in waiting:
                waiting.remove(waiter)
            raise

    def _wake(self, key: str) -> None:
        """Wake the one that has waited longest."""
        waiting = self._waiting.get(key)
        while waiting:
            waiter = waiting.popleft()
            if not waiter.done():
                waiter.set_result(None)
                break
        if not waiting:
            self._waiting.pop(key, None)

    def _left(self, key: str) -> int:
        """How many bad credentials the address has left."""
        noted = self._noted.get(key)
        if noted is not None and clock.monotonic() - noted.at >= MINUTE:
            self._drop(key)
            noted = None
        if noted is None:
            return self._limit.amount
        return self._limiter.get_window_stats(self._limit, key).remaining

    def _seconds(self, key: str) -> int:
        free = self._limiter.get_window_stats(self._limit, key).reset_time
        by_wall = free - clock.utc_now().timestamp()
        by_ours = self._noted[key].at + MINUTE - clock.monotonic()
        return max(1, math.ceil(min(by_wall, by_ours)))

    def _forget(self, now: float) -> None:
        """Drop who has not failed for a minute, and the oldest of more than can be remembered."""
        while self._noted:
            key, noted = next(iter(self._noted.items()))
            if len(self._noted) < _ADDRESSES and now - noted.at < MINUTE:
                return
            self._drop(key)

    def _drop(self, key: str) -> None:
        del self._noted[key]
        whole = self._limit.key_for(key)
        # The storage's own thread may be looking at this key.
        with self._storage.locks[whole]:
            self._storage.clear(whole)


@lru_cache(maxsize=4096)
def key_of(remote: str) -> str:
    """Who counts as one: an IPv4 address, an IPv6 network of 64 bits, and all that are neither."""
    try:
        address = ip_address(remote)
    except ValueError:
        return "unknown"
    if isinstance(address, IPv6Address):
        if address.ipv4_mapped is not None:
            return str(address.ipv4_mapped)
        return f"{int(address) >> 64:x}/64"
    return str(address)


def _too_many(seconds: int) -> Refusal:
    return Refusal(
        f"Too many bad credentials from this address, try again in {seconds} s",
        reason=Reason.TOO_MANY,
        retry_after=seconds,
    )
