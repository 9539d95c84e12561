"""Passwords: argon2id, in a pool of its own, so that a hash holds up nobody else."""

import asyncio
import contextlib
from concurrent.futures import ThreadPoolExecutor

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError

from tornado_cc.store.errors import InvalidValue

_THREADS = 2
_LONGEST = 1024


class Passwords:
    """Hashes and verifies passwords; each takes some 20 ms and 19 MiB."""

    def __init__(self) -> None:
        self._hasher = PasswordHasher(time_cost=2, memory_cost=19 * 1024, parallelism=1)
        self._pool = ThreadPoolExecutor(_THREADS, thread_name_prefix="tornado_cc-passwords")
        self._dummy: str | None = None

    async def hash(self, password: str) -> str:
        """The hash to store.

        Raises:
            InvalidValue: not a text, an empty one or one of more than 1,024 characters.
        """
        if not isinstance(password, str) or not 0 < len(password) <= _LONGEST:
            raise InvalidValue(f"A password has 1 to {_LONGEST} characters")
        loop = asyncio.get_running_loop()
        return await loop.run_in_executor(self._pool, self._hasher.hash, _bytes(password))

    async def verify(self, password_hash: str | None, password: str) -> bool:
        """Whether it is the password. Without a hash it takes as long, and is not."""
        loop = asyncio.get_running_loop()
        return await loop.run_in_executor(self._pool, self._verify, password_hash, password)

    def close(self) -> None:
        """End the threads."""
        self._pool.shutdown(wait=False, cancel_futures=True)

    def _verify(self, password_hash: str | None, password: str) -> bool:
        if self._dummy is None:
            self._dummy = self._hasher.hash(b"nobody's password")
        # One that cannot be a password is compared with nobody's: its length tells nothing.
        possible = isinstance(password, str) and len(password) <= _LONGEST
        known = password_hash is not None and possible
        with contextlib.suppress(VerificationError, InvalidHashError):
            self._hasher.verify(
                password_hash if known and password_hash else self._dummy,
                _bytes(password) if possible else b"",
            )
            return known
        return False


def _bytes(password: str) -> bytes:
    return password.encode("utf-8", "surrogatepass")
