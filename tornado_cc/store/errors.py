"""How the store says no: each is a refusal, whose message a caller may read (spec parse: codes)."""

from tornado_cc.core.errors import Reason, Refusal


class StoreError(Refusal):
    """The store did not do what it was asked to; nothing has changed.

    `code` is Parse's, and of no other dialect: those go by `reason`.
    """

    default_code = 1
    default_reason = Reason.FAILED

    def __init__(self, message: str, *, log: str = "") -> None:
        super().__init__(message, code=self.default_code, log=log, reason=self.default_reason)


class ObjectNotFound(StoreError):
    """No object has this id, or the one that has does not fit the condition."""

    default_code = 101
    default_reason = Reason.NO_OBJECT


class InvalidQuery(StoreError):
    """The query cannot be understood."""

    default_code = 102
    default_reason = Reason.INVALID


class InvalidName(StoreError):
    """A class or a field cannot have this name."""

    default_code = 105
    default_reason = Reason.INVALID


class InvalidValue(StoreError):
    """The value cannot be stored."""

    default_code = 107
    default_reason = Reason.INVALID


class IncorrectType(StoreError):
    """An operation does not fit the value that the field has."""

    default_code = 111
    default_reason = Reason.INVALID


class DuplicateValue(StoreError):
    """Something else has this name or id already."""

    default_code = 137
    default_reason = Reason.TAKEN


class BadCredentials(StoreError):
    """No user has this name and this password; which of the two is wrong is not told."""

    default_code = 101
    default_reason = Reason.BAD_LOGIN


class UserDisabled(StoreError):
    """The user is kept out (spec skygear, section 2)."""

    default_code = 127
    default_reason = Reason.DISABLED

    def __init__(self, message: str | None, until: str | None) -> None:
        super().__init__("user is disabled")
        facts = {"expiry": until, "message": message}
        self.info = {name: value for name, value in facts.items() if value is not None}


class TooDeep(StoreError):
    """Hooks store objects whose hooks store objects, without an end."""

    default_code = 141


class StoreUnavailable(StoreError):
    """The database cannot be reached or did not answer in time.

    Of a change it is not known whether it was made when `maybe_done` is true.
    """

    default_reason = Reason.UNAVAILABLE

    def __init__(self, *, log: str = "", maybe_done: bool = False, retry_after: int = 5) -> None:
        super().__init__("The database is not available, please try again", log=log)
        self.maybe_done = maybe_done
        self.retry_after = retry_after
