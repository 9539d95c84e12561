"""Ids and tokens: what nobody can guess."""

import hashlib
import re
import secrets
import string

from tornado_cc.core.redact import TOKEN_PREFIX
from tornado_cc.store.errors import InvalidName

_LETTERS = string.ascii_letters + string.digits
# What stands in a callback's URL and in a log line as it is.
_USER_ID = re.compile(r"[A-Za-z0-9_.:@+-]{1,128}")

GOD = "_god"
"""Who calls with the master key and without a token (spec skygear, row 73): nobody's id."""


def new_id() -> str:
    """A new object's or user's id: ten letters and digits, as Parse makes them."""
    return "".join(secrets.choice(_LETTERS) for _ in range(10))


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
