"""How a call ends badly: what the caller sees and what the log sees are two fields."""

import secrets
from collections.abc import Mapping
from enum import Enum
from types import MappingProxyType
from typing import Any


class Reason(Enum):
    """Why a call was refused; each dialect spells it its own way."""

    REFUSED = "refused"
    UNAUTHORIZED = "unauthorized"
    NO_CREDENTIALS = "no credentials"
    BAD_TOKEN = "bad token"  # noqa: S105 - the name of a reason
    NO_USER = "no user"
    DISABLED = "user disabled"
    UNVERIFIED = "user not verified"
    PASSWORD_EXPIRED = "password expired"  # noqa: S105 - the name of a reason
    TOO_MANY = "too many bad credentials"
    NOT_FOUND = "not found"
    METHOD = "method not allowed"
    MALFORMED = "malformed"
    TOO_LARGE = "too large"
    TOO_SLOW = "too slow"
    HEADERS_TOO_LARGE = "headers too large"
    FAILED = "failed"
    UNAVAILABLE = "unavailable"
    NO_OBJECT = "no such object"
    TAKEN = "taken"
    INVALID = "invalid"
    BAD_LOGIN = "bad login"
    IN_PROGRESS = "in progress"
    ANSWERED = "answered before"
    BAD_SIGNATURE = "bad signature"


_LONGEST = 4096
"""Characters of a message; a caller reads a sentence, not a dump."""


class Refusal(Exception):
    """The answer is no, and the caller may read why. Raised by plugins and by the rooms.

    Args:
        message: one sentence for the caller. An empty one becomes "Refused": a Parse Server takes
            an empty error for success (spec parse, section 2).
        code: a number for dialects that carry one.
        log: what only the log says about it.
        retry_after: seconds after which the same may succeed; answers carry it as `Retry-After`.
        info: further facts for dialects that carry some, JSON.
        verdict: how the request's signature was judged, for the journal; empty where nobody did.
    """

    # A subclass may forget super().__init__().
    message: str = "Refused"
    code: int | None = None
    log: str = ""
    reason: Reason = Reason.REFUSED
    retry_after: int | None = None
    info: Mapping[str, Any] = MappingProxyType({})
    verdict: str = ""

    def __init__(
        self,
        message: str = "",
        *,
        code: int | None = None,
        log: str = "",
        reason: Reason = Reason.REFUSED,
        retry_after: int | None = None,
        info: Mapping[str, Any] | None = None,
        verdict: str = "",
    ) -> None:
        if code is not None and type(code) is not int:
            raise TypeError(f"the code of a refusal is a number, not {code!r}")
        super().__init__(message)
        self.message = str(message).strip()[:_LONGEST] or "Refused"
        self.code = code
        self.log = log
        self.reason = reason
        self.retry_after = retry_after
        self.info = dict(info or {})
        self.verdict = verdict


class HookExit(BaseException):
    """Ends a plain hook from anywhere in it, as if it had returned None. Nothing has failed.

    No `Exception`, so that no `except Exception` of a plugin goes on regardless.
    """


class Failure(Refusal):
    """A plugin or the server failed: the caller sees an id, the log has the rest under that id.

    Attributes:
        error: the exception, when one was raised.
        timed_out: whether a deadline passed.
    """

    def __init__(
        self, log: str, *, error: BaseException | None = None, timed_out: bool = False
    ) -> None:
        self.error_id = secrets.token_hex(6)
        super().__init__(f"internal error (id {self.error_id})", log=log, reason=Reason.FAILED)
        self.error = error
        self.timed_out = timed_out

    @property
    def detail(self) -> str:
        """What went wrong, for a developer: never shown to callers in production."""
        return str(self.error) if self.error is not None else self.log
