"""How the signature of a request was judged: the journal keeps it, `requests explain` tells it."""

from enum import StrEnum


class Verdict(StrEnum):
    """The verdicts on a signed request; all but the first two refuse it."""

    ACCEPTED = "accepted"
    PREVIOUS = "accepted with the previous secret"
    MISSING = "header missing"
    MALFORMED = "header malformed"
    OTHER_SCHEME = "another provider's"
    CLOCK = "clock off"
    BODY = "body re-encoded"
    KEY = "secret read differently"
    OTHER_SOURCE = "secret of another source"
    WRONG = "wrong secret"
