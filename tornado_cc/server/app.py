"""One worker: joins the rooms, listens, and drains."""

import asyncio
import logging
import math
import socket
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from tornado_cc import hooks
from tornado_cc.core import clock
from tornado_cc.core.message import Response
from tornado_cc.flows import (
    HOOK,
    JOB,
    MAIL,
    SCHEDULE,
    WEBHOOK,
    Deliverer,
    Performs,
    Retention,
    Schedules,
)
from tornado_cc.hooks import Watchdog
from tornado_cc.server import listening, status
from tornado_cc.server.access import QuietFramework
from tornado_cc.server.admin import METRICS, Admin, always
from tornado_cc.server.build import Built
from tornado_cc.server.depth import QueueGauge
from tornado_cc.server.gate import Gate
from tornado_cc.server.guard import Guard
from tornado_cc.server.health import Health, State
from tornado_cc.server.idempotency import Idempotency
from tornado_cc.server.journal import Journal
from tornado_cc.server.limits import Limits
from tornado_cc.server.listening import CannotListen, Sockets
from tornado_cc.server.metrics import Metrics
from tornado_cc.server.mounts import Mounts, OwnPaths
from tornado_cc.server.registration import drift_of
from tornado_cc.server.remote import Remote
from tornado_cc.server.runtime import Runtime, StartError
from tornado_cc.server.status import STATUS
from tornado_cc.server.stock import StockWire
from tornado_cc.server.tls import BadCertificate
from tornado_cc.server.wire import Wire
from tornado_cc.settings import ServerSettings
from tornado_cc.store import CannotOpen, SchemaError

_log = logging.getLogger("tornado_cc.server")

_DRAIN_STEP = 0.02
# Seconds within which the next request on a connection follows, where callers are busy.
_AGAIN = 1.0
# Seconds within which a new connection brings its first request.
_FIRST = 0.1


class Server:
    """A worker and everything in it. `start`, then `stop`."""

    def __init__(
        self,
        built: Built,
        sockets: Sockets | None = None,
        on_stall: Callable[[Mapping[str, object]], None] | None = None,
    ) -> None:
        """Join what a conf asks for; nothing runs yet.

        Args:
            sockets: what to listen on instead of what the conf says.
            on_stall: is told who blocks the event loop, in a thread of its own.

        Raises:
            StartError: the certificate cannot be used any more.
        """
        configuration = built.configuration
        self._sockets = sockets or Sockets()
        self._settings = configuration.server
        self._dialects = built.dialects
        self._ended = False
        metrics = Metrics(sorted({one.plugin for one in built.registry.everything()}))
        self._runtime = runtime = Runtime(built, metrics)
        self.store = runtime.store
        self._schedules = Schedules(
            self.store, runtime.registry, runtime.fires, runtime.redactor, metrics
        )
        kinds: dict[str, Performs] = {
            HOOK: runtime.afterwards,
            JOB: runtime.jobs,
            MAIL: runtime.mails,
            SCHEDULE: self._schedules,
            WEBHOOK: runtime.webhooks,
        }
        self._deliverer = Deliverer(self.store, kinds, configuration.deliveries, metrics)
        for promises in (*runtime.promises, self._schedules):
            promises.wake = self._deliverer.promised
        self._retention = Retention(self.store, configuration.journal)
        self._drift = drift_of(built, runtime.client, self.store)
        self._journal = Journal(
            configuration.journal, self.store.requests, runtime.registry, runtime.redactor
        )
        self._watchdog = Watchdog(metrics, on_stall)
        self._health = Health(self.store)
        self._health.stuck = runtime.runner.stuck
        if self._drift is not None:
            self._health.further = self._drift.facts
        pages = self._health.pages()
        self._metrics = metrics
        self._queue = QueueGauge(self.store.deliveries)
        self._admin_bind = configuration.admin.bind
        own = {**pages, STATUS: status.page(self._health, runtime.client)}
        asked = {path: always(page) for path, page in own.items()}
        self._admin = Admin({**asked, METRICS: self._page_of_metrics})
        self.gate = Gate(
            Mounts(built.dialects, OwnPaths(pages), tuple(pages)),
            runtime.flows,
            Limits.of(self._settings),
            Guard(runtime.attempts),
            Remote(self._settings.trusted_proxies),
            metrics,
            self._journal,
            Idempotency(self.store.receipts, runtime.redactor),
        )
        self._wire = _wire(self.gate, self._settings)
        self._public: Sequence[socket.socket] = ()
        self._stopped_at = -math.inf
        self.addresses: list[str] = []
        self.admin_addresses: list[str] = []

    async def start(self) -> None:
        """Run `on_start`, then listen. Raises `StartError`."""
        hooks.install(asyncio.get_running_loop())
        _quiet_framework()
        self._start_admin()
        self._watchdog.start()
        await self._runtime.client.open()
        try:
            await self.store.open()
        except (CannotOpen, SchemaError) as error:
            await self._close()
            raise StartError(str(error)) from None
        try:
            await self._runtime.start_plugins()
        except StartError:
            await self._close()
            raise
        try:
            public = self._public = self._listen()
        except CannotListen as error:
            await self.end()
            raise StartError(str(error)) from None
        self._journal.start()
        self._deliverer.start()
        self._schedules.start()
        self._retention.start()
        await self._wire.start(public)
        self.addresses = [listening.address(one) for one in public]
        self._health.state = State.READY
        if self._drift is not None:
            self._drift.start()
        for dialect in self._dialects:
            _log.info("serving", extra={"dialect": dialect.name, "mount": dialect.mount})
        for address in self.addresses:
            _log.info("listening", extra={"address": address})
        for address in self.admin_addresses:
            _log.info("listening", extra={"admin": address})

    @property
    def answered(self) -> int:
        """How many requests it has answered."""
        return self._metrics.answered

    @property
    def is_stuck(self) -> bool:
        """Whether more threads hang in hooks than may."""
        return self._runtime.runner.stuck() is not None

    def facts(self) -> Mapping[str, str]:
        """What `/readyz` says."""
        return self._health.facts()

    async def report(self, *, queue: bool) -> Mapping[str, Any]:
        """What `/metrics` and `/status` say, as JSON, for a supervisor that has those pages.

        Args:
            queue: whether to look at the queue too, which is the same for all workers.
        """
        depth = await self._queue.read() if queue else None
        held = status.held(self._runtime.client)
        return {"figures": self._metrics.figures(depth), "breakers": held}

    async def stop(self) -> None:
        """`drain`, then `end`."""
        await self.drain()
        await self.end()

    def stop_listening(self) -> None:
        """Say so where it is asked, take no new connection, and none for longer than an answer."""
        self._begin_to_drain()
        self.gate.draining = True
        self._wire.stop()
        self._stopped_at = clock.monotonic()

    async def drain(self) -> None:
        """Take no new work, and finish what runs within the drain timeout."""
        until = clock.monotonic() + self._settings.drain_timeout
        self._begin_to_drain()
        if self._sockets.public is None:
            await listening.let_in_the_last(self._public)
        self.stop_listening()
        await self._schedules.close()
        await self._close_drift()
        # Until the last connection is closed, one that is kept alive may bring another request.
        # A request that is still arriving has no task to wait for.
        while self._is_in_use() and clock.monotonic() < until:  # noqa: ASYNC110 - see above
            await asyncio.sleep(_DRAIN_STEP)
        await self._deliverer.drain(max(until - clock.monotonic(), 0))

    def _begin_to_drain(self) -> None:
        if self._health.state is not State.DRAINING:
            self._health.state = State.DRAINING
            _log.info("draining")

    def _is_in_use(self) -> bool:
        """Whether a request is there, or may be on its way.

        Somebody who has just got an answer or a connection is about to send the next request, and
        would get nothing at all should the connection be closed meanwhile.
        """
        if self.gate.is_busy or self._wire.is_sending:
            return True
        now = clock.monotonic()
        is_recent = now < max(self._metrics.answered_at + _AGAIN, self._stopped_at + _FIRST)
        return is_recent and self._wire.connections > 0

    async def end(self) -> None:
        """Give up what a drain has left, close what is open and run `on_stop`; once."""
        if self._ended:
            return
        self._ended = True
        lost = self.gate.running
        for task in lost:
            task.cancel()
        await asyncio.gather(*lost, return_exceptions=True)
        if lost:
            _log.error("calls lost at the stop", extra={"calls": len(lost)})
        await self._wire.close()
        await self._runtime.stop_plugins()
        await self._close()
        _log.info("stopped")

    def _start_admin(self) -> None:
        """Before all else, so that it can be asked how far a start is. Raises `StartError`."""
        sockets = self._sockets.admin
        if sockets is None:
            try:
                sockets = listening.bound_for_admin(self._admin_bind)
            except CannotListen as error:
                raise StartError(str(error)) from None
        self._admin.start(sockets)
        self.admin_addresses = [listening.address(one) for one in sockets]

    def _listen(self) -> Sequence[socket.socket]:
        """What callers connect to. Raises `CannotListen`."""
        given = self._sockets.public
        return listening.bound(self._settings.bind) if given is None else given

    async def _page_of_metrics(self, accept: str) -> Response:
        return self._metrics.page(accept, await self._queue.read())

    async def _close_drift(self) -> None:
        if self._drift is not None:
            await self._drift.close()

    async def _close(self) -> None:
        """Close what serving needs."""
        self._watchdog.stop()
        await self._schedules.close()
        await self._deliverer.close()
        await self._journal.close()
        await self._retention.close()
        await self._close_drift()
        await self._runtime.client.close()
        # After all but the store, which it asks, so that it can be asked how far a stop is.
        await self._admin.stop()
        await self._queue.stop()
        await self.store.close()


def _wire(gate: Gate, settings: ServerSettings) -> Wire | StockWire:
    """The connections a conf asks for. Raises `StartError`."""
    try:
        return (Wire if settings.wire == "llhttp" else StockWire)(gate, settings)
    except BadCertificate as error:
        # It was good when the conf was read.
        raise StartError(f"[server] certificate: {error}") from None


def _quiet_framework() -> None:
    for name in ("tornado.general", "tornado.application"):
        logger = logging.getLogger(name)
        if not any(isinstance(one, QuietFramework) for one in logger.filters):
            logger.addFilter(QuietFramework())
