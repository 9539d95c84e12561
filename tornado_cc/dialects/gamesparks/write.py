"""How script data becomes an answer (spec gamesparks, rows 45-74)."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from werkzeug.http import parse_options_header

from tornado_cc.core import header, json_value
from tornado_cc.core.call import CallbackCall
from tornado_cc.core.errors import Failure, Reason, Refusal
from tornado_cc.core.json_value import NotJson
from tornado_cc.core.message import JSON, Response
from tornado_cc.dialects.gamesparks.read import charset

RAW = "RESPONSE_RAW"
HEADERS = "RESPONSE_HEADERS"
STATUS = "RESPONSE_STATUS"
RESERVED = frozenset({RAW, HEADERS, STATUS})
LONG_RUNNING = "longRunningScriptError"
"""What GameSparks called a script that takes too long."""

_IN_SCRIPT = (
    Reason.REFUSED,
    Reason.NO_OBJECT,
    Reason.TAKEN,
    Reason.INVALID,
    Reason.BAD_LOGIN,
)
"""What a script is to blame for."""

_STATUS_OF = {
    Reason.UNAUTHORIZED: 403,
    Reason.DISABLED: 403,
    Reason.UNVERIFIED: 403,
    Reason.PASSWORD_EXPIRED: 401,
    Reason.TOO_MANY: 429,
    Reason.NOT_FOUND: 404,
    Reason.METHOD: 405,
    Reason.MALFORMED: 400,
    Reason.TOO_LARGE: 413,
    Reason.TOO_SLOW: 408,
    Reason.HEADERS_TOO_LARGE: 431,
    Reason.IN_PROGRESS: 409,
    Reason.ANSWERED: 409,
    Reason.UNAVAILABLE: 503,
    **dict.fromkeys(_IN_SCRIPT, 400),
}


@dataclass(frozen=True, slots=True)
class ContentType:
    """A content type and the charset its text is encoded with."""

    value: str
    charset: str = "utf-8"


def check(script_data: Mapping[str, Any]) -> None:
    """Raise for reserved keys that no answer can be made of.

    Raises:
        NotJson: headers that are no mapping of texts, or a status that is none.
        BadHeader: a header that would break the answer.
    """
    for name, value in _headers(script_data):
        header.check(name, value)
    status = script_data.get(STATUS)
    if status is not None and not (type(status) is int and 200 <= status <= 599):
        raise NotJson(f"{STATUS} is {status!r}; give a number from 200 to 599")


def response(call: CallbackCall, script_data: Mapping[str, Any]) -> Response:
    """The answer that checked script data describes."""
    given = list(_headers(script_data))
    raw = script_data.get(RAW)
    content_type = _content_type(call, given, is_raw=raw is not None)
    text = _text(raw, script_data)
    lines = [pair for pair in given if pair[0].lower() != "content-type"]
    return Response(
        script_data.get(STATUS) or 200,
        text.encode(content_type.charset, "replace"),
        (("Content-Type", content_type.value), *lines),
    )


def refused(refusal: Refusal, detail: str = "") -> Response:
    """The answer to a refusal: a plugin's words, or a failure's id.

    Args:
        refusal: why there is no other answer.
        detail: what went wrong, for a developer; never given in production.
    """
    status = _STATUS_OF.get(refusal.reason, 500)
    lines: tuple[tuple[str, str], ...] = JSON
    if status == 405:
        lines += (("Allow", "GET, POST"),)
    if refusal.reason not in (*_IN_SCRIPT, Reason.FAILED):
        return Response(status, json_value.dump({"error": refusal.message}), lines)
    message = f"{refusal.message}: {detail}" if detail else refusal.message
    if isinstance(refusal, Failure) and refusal.timed_out:
        message = f"{LONG_RUNNING}: {message}"
    return Response(status, json_value.dump({"error": {"script": message}}), lines)


def _text(raw: Any, script_data: Mapping[str, Any]) -> str:
    if isinstance(raw, str):
        return raw
    if raw is not None:
        return json_value.dump(raw).decode()
    body = {key: value for key, value in script_data.items() if key not in RESERVED}
    return json_value.dump(body).decode()


def _headers(script_data: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    headers = script_data.get(HEADERS)
    if headers is None:
        return
    if not isinstance(headers, Mapping):
        raise NotJson(f"{HEADERS} is a {type(headers).__name__}; give a mapping")
    for name, value in headers.items():
        for one in value if isinstance(value, list) else [value]:
            if isinstance(one, Mapping | list):
                raise NotJson(f"{HEADERS}[{name!r}] is a {type(one).__name__}; give text")
            yield name, _spelt(one)


def _spelt(value: Any) -> str:
    """A header's value as a script would write it."""
    if isinstance(value, str):
        return value
    return json_value.dump(value).decode()


def _content_type(call: CallbackCall, given: list[tuple[str, str]], *, is_raw: bool) -> ContentType:
    """A header of the script, else the request's `contentType` and `characterEncoding`."""
    own = next((value for name, value in given if name.lower() == "content-type"), None)
    asked = _parameter(call, "contentType")
    whole = own if own is not None else asked
    _, options = parse_options_header(whole)
    if whole is not None and (own is not None or "charset" in options):
        return ContentType(whole, charset(options.get("charset")) or "utf-8")
    encoding = charset(_parameter(call, "characterEncoding"))
    if asked is None and encoding is None and not is_raw:
        return ContentType("application/json")
    kind = asked or ("text/plain" if is_raw else "application/json")
    if encoding is None:
        return ContentType(f"{kind};charset=UTF-8")
    return ContentType(f"{kind};charset={_parameter(call, 'characterEncoding')}", encoding)


def _parameter(call: CallbackCall, name: str) -> str | None:
    """A parameter of the caller that goes into a header, unless it would break that header."""
    value = call.data.get(name)
    if not isinstance(value, str) or not value:
        return None
    try:
        header.check("Content-Type", value)
    except header.BadHeader:
        return None
    return value
