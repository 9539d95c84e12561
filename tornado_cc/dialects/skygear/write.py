"""What an endpoint returned, and how it went wrong, as HTTP (spec skygear, sections 4 and 5)."""

import json
import re
import traceback
from collections.abc import Callable
from contextlib import closing
from typing import Any

import werkzeug

from tornado_cc.core import header, json_value
from tornado_cc.core.errors import Failure, Reason, Refusal
from tornado_cc.core.json_value import NotJson
from tornado_cc.core.message import Response
from tornado_cc.dialects.skygear.errors import UNEXPECTED, SkygearException, body, status_of

TEXT = (("Content-Type", "text/plain; charset=utf-8"),)
HOME = b'{"result":{"status":"OK"}}\n'

# Reason: code, message (None keeps the refusal's own), status (None is the code's).
_SPELT: dict[Reason, tuple[int, str | None, int | None]] = {
    Reason.REFUSED: (102, None, None),
    Reason.NO_CREDENTIALS: (101, "Both api key and access token are empty", None),
    Reason.NO_USER: (101, "Authentication is required for this action, please login.", None),
    Reason.UNAUTHORIZED: (103, None, None),
    Reason.TOO_MANY: (101, None, 429),
    Reason.DISABLED: (127, "user is disabled", None),
    Reason.UNVERIFIED: (128, "User is not yet verified", None),
    # 126 was the policy's code too, with a status that would blame the server.
    Reason.PASSWORD_EXPIRED: (126, "password expired", 401),
    Reason.BAD_TOKEN: (104, "token does not exist or it has expired", None),
    Reason.UNAVAILABLE: (118, None, None),
    Reason.TOO_LARGE: (107, None, 413),
    Reason.TOO_SLOW: (107, None, 408),
    Reason.HEADERS_TOO_LARGE: (107, None, 431),
    Reason.MALFORMED: (107, None, None),
    # Parse's codes, which what a store refuses carries, mean something else here.
    Reason.NO_OBJECT: (110, None, None),
    Reason.TAKEN: (109, None, None),
    Reason.INVALID: (108, None, None),
    Reason.BAD_LOGIN: (105, None, None),
    Reason.NOT_FOUND: (117, "route unmatched", None),
    Reason.IN_PROGRESS: (109, None, None),
    Reason.ANSWERED: (109, None, None),
}
_TIMED_OUT = (122, "Service taking too long to respond.")


def returned(value: object) -> Response:
    """The response a handler's return value stands for.

    Raises:
        NotJson: a value that is neither text, JSON nor a response.
        BadHeader: a response with a header that would break it.
    """
    if isinstance(value, werkzeug.Response):
        return _from_werkzeug(value)
    if isinstance(value, str):
        return Response(200, value.encode("utf-8", "replace"), TEXT)
    try:
        # The original's json.dumps, with its separators and its NaN: clients may compare bytes.
        return Response(200, json.dumps(value).encode())
    except (TypeError, ValueError, RecursionError) as error:
        raise NotJson(re.sub(r"of type (\w+) is", r"of type '\1' is", str(error))) from error


def _from_werkzeug(value: werkzeug.Response) -> Response:
    with closing(value):
        data = b"".join(value.iter_encoded())
    # The length is counted afresh: the server frames its own answers.
    lines = tuple(pair for pair in value.headers if pair[0].lower() != "content-length")
    for name, text in lines:
        header.check(name, text)
    if not 200 <= value.status_code <= 599:
        raise NotJson(f"{value.status_code} is not the status of a final response")
    return Response(value.status_code, data, lines)


Clean = Callable[[str], str]


def refused(refusal: Refusal, clean: Clean | None, *, with_traceback: bool) -> Response:
    """The error envelope of a refusal.

    Args:
        refusal: how the call ended.
        clean: takes the secrets out of a text; None in production, where no exception is shown.
        with_traceback: whether what is shown includes the traceback.
    """
    if isinstance(refusal, SkygearException):
        code = UNEXPECTED if refusal.code is None else refusal.code
        return error(code, refusal.message, refusal.info)
    if isinstance(refusal, Failure):
        return _failed(refusal, clean, with_traceback=with_traceback)
    code, message, status = _SPELT.get(refusal.reason, (UNEXPECTED, None, None))
    if refusal.code is not None and refusal.reason is Reason.REFUSED:
        code = refusal.code
    return error(code, message or refusal.message, refusal.info, status=status)


def _failed(failure: Failure, clean: Clean | None, *, with_traceback: bool) -> Response:
    if failure.timed_out:
        return error(*_TIMED_OUT)
    if clean is None:
        return error(UNEXPECTED, failure.message)
    info = None
    if with_traceback and failure.error is not None:
        info = {"trace": clean("".join(traceback.format_exception(failure.error)))}
    return error(UNEXPECTED, clean(failure.detail), info)


def error(code: int, message: str, info: Any = None, *, status: int | None = None) -> Response:
    """An error as the original's server spelt it."""
    text = json_value.dump(json_value.checked(body(code, message, info))) + b"\n"
    return Response(status or status_of(code), text)


def unmatched() -> Response:
    """The answer to a path or method nobody serves."""
    return error(117, "route unmatched")


def home() -> Response:
    """The original's answer to any path it did not know."""
    return Response(200, HOME)
