"""The way to a Parse Server's REST API: one request in somebody's name, and what it answered.

Writes are sent as POST with the method in the body, as Parse's own clients send them: the library
below sends a PUT or DELETE once more when a kept connection turns out to be closed, and then an
`Increment` would count twice.
"""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote, urlencode

from tornado_cc.core import json_value
from tornado_cc.core.ports import Http
from tornado_cc.core.secret import Secret
from tornado_cc.outbound.errors import (
    HttpError,
    OutboundError,
    ParseError,
    ParseInvalidSession,
    ParseObjectNotFound,
    RequestError,
    ResponseError,
)
from tornado_cc.outbound.response import HttpResponse
from tornado_cc.settings import ParseServerSettings

NO_SERVER = "there is no Parse Server to talk to; [parse_server] url of the conf names one"
NO_MASTER_KEY = "the conf has no [parse_server] master_key"

OBJECT_NOT_FOUND = 101
INVALID_SESSION = 209
OTHER_CAUSE = -1

_ERRORS = {OBJECT_NOT_FOUND: ParseObjectNotFound, INVALID_SESSION: ParseInvalidSession}
# A query is longer than what servers and proxies on the way take in an address.
_LONGEST_QUERY = 2000
_NOT_ASCII = re.compile(r"[^\x20-\x7e]")


@dataclass(frozen=True, slots=True)
class Rights:
    """In whose name a Parse Server is asked; neither is somebody who is not logged in."""

    master: bool = False
    session_token: Secret | None = None


class ParseServer:
    """A Parse Server that the conf names.

    Args:
        http: the way there, until a time of the clock.
    """

    def __init__(self, settings: ParseServerSettings, http: Callable[[float], Http]) -> None:
        self._settings = settings
        self._http = http
        self._root = settings.url.url.reveal().rstrip("/") if settings.url else ""

    def __repr__(self) -> str:
        return f"<ParseServer {self._settings.url}>"

    def check(self, rights: Rights) -> None:
        """Raise `ValueError` when the conf names no Parse Server, or no master key to ask with."""
        if not self._root:
            raise ValueError(NO_SERVER)
        if rights.master and not self._settings.master_key:
            raise ValueError(NO_MASTER_KEY)

    def address(self, path: str) -> str:
        """Where a path of its API is."""
        return f"{self._root}/{path}"

    def segment(self, text: object, what: str) -> str:
        """A name or an id as one part of a path, which it cannot leave.

        Raises:
            RequestError: it is none.
        """
        if isinstance(text, str) and text not in ("", ".", ".."):
            try:
                return quote(text, safe="")
            except UnicodeEncodeError:
                pass
        raise RequestError(f"{text!r} is not {what}", self._root)

    async def read(
        self, rights: Rights, until: float, path: str, query: Mapping[str, Any] | None = None
    ) -> Any:
        """What it answers a question; asked once more when a kept connection has closed.

        Args:
            until: the clock's time at which whoever asks has to be done.
            path: below its url, encoded.

        Raises:
            ValueError: see `check`.
            ParseError: it said no.
            OutboundError: it gave no answer, or not one of a Parse Server.
        """
        texts = self._texts(query or {}, path)
        if len(urlencode(texts)) > _LONGEST_QUERY:
            return await self._send("POST", rights, until, path, {**texts, "_method": "GET"})
        return await self._send("GET", rights, until, path, params=texts)

    async def write(
        self,
        rights: Rights,
        until: float,
        path: str,
        body: Mapping[str, Any],
        *,
        method: str = "POST",
        context: Mapping[str, Any] | None = None,
    ) -> Any:
        """What it answers an order, which is sent once and never again. Raises as `read` does.

        Args:
            context: what the triggers that this fires are told.
        """
        over = {} if method == "POST" else {"_method": method}
        headers = {} if context is None else {"X-Parse-Cloud-Context": self._spelt(context, path)}
        return await self._send("POST", rights, until, path, {**body, **over}, headers)

    async def _send(
        self,
        method: str,
        rights: Rights,
        until: float,
        path: str,
        body: Mapping[str, Any] | None = None,
        headers: Mapping[str, str] | None = None,
        *,
        params: Mapping[str, str] | None = None,
    ) -> Any:
        self.check(rights)
        url = self.address(path)
        try:
            response: HttpResponse = await self._http(until).request(
                url,
                method=method,
                params=params,
                headers={**self._credentials(rights), **(headers or {})},
                body=body,
                timeout=self._settings.timeout,
            )
        except HttpError as error:
            failed = _refused(error, url)
        else:
            return _answer(response, url)
        raise failed

    def _credentials(self, rights: Rights) -> dict[str, str]:
        settings = self._settings
        headers = {
            "Content-Type": "application/json",
            "X-Parse-Application-Id": settings.application_id,
        }
        if rights.master and settings.master_key:
            headers["X-Parse-Master-Key"] = settings.master_key.reveal()
            return headers
        if settings.rest_api_key:
            headers["X-Parse-REST-API-Key"] = settings.rest_api_key.reveal()
        if rights.session_token:
            headers["X-Parse-Session-Token"] = rights.session_token.reveal()
        return headers

    def _texts(self, query: Mapping[str, Any], path: str) -> dict[str, str]:
        try:
            values = json_value.checked(query)
        except json_value.NotJson as error:
            problem = f"this cannot be asked for: {error}"
        else:
            return {key: _text(value) for key, value in values.items()}
        raise RequestError(problem, self.address(path))

    def _spelt(self, context: Mapping[str, Any], path: str) -> str:
        """A context as a header can carry it: JSON in ASCII."""
        try:
            text = json_value.dump(json_value.checked(context)).decode()
        except json_value.NotJson as error:
            problem = f"the context cannot be sent: {error}"
        else:
            return _NOT_ASCII.sub(_escaped, text)
        raise RequestError(problem, self.address(path))


def _text(value: Any) -> str:
    return value if isinstance(value, str) else json_value.dump(value).decode()


def _escaped(match: re.Match[str]) -> str:
    units = match[0].encode("utf-16-be")
    return "".join(f"\\u{units[at : at + 2].hex()}" for at in range(0, len(units), 2))


def _answer(response: HttpResponse, url: str) -> Any:
    """What an answer says. A page of a proxy, or an empty one, is no answer of a Parse Server."""
    if response.status >= 300 or not isinstance(response.data, dict | list):
        raise ResponseError(f"answered {response.status}, and not as a Parse Server does", url)
    return response.data


def _refused(error: HttpError, url: str) -> OutboundError:
    """The error of a Parse Server, or the one at hand when somebody else answered."""
    body = error.response.data
    message = body.get("error") if isinstance(body, dict) else None
    if not isinstance(message, str):
        return error
    code = body.get("code")
    if type(code) is not int:
        code = OTHER_CAUSE
    return _ERRORS.get(code, ParseError)(code, message, status=error.status, url=url)
