"""A request as a plugin asks for it, turned into what goes on the wire (spec parse, section 5)."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import parse_qsl, quote, urlsplit, urlunsplit

from tornado_cc.core import header, json_value
from tornado_cc.outbound.address import check_url
from tornado_cc.outbound.errors import RequestError
from tornado_cc.outbound.response import FORM

JSON = "application/json"
# A tunnel has no path and no answer.
_NO_METHODS = frozenset({"", "CONNECT"})


@dataclass(frozen=True, slots=True)
class Prepared:
    """A checked request: every part is what will be sent."""

    method: str
    url: str
    headers: tuple[tuple[str, str], ...] = field(repr=False)
    body: bytes | None = field(repr=False)


def prepare(
    url: object,
    method: str = "GET",
    params: Mapping[str, Any] | str | None = None,
    headers: Mapping[str, Any] | None = None,
    body: object = None,
) -> Prepared:
    """Check and encode a request.

    Raises:
        RequestError: nothing that could be sent; the message says what is wrong.
    """
    try:
        return _prepare(url, method, params, headers, body)
    except UnicodeEncodeError:
        # The library's own error holds the whole text, which may be a secret.
        problem = "it holds text that UTF-8 cannot carry"
    except (ValueError, TypeError) as error:
        problem = str(error)
    raise RequestError(problem, url)


def _prepare(url: object, method: str, params: Any, headers: Any, body: object) -> Prepared:
    address, credentials = check_url(url)
    lines = list(_lines({} if headers is None else headers))
    names = [name.lower() for name, _ in lines]
    if names.count("host") > 1:
        raise ValueError("a request has one Host")
    if credentials and "authorization" not in names:
        lines.append(("Authorization", f"Basic {credentials}"))
    given = next((value for name, value in lines if name.lower() == "content-type"), None)
    data, content_type = _encoded(body, given)
    if content_type and given is None:
        lines.append(("Content-Type", content_type))
    verb = method.upper() if isinstance(method, str) and method.isascii() else ""
    if verb in _NO_METHODS or not verb.isalpha():
        raise ValueError(f"{method!r} is not an HTTP method")
    return Prepared(verb, _with_params(address, params), tuple(lines), data)


def _with_params(url: str, params: Any) -> str:
    """The address with the parameters it does not have yet; spaces are `%20`."""
    if params is None:
        return url
    parts = urlsplit(url)
    own = {key for key, _ in _parsed(parts.query)}
    pairs = [pair for pair in _pairs(params) if pair[0] not in own]
    query = "&".join(filter(None, (parts.query, _form(pairs))))
    return urlunsplit((*parts[:3], query, ""))


def _pairs(params: Any) -> Iterator[tuple[str, str]]:
    if isinstance(params, str):
        yield from _parsed(params.removeprefix("?"))
        return
    if not isinstance(params, Mapping):
        raise TypeError(f"params is a {type(params).__name__}; give a mapping or a string")
    for key, value in params.items():
        for one in value if isinstance(value, list | tuple) else (value,):
            yield _text(key), _text(one)


def _parsed(query: str) -> list[tuple[str, str]]:
    """A query's pairs; bytes that are no UTF-8 survive as surrogates."""
    return parse_qsl(query, keep_blank_values=True, errors="surrogateescape")


def _text(value: object) -> str:
    """A parameter as text: what has no sensible spelling becomes empty, as in the original."""
    if value is None or isinstance(value, Mapping | list | tuple):
        return ""
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, bytes):
        return value.decode(errors="surrogateescape")
    return str(value)


def _form(pairs: Iterable[tuple[str, str]]) -> str:
    return "&".join(f"{_quoted(key)}={_quoted(value)}" for key, value in pairs)


def _quoted(text: str) -> str:
    return quote(text, safe="", errors="surrogateescape")


def _lines(headers: Any) -> Iterator[tuple[str, str]]:
    if not isinstance(headers, Mapping):
        raise TypeError(f"headers is a {type(headers).__name__}; give a mapping")
    for name, value in headers.items():
        for one in value if isinstance(value, list | tuple) else (value,):
            if not isinstance(name, str) or not isinstance(one, str | int | float):
                raise TypeError("a header's name is a string, its value a string or a number")
            text = _text(one)
            header.check(name, text)
            _check_ours(name.lower(), text)
            yield name, text


def _check_ours(name: str, value: str) -> None:
    """Raise for what an answer may carry and a request may not."""
    if name == "expect":
        raise ValueError("Expect is not a plugin's to set: the body would wait for an answer")
    if name == "host" and not value.strip():
        raise ValueError("an empty Host")


def _encoded(body: object, content_type: str | None) -> tuple[bytes | None, str | None]:
    """The body's bytes, and the content type they need unless the caller named one."""
    if body is None:
        return None, None
    if isinstance(body, bytes | bytearray | memoryview):
        return bytes(body), None
    if isinstance(body, str):
        return body.encode(), None
    kind = (content_type or FORM).split(";")[0].strip().lower()
    if kind == JSON:
        return json_value.dump(json_value.checked(body)), JSON
    if isinstance(body, Mapping) and kind == FORM:
        return _form(_pairs(body)).encode(), FORM
    if isinstance(body, Mapping | Sequence):
        raise TypeError(
            f"a {type(body).__name__} as body cannot be sent as {kind}; use {JSON}, or encode it"
        )
    raise TypeError(f"a {type(body).__name__} cannot be a body")
