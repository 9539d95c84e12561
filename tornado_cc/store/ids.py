"""Ids and tokens: what nobody can guess."""

import hashlib
import re
import secrets
import string
import threading

from tornado_cc.core import clock
from tornado_cc.core.redact import TOKEN_PREFIX
from tornado_cc.store.errors import InvalidName

_CROCKFORD = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"
_ULID = re.compile(f"[0-7][{_CROCKFORD}]{{25}}")
_LETTERS = string.ascii_letters + string.digits
# What stands in a callback's URL and in a log line as it is.
_USER_ID = re.compile(r"[A-Za-z0-9_.:@+-]{1,128}")
_lock = threading.Lock()
_last = 0

GOD = "_god"
"""Who calls with the master key and without a token (spec skygear, row 73): nobody's id."""


def new_id() -> str:
    """A new object's or user's id: ten letters and digits, as Parse makes them."""
    return "".join(secrets.choice(_LETTERS) for _ in range(10))


def new_ulid() -> str:
    """A ULID: 26 digits and letters. Those of one process sort in the order they were made in."""
    global _last
    fresh = _milliseconds(clock.utc_now().timestamp()) << 80 | secrets.randbits(80)
    with _lock:
        # Of the same millisecond, or when the clock was set back, it is the one after the last.
        _last = fresh if fresh > _last else _last + 1
        return _spelt(_last)


def ulid_of(seconds: float) -> str:
    """The first ULID of a moment in seconds since 1970."""
    return _spelt(_milliseconds(seconds) << 80)


def _milliseconds(seconds: float) -> int:
    return int(seconds * 1000)


def _spelt(number: int) -> str:
    return "".join(_CROCKFORD[number >> 5 * place & 31] for place in reversed(range(26)))


def moment_of(ulid: str) -> int | None:
    """The millisecond since 1970 that a ULID was made in; None for a text that is none."""
    if _ULID.fullmatch(ulid) is None:
        return None
    number = 0
    for one in ulid:
        number = number << 5 | _CROCKFORD.index(one)
    return number >> 80


def is_user_id(text: object) -> bool:
    """Whether a user can have it for an id: a caller may ask for anything, NUL included."""
    return isinstance(text, str) and text != GOD and _USER_ID.fullmatch(text) is not None


def check_user_id(user_id: str) -> str:
    """The id itself.

    Raises:
        InvalidName: it cannot be one.
    """
    if not is_user_id(user_id):
        raise InvalidName(
            f"A user's id is made of 1 to 128 letters, digits and _ . : @ + -, and is not {GOD}"
        )
    return user_id


def new_token() -> str:
    """A new access token: 32 random bytes, behind what the redactor knows it by."""
    return TOKEN_PREFIX + secrets.token_urlsafe(32)


def hashed(token: str) -> bytes:
    """What is stored of a token. A fast hash does: nobody guesses 32 random bytes."""
    return hashlib.sha256(token.encode("utf-8", "surrogatepass")).digest()
