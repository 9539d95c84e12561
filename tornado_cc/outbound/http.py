"""The one HTTP client: `call.http.request` (docs/http.md)."""

import asyncio
import logging
import math
from collections.abc import Mapping
from dataclasses import replace
from io import BytesIO
from typing import Any
from urllib.parse import urljoin, urlsplit

import aiohttp
from aiohttp.http_exceptions import HttpProcessingError
from yarl import URL

from tornado_cc.core import clock
from tornado_cc.outbound.address import check_url
from tornado_cc.outbound.decode import ACCEPTED, BadEncoding, decoder
from tornado_cc.outbound.errors import (
    ConnectError,
    HttpError,
    OutboundError,
    RequestError,
    ResponseError,
    TimeoutExpired,
    TooManyRedirects,
)
from tornado_cc.outbound.request import Prepared, prepare
from tornado_cc.outbound.response import HttpResponse
from tornado_cc.settings import OutboundSettings

_log = logging.getLogger("tornado_cc.outbound")

CONNECTIONS_PER_HOST = 100

_REDIRECTS = frozenset({301, 302, 303, 307, 308})
# What aiohttp raises: a body's own faults are no ClientError, and a socket's are OSErrors.
_FAULTS = (aiohttp.ClientError, HttpProcessingError, OSError)


class BoundHttp:
    """The client as one hook has it: no request outlasts the hook's deadline."""

    def __init__(self, client: "HttpClient", until: float) -> None:
        self._client = client
        self._until = until

    async def request(self, url: str, **options: Any) -> HttpResponse:
        """`HttpClient.request`, within what the hook has left. Parse's option names work too."""
        if "followRedirects" in options:
            options["follow_redirects"] = options.pop("followRedirects")
        return await self._client.request(url, until=self._until, **options)


class HttpClient:
    """One connection pool for a worker. `open` on its loop, `close` when it has drained."""

    def __init__(self, settings: OutboundSettings) -> None:
        self._settings = settings
        self._session: aiohttp.ClientSession | None = None

    async def open(self) -> None:
        """Make the session; a cookie jar shared by all callers would mix up their sessions."""
        self._session = aiohttp.ClientSession(
            cookie_jar=aiohttp.DummyCookieJar(),
            # No limit over all of them: one slow third party must not hold up the others.
            connector=aiohttp.TCPConnector(limit=0, limit_per_host=CONNECTIONS_PER_HOST),
            headers={"User-Agent": "tornado_cc", "Accept-Encoding": ACCEPTED},
            skip_auto_headers=("Content-Type",),
            timeout=aiohttp.ClientTimeout(total=None, sock_connect=self._settings.connect_timeout),
            # aiohttp takes a gzip body that is cut off for a whole one.
            auto_decompress=False,
            trust_env=False,
        )

    async def close(self) -> None:
        """Close every connection; no request is sent after this."""
        session, self._session = self._session, None
        if session is not None:
            await session.close()

    def bound(self, until: float) -> BoundHttp:
        """The client for a hook whose deadline is at this time of the clock."""
        return BoundHttp(self, until)

    async def request(
        self,
        url: str,
        *,
        method: str = "GET",
        params: Mapping[str, Any] | str | None = None,
        headers: Mapping[str, Any] | None = None,
        body: object = None,
        follow_redirects: bool = False,
        timeout: float | None = None,  # noqa: ASYNC109 - a limit the caller states, not a cancel scope
        until: float | None = None,
    ) -> HttpResponse:
        """Send a request and wait for the whole answer.

        Args:
            url: http or https; `user:password@` becomes Basic authentication.
            method: in any case.
            params: added to the query, which wins where both have a key.
            headers: a list repeats the header.
            body: bytes or text as they are; a mapping as a form; a mapping or list as JSON when
                the Content-Type says so.
            follow_redirects: follow up to `[outbound] max_redirects`.
            timeout: seconds in all, instead of `[outbound] timeout`.
            until: the clock's time at which the calling hook's own deadline passes.

        Raises:
            HttpError: the answer's status is 400 or more; it carries the answer.
            OutboundError: there is no answer; see its subclasses.
        """
        prepared = prepare(url, method, params, headers, body)
        seconds = self._seconds(timeout, until, url)
        expired = TimeoutExpired(f"no answer within {max(seconds, 0):.3g} s", url)
        if seconds <= 0:
            raise expired
        try:
            async with asyncio.timeout(seconds):
                response = await self._follow(prepared, follow_redirects)
        except TimeoutError:
            response = None
        if response is None:
            raise expired
        _log.debug("request sent", extra={"method": prepared.method, "status": response.status})
        if response.status >= 400:
            raise HttpError(response, url)
        return response

    def _seconds(self, timeout: float | None, until: float | None, url: str) -> float:
        """What the request may take: the caller's limit or ours, within the hook's."""
        seconds = self._settings.timeout if timeout is None else timeout
        if isinstance(seconds, bool) or not isinstance(seconds, int | float) or not seconds > 0:
            raise RequestError("timeout is not a positive number of seconds", url)
        return min(seconds, math.inf if until is None else until - clock.monotonic())

    async def _follow(self, prepared: Prepared, follow_redirects: bool) -> HttpResponse:
        left = self._settings.max_redirects
        while True:
            response = await self.send(prepared)
            location = response.headers.get("location")
            if not follow_redirects or response.status not in _REDIRECTS or not location:
                return response
            if left == 0:
                limit = self._settings.max_redirects
                raise TooManyRedirects(f"more than {limit} redirects", prepared.url)
            left -= 1
            prepared = redirected(prepared, response.status, location)

    async def send(self, prepared: Prepared) -> HttpResponse:
        """One request, no redirect followed, without a limit of time."""
        if self._session is None:
            raise ConnectError("the server is not running", prepared.url)
        # aiohttp warns of large bytes; of a file it writes one piece after another.
        body = BytesIO(prepared.body) if prepared.body else prepared.body
        try:
            async with self._session.request(
                prepared.method,
                URL(prepared.url, encoded=True),
                headers=prepared.headers,
                data=body,
                allow_redirects=False,
            ) as answer:
                return await self._whole(answer, prepared.url)
        except _FAULTS as error:
            failed = _failed(error, prepared.url)
        raise failed

    async def _whole(self, answer: aiohttp.ClientResponse, url: str) -> HttpResponse:
        if answer.status < 200:
            raise ResponseError(f"answered {answer.status}, which nobody asked for", url)
        headers: dict[str, str] = {}
        cookies = []
        for raw_name, raw_value in answer.raw_headers:
            key = raw_name.decode("latin-1").lower()
            value = _text(raw_value, key)
            headers[key] = f"{headers[key]}, {value}" if key in headers else value
            if key == "set-cookie":
                cookies.append(value)
        try:
            body = decoder(headers.get("content-encoding", ""), self._settings.max_response)
            async for chunk in answer.content.iter_any():
                body.feed(chunk)
            return HttpResponse(answer.status, headers, body.end(), tuple(cookies))
        except BadEncoding as error:
            problem = str(error)
        raise ResponseError(problem, url)


def _text(raw: bytes, key: str) -> str:
    """A header's value: UTF-8 by habit, else Latin-1 by the standard.

    A Location that is neither ASCII nor UTF-8 keeps its bytes apart: guessed at, it would lead
    somewhere else.
    """
    try:
        return raw.decode("utf-8")
    except UnicodeDecodeError:
        if key == "location":
            return raw.decode("utf-8", "surrogateescape")
        return raw.decode("latin-1")


def redirected(prepared: Prepared, status: int, location: str) -> Prepared:
    """The request after a redirect; to another origin no header goes but what describes the body.

    Raises:
        TooManyRedirects: the address makes no sense, or is not encrypted while this one was.
    """
    target = _target(prepared.url, location)
    before, after = urlsplit(prepared.url), urlsplit(target)
    if (before.scheme, after.scheme) == ("https", "http"):
        raise TooManyRedirects("a redirect from https to http", prepared.url)
    same_origin = (before.scheme, before.netloc) == (after.scheme, after.netloc)
    method = prepared.method
    to_get = method == "POST" if status in (301, 302) else status == 303 and method != "HEAD"
    headers = tuple(
        (name, value)
        for name, value in prepared.headers
        if (not to_get if name.lower().startswith("content-") else same_origin)
    )
    moved = replace(prepared, url=target, headers=headers)
    return replace(moved, method="GET", body=None) if to_get else moved


def _target(url: str, location: str) -> str:
    try:
        return check_url(urljoin(url, location))[0]
    except UnicodeEncodeError:
        problem = "it is no UTF-8"
    except ValueError:
        # The words of the standard library would repeat the address.
        problem = "it is not an address we may reach"
    raise TooManyRedirects(f"a redirect that leads nowhere: {problem}", url)


def _failed(error: BaseException, url: str) -> OutboundError:
    """What aiohttp raised, as one of ours."""
    cause = _words(error)
    if isinstance(error, aiohttp.ConnectionTimeoutError):
        return TimeoutExpired("no connection in time", url, cause)
    if isinstance(error, TimeoutError):
        return TimeoutExpired("the connection timed out", url, cause)
    if isinstance(error, aiohttp.ClientConnectorError):
        return ConnectError("no connection", url, cause)
    return ResponseError("no complete answer", url, cause)


def _words(error: BaseException) -> str:
    """The cause in words: the names of the errors, and only the operating system's own text.

    aiohttp's texts repeat the address with its query.
    """
    names, reason = [type(error).__name__], ""
    below: BaseException | None = error
    while below is not None:
        if isinstance(below, OSError) and below.strerror:
            reason = str(below.strerror)
        below = getattr(below, "os_error", None) or below.__cause__
        if below is not None and type(below).__name__ not in names:
            names.append(type(below).__name__)
    return f"{' < '.join(names)}: {reason}" if reason else " < ".join(names)
