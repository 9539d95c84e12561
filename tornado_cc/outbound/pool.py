"""Connections to others, kept for the next request, and one request on one of them."""

from io import BytesIO

import aiohttp
from aiohttp.http_exceptions import HttpProcessingError
from yarl import URL

from tornado_cc.outbound.address import place_of
from tornado_cc.outbound.decode import ACCEPTED, BadEncoding, decoder
from tornado_cc.outbound.errors import (
    AddressRefused,
    ConnectError,
    OutboundError,
    ResponseError,
    TimeoutExpired,
)
from tornado_cc.outbound.guard import TRIP, Guard, Trip
from tornado_cc.outbound.request import Prepared
from tornado_cc.outbound.response import HttpResponse
from tornado_cc.settings import OutboundSettings

# What aiohttp raises: a body's own faults are no ClientError, and a socket's are OSErrors.
_FAULTS = (aiohttp.ClientError, HttpProcessingError, OSError)


class Pool:
    """Connections behind one guard. `open` on the loop, `close` when nothing is sent any more.

    Args:
        silence: seconds for which an answer may stop; None when only the whole is timed.
    """

    def __init__(
        self, settings: OutboundSettings, guard: Guard, *, silence: float | None = None
    ) -> None:
        self._settings = settings
        self._guard = guard
        self._silence = silence
        self._session: aiohttp.ClientSession | None = None

    def open(self) -> None:
        """Make the session; a cookie jar shared by all callers would mix up their sessions."""
        self._session = aiohttp.ClientSession(
            cookie_jar=aiohttp.DummyCookieJar(),
            connector=aiohttp.TCPConnector(
                # No limit over all of them: one slow third party must not hold up the others.
                limit=0,
                limit_per_host=self._settings.connections_per_host,
                socket_factory=self._guard.socket,
            ),
            headers={"User-Agent": "tornado_cc", "Accept-Encoding": ACCEPTED},
            skip_auto_headers=("Content-Type",),
            timeout=aiohttp.ClientTimeout(
                total=None,
                sock_connect=self._settings.connect_timeout,
                sock_read=self._silence,
            ),
            # aiohttp takes a gzip body that is cut off for a whole one.
            auto_decompress=False,
            # A proxy of the environment would make the connections, where no guard is.
            trust_env=False,
        )

    async def close(self) -> None:
        """Close every connection; no request is sent after this."""
        session, self._session = self._session, None
        if session is not None:
            await session.close()

    async def send(self, prepared: Prepared) -> HttpResponse:
        """One request, no redirect followed, without a limit of time.

        Raises:
            AddressRefused: the guard let it go to none of the host's addresses.
            OutboundError: there is no answer.
        """
        if self._session is None:
            raise ConnectError("the server is not running", prepared.url)
        trip = Trip(*place_of(prepared.url))
        token = TRIP.set(trip)
        try:
            return await self._exchange(self._session, prepared)
        except _FAULTS as error:
            failed = _refused(trip, prepared.url) or _failed(error, prepared.url)
        finally:
            TRIP.reset(token)
        raise failed

    async def _exchange(self, session: aiohttp.ClientSession, prepared: Prepared) -> HttpResponse:
        # aiohttp warns of large bytes; of a file it writes one piece after another.
        body = BytesIO(prepared.body) if prepared.body else prepared.body
        async with session.request(
            prepared.method,
            URL(prepared.url, encoded=True),
            headers=prepared.headers,
            data=body,
            allow_redirects=False,
        ) as answer:
            return await self._whole(answer, prepared.url)

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


def _refused(trip: Trip, url: str) -> AddressRefused | None:
    """The error of a host none of whose addresses was let through."""
    if not trip.is_refused:
        return None
    return AddressRefused("not allowed: the host has no public address", url, kind=trip.refused)


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
