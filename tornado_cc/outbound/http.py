"""The one HTTP client: `call.http.request` (docs/http.md)."""

import asyncio
import logging
import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from tornado_cc.core import clock
from tornado_cc.core.meter import Meter, Unmetered
from tornado_cc.outbound.address import check_url, place_of
from tornado_cc.outbound.breaker import Admission, Breakers, Held
from tornado_cc.outbound.errors import (
    AddressRefused,
    HttpError,
    OutboundError,
    RequestError,
    TimeoutExpired,
    TooManyRedirects,
)
from tornado_cc.outbound.guard import Guard
from tornado_cc.outbound.pool import Pool
from tornado_cc.outbound.redirect import STATUSES, redirected
from tornado_cc.outbound.request import Prepared, prepare
from tornado_cc.outbound.response import HttpResponse
from tornado_cc.settings import HostPattern, Opening, OutboundSettings

_log = logging.getLogger("tornado_cc.outbound")

OTHER = "other"
"""What metrics call the hosts that the conf does not name."""


@dataclass(frozen=True, slots=True)
class _Way:
    """How requests go out for somebody.

    Attributes:
        breakers: None where failures are dealt with elsewhere.
        plugin: for whom, None for the server itself.
        hosts: the only ones that may be reached; None for all that the guard lets through.
        until: the clock's time at which the deadline of the calling hook passes.
    """

    pool: Pool
    settings: OutboundSettings
    breakers: Breakers | None
    plugin: str | None = None
    hosts: Sequence[HostPattern] | None = None
    until: float = math.inf


class BoundHttp:
    """The client as one hook has it: no request outlasts the hook's deadline."""

    def __init__(self, way: _Way) -> None:
        self._way = way

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
        raise_for_status: bool = True,
        followRedirects: bool = False,  # noqa: N803 - Parse's spelling of it
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
            raise_for_status: whether an answer of 400 or more is an error.
            followRedirects: the same as follow_redirects.

        Raises:
            HttpError: the answer's status is 400 or more, and `raise_for_status` was left as it is;
                it carries the answer.
            OutboundError: there is no answer; see its subclasses.
        """
        prepared = prepare(url, method, params, headers, body)
        allowance = self._allowance(timeout, url)
        expired = TimeoutExpired(f"no answer within {max(allowance.seconds, 0):.3g} s", url)
        if allowance.seconds <= 0:
            raise expired
        try:
            response = await self._follow(prepared, follow_redirects or followRedirects, allowance)
        except TimeoutError:
            response = None
        if response is None:
            raise expired
        _log.debug("request sent", extra={"method": prepared.method, "status": response.status})
        if response.status >= 400 and raise_for_status:
            raise HttpError(response, url)
        return response

    def within(self, until: float) -> "BoundHttp":
        """The same for a hook whose deadline is at this time of the clock."""
        return BoundHttp(replace(self._way, until=until))

    def _allowance(self, given: float | None, url: str) -> "_Allowance":
        """What the request may take: the caller's limit or ours, within the hook's."""
        seconds = self._way.settings.timeout if given is None else given
        if isinstance(seconds, bool) or not isinstance(seconds, int | float) or not seconds > 0:
            raise RequestError("timeout is not a positive number of seconds", url)
        now = clock.monotonic()
        left = self._way.until - now
        return _Allowance(min(seconds, left), now + min(seconds, left), is_whole=seconds <= left)

    async def _follow(
        self, prepared: Prepared, follow: bool, allowance: "_Allowance"
    ) -> HttpResponse:
        left = limit = self._way.settings.max_redirects
        while True:
            response = await self._hop(prepared, allowance)
            location = response.headers.get("location")
            if not follow or response.status not in STATUSES or not location:
                return response
            if left == 0:
                raise TooManyRedirects(f"more than {limit} redirects", prepared.url)
            left -= 1
            prepared = redirected(prepared, response.status, location)

    async def _hop(self, prepared: Prepared, allowance: "_Allowance") -> HttpResponse:
        """One request to one host. Raises `TimeoutError` when the time has passed."""
        host, port = place_of(prepared.url)
        self._check_host(host, port, prepared.url)
        if self._way.breakers is None:
            return await self._timed(prepared, allowance)
        with self._way.breakers.admitted(host, port, prepared.url) as admission:
            return await self._judged(admission, prepared, allowance)

    async def _judged(
        self, admission: Admission, prepared: Prepared, allowance: "_Allowance"
    ) -> HttpResponse:
        """The same, and what it tells of the host."""
        try:
            response = await self._timed(prepared, allowance)
        except TimeoutError:
            # When the hook had hardly any time left, the host may be as quick as ever.
            if allowance.is_whole:
                admission.failed()
            raise
        except OutboundError as error:
            if error.cause is not None:
                admission.failed()
            raise
        if response.status >= 500:
            admission.failed()
        else:
            admission.succeeded()
        return response

    async def _timed(self, prepared: Prepared, allowance: "_Allowance") -> HttpResponse:
        try:
            async with asyncio.timeout(allowance.until - clock.monotonic()):
                return await self._way.pool.send(prepared)
        except AddressRefused as error:
            self._log_refused(prepared.url, error.kind)
            raise

    def _check_host(self, host: str, port: int, url: str) -> None:
        """Raise `AddressRefused` for a host that is not among those of the plugin."""
        hosts = self._way.hosts
        if hosts is None or any(one.covers(host, port) for one in hosts):
            return
        self._log_refused(url, "not among the plugin's hosts")
        problem = f"not allowed: it is not among the hosts of [plugin:{self._way.plugin}]"
        raise AddressRefused(problem, url)

    def _log_refused(self, url: str, kind: str | None) -> None:
        host, port = place_of(url)
        facts = {"plugin": self._way.plugin, "host": host, "port": port, "kind": kind}
        _log.warning("address refused", extra=facts)


@dataclass(frozen=True, slots=True)
class _Allowance:
    """The time that one call has: how long, until when, and whether no hook's deadline cut it."""

    seconds: float
    until: float
    is_whole: bool


class HttpClient:
    """The way out of a worker. `open` on its loop, `close` when it has drained.

    Args:
        settings: `[outbound]`.
        loopback: whether this machine itself may be reached, as in development.
        hosts: the only ones that a plugin may reach, for those that are held to some.
        meter: is told how the breakers stand.
    """

    def __init__(
        self,
        settings: OutboundSettings,
        *,
        loopback: bool = False,
        hosts: Mapping[str, Sequence[HostPattern]] | None = None,
        meter: Meter | None = None,
    ) -> None:
        self._settings = settings
        self._loopback = loopback
        self._hosts = hosts or {}
        self._named = [one for patterns in self._hosts.values() for one in patterns]
        self._named += [one for opening in settings.allow for one in opening.hosts]
        self._is_open = False
        self._breakers = Breakers(settings, meter or Unmetered(), self._label)
        self._pools: list[Pool] = []
        self._pool = self._add_pool((), settings.read_timeout)

    async def open(self) -> None:
        """Make what it needs."""
        self._is_open = True
        for pool in self._pools:
            pool.open()

    async def close(self) -> None:
        """Close every connection; no request is sent after this."""
        self._is_open = False
        for pool in self._pools:
            await pool.close()

    def bound(self, until: float, plugin: str | None = None) -> BoundHttp:
        """The client for a hook whose deadline is at this time of the clock.

        Args:
            plugin: whose hook it is; None for the server itself, which is held to no hosts.
        """
        hosts = self._hosts.get(plugin) if plugin is not None else None
        return BoundHttp(
            _Way(self._pool, self._settings, self._breakers, plugin, hosts, until=until)
        )

    def declared(
        self, urls: Iterable[str], *, plugin: str | None = None, breaker: bool = True
    ) -> BoundHttp:
        """The client for destinations that the conf itself names, wherever they are.

        Their hosts and ports are the operator's word, so the guard lets them through; nobody else
        gets to use these connections.

        Args:
            urls: of the destinations; one that makes no sense opens nothing.
            plugin: what the log says when another address is refused.
            breaker: whether a destination that keeps failing is left alone for a while. It need not
                be where each request is retried later anyway.
        """
        openings = [opening for url in urls for opening in _opened(url)]
        self._named += [one for opening in openings for one in opening.hosts]
        pool = self._add_pool(openings, None)
        return BoundHttp(_Way(pool, self._settings, self._breakers if breaker else None, plugin))

    async def request(self, url: str, **options: Any) -> HttpResponse:
        """A request for the server itself; `BoundHttp.request` says the rest."""
        return await self.bound(math.inf).request(url, **options)

    def held(self) -> list[Held]:
        """The hosts that are left alone now because they kept failing."""
        return self._breakers.held()

    def _add_pool(self, openings: Iterable[Opening], silence: float | None) -> Pool:
        guard = Guard((*self._settings.allow, *openings), loopback=self._loopback)
        pool = Pool(self._settings, guard, silence=silence)
        self._pools.append(pool)
        if self._is_open:
            pool.open()
        return pool

    def _label(self, host: str, port: int) -> str:
        """What metrics call a host: an entry of the conf, since callers may choose the others."""
        return next((str(one) for one in self._named if one.covers(host, port)), OTHER)


def _opened(url: str) -> Iterable[Opening]:
    try:
        return (Opening.of(*place_of(check_url(url)[0])),)
    except ValueError:
        return ()
