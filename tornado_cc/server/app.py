"""One worker: joins the rooms, listens, and drains."""

import asyncio
import logging
import socket

from tornado.httpserver import HTTPServer
from tornado.netutil import bind_sockets

from tornado_cc import flows, hooks
from tornado_cc.core import clock
from tornado_cc.core.errors import Failure
from tornado_cc.flows import Afterwards, Attempts, Flows, Identities, PlayerRunner, Records
from tornado_cc.hooks import Runner, Watchdog
from tornado_cc.outbound import HttpClient
from tornado_cc.server.access import QuietFramework
from tornado_cc.server.build import Built
from tornado_cc.server.gate import Gate
from tornado_cc.server.guard import Guard
from tornado_cc.server.health import Health, State
from tornado_cc.server.limits import Limits
from tornado_cc.server.mounts import Mounts, OwnPaths
from tornado_cc.server.remote import Remote
from tornado_cc.server.services import HookServices
from tornado_cc.store import CannotOpen, SchemaError, Store

_log = logging.getLogger("tornado_cc.server")

# Well above the gate's limits: Tornado itself answers large headers with nothing at all.
_CONNECTION_HEADERS = 256 << 10
_CONNECTION_BODY = 10**19
_DRAIN_STEP = 0.02


class StartError(Exception):
    """The worker cannot start; the message says why and what to do."""


class Server:
    """A worker and everything in it. `start`, then `stop`."""

    def __init__(self, built: Built) -> None:
        configuration = built.configuration
        self._settings = configuration.server
        self._registry = built.registry
        self._dialects = built.dialects
        self._ended = False
        self._client = HttpClient(configuration.outbound)
        self.store = Store(configuration.store)
        attempts = Attempts(self._settings.bad_credentials_per_minute)
        # Of their own: who mistypes a password shall not block the Parse Server they go through.
        log_ins = Attempts(self._settings.bad_credentials_per_minute)
        services = HookServices(self._client, self.store.config, log_ins)
        self._runner = Runner(configuration.hooks, services)
        players = self.store.players
        runner = PlayerRunner(self._runner)
        self._afterwards = Afterwards(self._registry, runner, players)
        services.records = Records(self.store, self._registry, runner, self._afterwards)
        self._watchdog = Watchdog()
        self._health = Health(self.store)
        pages = self._health.pages()
        identities = Identities(self.store.users, players, attempts)
        self.gate = Gate(
            Mounts(built.dialects, OwnPaths(pages), tuple(pages)),
            Flows(self._registry, runner, self._afterwards, identities),
            Limits.of(self._settings),
            Guard(attempts),
            Remote(self._settings.trusted_proxies),
        )
        self._http = HTTPServer(
            self.gate,
            max_header_size=_CONNECTION_HEADERS,
            max_body_size=_CONNECTION_BODY,
            idle_connection_timeout=self._settings.idle_timeout,
        )
        self.addresses: list[str] = []

    async def start(self) -> None:
        """Run `on_start`, then listen. Raises `StartError`."""
        hooks.install(asyncio.get_running_loop())
        _quiet_framework()
        self._watchdog.start()
        await self._client.open()
        try:
            await self.store.open()
        except (CannotOpen, SchemaError) as error:
            await self._close()
            raise StartError(str(error)) from None
        failed = await flows.start(self._registry, self._runner)
        if failed is not None:
            await self._close()
            one, refusal = failed
            reason = refusal.log if isinstance(refusal, Failure) else refusal.message
            raise StartError(f"plugin {one.plugin}: on_start ({one.place}) {reason}")
        host, port = self._settings.bind
        try:
            sockets = bind_sockets(port, host)
        except OSError as error:
            await self.end()
            raise StartError(
                f"cannot listen on {_spelt(host, port)}: {error.strerror or error}"
            ) from None
        self._http.add_sockets(sockets)
        self.addresses = [_address(one) for one in sockets]
        self._health.state = State.READY
        for dialect in self._dialects:
            _log.info("serving", extra={"dialect": dialect.name, "mount": dialect.mount})
        for address in self.addresses:
            _log.info("listening", extra={"address": address})

    async def stop(self) -> None:
        """`drain`, then `end`."""
        await self.drain()
        await self.end()

    async def drain(self) -> None:
        """Take no new work, and finish what runs within the drain timeout."""
        _log.info("draining")
        self._health.state = State.DRAINING
        self.gate.draining = True
        self._http.stop()
        until = clock.monotonic() + self._settings.drain_timeout
        # Until the last connection is closed, one that is kept alive may bring another request.
        # A request that is still arriving has no task to wait for.
        while self._is_busy() and clock.monotonic() < until:  # noqa: ASYNC110 - see above
            await asyncio.sleep(_DRAIN_STEP)

    async def end(self) -> None:
        """Give up what a drain has left, close what is open and run `on_stop`; once."""
        if self._ended:
            return
        self._ended = True
        lost = self._running()
        for task in lost:
            task.cancel()
        await asyncio.gather(*lost, return_exceptions=True)
        if lost:
            _log.error("calls lost at the stop", extra={"calls": len(lost)})
        await self._http.close_all_connections()
        await flows.stop(self._registry, self._runner)
        # What was written there has after-hooks of its own.
        await self._afterwards.finish(self._settings.drain_timeout)
        self._runner.close()
        await self._close()
        _log.info("stopped")

    async def _close(self) -> None:
        """Close what serving needs; what after-hooks still run is given up."""
        self._watchdog.stop()
        await self._afterwards.finish(0)
        await self._client.close()
        await self.store.close()

    def _is_busy(self) -> bool:
        return self.gate.is_busy or bool(self._afterwards.running)

    def _running(self) -> frozenset[asyncio.Task[None]]:
        return self.gate.running | self._afterwards.running


def _quiet_framework() -> None:
    for name in ("tornado.general", "tornado.application"):
        logger = logging.getLogger(name)
        if not any(isinstance(one, QuietFramework) for one in logger.filters):
            logger.addFilter(QuietFramework())


def _address(one: socket.socket) -> str:
    return _spelt(*one.getsockname()[:2])


def _spelt(host: str, port: int) -> str:
    return f"[{host}]:{port}" if ":" in host else f"{host}:{port}"
