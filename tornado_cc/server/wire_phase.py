"""What one connection is at."""

from enum import IntEnum


class Phase(IntEnum):
    """What a connection is at; up to `BODY` it reads."""

    IDLE = 0
    """Nothing of a request has come."""
    HEAD = 1
    """A part of its head has."""
    BODY = 2
    """Its head has, and not all of its body."""
    ANSWER = 3
    """It is complete, and not answered."""
    FLUSH = 4
    """It is answered, and the caller has not taken all of the answer."""
    LINGER = 5
    """The last answer is written, and what still comes is dropped."""


IDLE, HEAD, BODY, ANSWER, FLUSH, LINGER = Phase
"""The same by themselves: to look one up in its class takes as long as to call a function."""
