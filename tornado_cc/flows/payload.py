"""What a plugin hands over to be run or sent later: JSON of a bounded size, without a secret."""

from typing import Any

from tornado_cc.core import json_value
from tornado_cc.core.redact import Redactor

LARGEST = 1 << 20
"""Bytes of JSON."""


def checked(problem: str, payload: object, redactor: Redactor) -> Any:
    """A copy of a payload. One that silently got a mask would do the wrong thing.

    Args:
        problem: how the message of an error begins, as in `job remind cannot be put off`.

    Raises:
        ValueError: it is not JSON, too large, or holds what the database must not have.
    """
    try:
        value = json_value.checked(payload)
    except json_value.NotJson as error:
        raise ValueError(f"{problem}: its payload: {error}") from None
    text = json_value.dump(value)
    if len(text) > LARGEST:
        raise ValueError(f"{problem}: its payload is larger than 1 MiB")
    if redactor.kept_json(value) != text:
        raise ValueError(
            f"{problem}: its payload holds a secret, which the database must not have;"
            " give it what the secret can be found by"
        )
    return value
