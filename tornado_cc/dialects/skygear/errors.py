"""Skygear's errors: codes, names and statuses (spec skygear, section 5)."""

from collections.abc import Mapping
from typing import Any, Self

from tornado_cc.core.errors import Refusal

_NAMES = {
    101: ("NotAuthenticated", 401),
    102: ("PermissionDenied", 403),
    103: ("AccessKeyNotAccepted", 401),
    104: ("AccessTokenNotAccepted", 401),
    105: ("InvalidCredentials", 401),
    106: ("InvalidSignature", 401),
    107: ("BadRequest", 400),
    108: ("InvalidArgument", 400),
    109: ("Duplicated", 409),
    110: ("ResourceNotFound", 404),
    111: ("NotSupported", 501),
    112: ("NotImplemented", 501),
    113: ("ConstraintViolated", 409),
    114: ("IncompatibleSchema", 409),
    115: ("AtomicOperationFailure", 409),
    116: ("PartialOperationFailure", 200),
    117: ("UndefinedOperation", 404),
    118: ("PluginUnavailable", 503),
    119: ("PluginTimeout", 504),
    120: ("RecordQueryInvalid", 400),
    121: ("PluginInitializing", 500),
    122: ("ResponseTimeout", 503),
    123: ("DeniedArgument", 403),
    124: ("RecordQueryDenied", 403),
    125: ("NotConfigured", 503),
    126: ("PasswordPolicyViolated", 500),
    127: ("UserDisabled", 403),
    128: ("VerificationRequired", 403),
    129: ("AssetSizeTooLarge", 500),
    10000: ("UnexpectedError", 500),
    10001: ("UnexpectedUserInfoNotFound", 500),
    10002: ("UnexpectedUnableToOpenDatabase", 500),
    10003: ("UnexpectedPushNotificationNotConfigured", 500),
    10004: ("InternalQueryInvalid", 500),
    10005: ("UnexpectedUserNotFound", 500),
}
UNEXPECTED = 10000
NO_MESSAGE = "An unexpected error has occurred in the plugin."


class SkygearException(Refusal):
    """An error an endpoint answers with: its message and code always reach the caller.

    Args:
        message: for the caller.
        code: see the table of codes in docs/skygear.md; it decides the status.
        info: further facts, JSON.
    """

    def __init__(
        self, message: str, code: int = UNEXPECTED, info: Mapping[str, Any] | None = None
    ) -> None:
        super().__init__(message, code=code)
        # Kept whole, unlike a Refusal's: an empty one has its own spelling.
        self.message = str(message)
        self.info = dict(info or {})

    def as_dict(self) -> dict[str, Any]:
        """Message, code and info, as the original's wire format has them."""
        return {"message": self.message, "code": self.code, "info": self.info}

    @classmethod
    def from_dict(cls, values: Mapping[str, Any]) -> Self:
        """The exception `as_dict` describes."""
        return cls(values["message"], values.get("code", UNEXPECTED), values.get("info"))

    def readable_message(self) -> str:
        """What a person may be shown."""
        return self.message


def name_of(code: int) -> str:
    """The name of a code; unknown codes are named after their number."""
    return _NAMES[code][0] if code in _NAMES else f"ErrorCode({code})"


def status_of(code: int) -> int:
    """The HTTP status a code is answered with."""
    return _NAMES[code][1] if code in _NAMES else 500


def body(code: int, message: str, info: Mapping[str, Any] | None = None) -> dict[str, Any]:
    """The envelope of an error. Code 0 keeps its name and becomes 10000, as in the original."""
    error: dict[str, Any] = {
        "name": name_of(code),
        "code": code or UNEXPECTED,
        "message": message or NO_MESSAGE,
    }
    if info:
        error["info"] = dict(info)
    return {"error": error}
