"""The gate: request -> dialect -> flow -> dialect -> reply, under any HTTP/1.1 connection."""

import asyncio
import logging
from typing import cast

from tornado.httputil import (
    HTTPConnection,
    HTTPMessageDelegate,
    HTTPServerConnectionDelegate,
    RequestStartLine,
    ResponseStartLine,
)

from tornado_cc.core import clock
from tornado_cc.core.call import CURRENT, Call
from tornado_cc.core.errors import Failure, Reason, Refusal
from tornado_cc.core.message import Response
from tornado_cc.core.outcome import Outcome
from tornado_cc.flows import Flows
from tornado_cc.hooks.eager import EagerTasks, Pair
from tornado_cc.server import headers as header_writer
from tornado_cc.server.access import log_access
from tornado_cc.server.aim import Aim
from tornado_cc.server.connection import Connection, Fields
from tornado_cc.server.failing import failure_of
from tornado_cc.server.guard import Guard
from tornado_cc.server.idempotency import Answered, Idempotency
from tornado_cc.server.journal import Journal
from tornado_cc.server.limits import (
    DISCARD_BYTES,
    DISCARD_SECONDS,
    Limits,
    too_large,
    too_slow,
)
from tornado_cc.server.metrics import Metrics
from tornado_cc.server.mounts import Mounts
from tornado_cc.server.remote import Remote

_log = logging.getLogger("tornado_cc.server")


class Gate(HTTPServerConnectionDelegate):
    """Makes an `Exchange` of every request, and knows which are still running."""

    def __init__(
        self,
        mounts: Mounts,
        flows: Flows,
        limits: Limits,
        guard: Guard,
        remote: Remote,
        metrics: Metrics,
        journal: Journal,
        idempotency: Idempotency,
    ) -> None:
        self.mounts = mounts
        self.flows = flows
        self.limits = limits
        self.guard = guard
        self.remote = remote
        self.metrics = metrics
        self.journal = journal
        self.idempotency = idempotency
        self.draining = False
        self.arriving: set[Exchange] = set()
        self._tasks = EagerTasks()
        self._running: set[asyncio.Task[Pair]] = set()

    def start_request(self, server_conn: object, request_conn: HTTPConnection) -> "Exchange":
        """Tornado's hook for a new request on a connection."""
        return self.exchange(cast(Connection, request_conn))

    def exchange(self, connection: Connection) -> "Exchange":
        """The same for a wire of our own."""
        return Exchange(self, connection)

    def spawn(self, exchange: "Exchange") -> None:
        """Answer a complete request: at once, or in a task when that has to wait for something."""
        begun = self._tasks.begin(exchange.answer())
        if isinstance(begun, tuple):
            _tell_of(begun)
            return
        exchange.put_off()
        self._running.add(begun)
        begun.add_done_callback(self._ended)

    def _ended(self, task: asyncio.Task[Pair]) -> None:
        self._running.discard(task)
        if not task.cancelled():
            _tell_of(task.result())

    @property
    def is_busy(self) -> bool:
        """Whether a request is being answered or is still arriving."""
        return bool(self._running or self.arriving)

    @property
    def running(self) -> frozenset[asyncio.Task[Pair]]:
        """The requests being answered."""
        return frozenset(self._running)


class Exchange(HTTPMessageDelegate):
    """One request and its answer.

    Attributes:
        aim: what its head comes to.
    """

    aim: Aim
    _remote = ""
    _call: Call | None = None
    _body = b""
    _size = 0
    _refused = False
    _hung_up = False
    _finished = False
    _written: asyncio.Future[None] | None = None
    _slow: asyncio.TimerHandle | None = None

    def __init__(self, gate: Gate, connection: Connection) -> None:
        self._gate = gate
        self._connection = connection
        self._started = clock.monotonic()
        self._chunks: list[bytes] = []

    def headers_received(
        self, start_line: RequestStartLine | ResponseStartLine, headers: Fields
    ) -> None:
        """The head has arrived: find the dialect, and refuse what is too much already."""
        gate = self._gate
        line = cast(RequestStartLine, start_line)
        aim = self._take(Aim(line, headers, gate.mounts, gate.limits))
        gate.arriving.add(self)
        if aim.refusal is not None:
            self._refuse_early(aim.refusal)
        elif aim.size != 0 and (aim.size or "Transfer-Encoding" in headers):
            seconds = gate.limits.body_timeout
            self._slow = asyncio.get_running_loop().call_later(seconds, self._refuse_slow)

    def received(self, aim: Aim, body: bytes) -> None:
        """A whole request, whose head came before and was not refused.

        Args:
            aim: what it came to then.
            body: as long as that head says.
        """
        self._take(aim)
        self._body = body
        self._gate.spawn(self)

    def _take(self, aim: Aim) -> Aim:
        self.aim = aim
        self._remote = self._gate.remote.of(self._connection.context.remote_ip, aim.headers)
        return aim

    def data_received(self, chunk: bytes) -> None:
        """A piece of the body."""
        self._size += len(chunk)
        if self._refused:
            if self._size > DISCARD_BYTES:
                self._finish_early()
            return
        if self._size > self.aim.max_body:
            self._refuse_early(too_large(self.aim.max_body))
            return
        self._chunks.append(chunk)

    def finish(self) -> None:
        """The request is complete."""
        self._stop_waiting()
        if self._refused:
            self._finish_early()
            return
        self._body = b"".join(self._chunks)
        self._gate.spawn(self)

    def put_off(self) -> None:
        """The answer has to wait for something."""
        if self._written is None:
            self._connection.set_close_callback(self.on_connection_close)

    def on_connection_close(self) -> None:
        """The client has gone; what runs for it goes on, its answer is dropped."""
        self._hung_up = True
        self._stop_waiting()

    async def answer(self) -> None:
        """Read, run, write. Whatever happens in between, the caller gets the dialect's answer."""
        outcome: Outcome | None = None
        response: Response | None = None
        gate, aim = self._gate, self.aim
        current = CURRENT.set(None)
        try:
            read = gate.guard.read(aim.dialect, aim.route, aim.request(self._body, self._remote))
            if isinstance(read, Response):
                response = read
            else:
                call = self._call = read
                CURRENT.set(call)
                call.record = gate.journal.opened(aim.dialect, aim.route, call)
                if (identified := gate.flows.identify(call)) is not None:
                    await identified
                if call.idempotency_key is None:
                    outcome = await gate.flows.run(call, aim.dialect.accept)
                else:
                    template = aim.route.template
                    answered = await gate.idempotency.answer(call, template, self._attempt)
                    response, outcome = answered.response, answered.outcome
        except Refusal as refusal:
            outcome = refusal
        except asyncio.CancelledError:
            outcome = Refusal("The server is stopping", reason=Reason.UNAVAILABLE)
        except Exception as error:  # noqa: BLE001 - a caller gets an answer whatever fails
            outcome = failure_of(error)
        self._write(response, outcome)
        # One that is not reset ends with its task, which could not be used again.
        CURRENT.reset(current)

    async def _attempt(self, call: Call) -> Answered:
        """Run a call and spell its outcome; raises for an answer that cannot be sent."""
        dialect = self.aim.dialect
        outcome = await self._gate.flows.run(call, dialect.accept)
        response = dialect.write(self.aim.route, call, outcome)
        header_writer.head(response, close=False)
        return Answered(response, outcome)

    def _write(self, response: Response | None, outcome: Outcome | None) -> None:
        """Send what there is already, or what a dialect makes of an outcome."""
        dialect, route, call = self.aim.dialect, self.aim.route, self._call
        try:
            if response is None:
                assert outcome is not None
                response = dialect.write(route, call, outcome)
            self._send(response, outcome)
        except Exception as error:  # noqa: BLE001 - a caller gets an answer whatever fails
            failure = failure_of(error)
            self._send(dialect.write(route, call, failure), failure)

    def _send(self, response: Response, outcome: Outcome | None) -> None:
        """One write, head and body together."""
        if isinstance(outcome, Refusal):
            response = header_writer.with_retry_after(response, outcome)
        self._send_head(response, close=self._gate.draining)
        self._connection.finish()
        self._log(response, outcome)

    def _send_head(self, response: Response, *, close: bool) -> None:
        line, headers = header_writer.head(response, close=close)
        body = response.body if header_writer.has_body(self.aim.method, response) else b""
        self._written = self._connection.write_headers(line, headers, body)

    def _stop_waiting(self) -> None:
        self._gate.arriving.discard(self)
        if self._slow is not None:
            self._slow.cancel()

    def _refuse_slow(self) -> None:
        self._refuse_early(too_slow(self._gate.limits.body_timeout))

    def _refuse_early(self, refusal: Refusal) -> None:
        """Answer before the request has ended, then let its rest run out.

        Closing at once would reset the connection, and the sender might never see the answer.
        """
        self._refused = True
        self._stop_waiting()
        self._chunks.clear()
        response = self.aim.dialect.write(self.aim.route, None, refusal)
        self._send_head(response, close=True)
        self._log(response, refusal)
        if self.aim.headers.get("Expect", "").lower() == "100-continue":
            # This sender waits for leave to send its body: there is no rest to wait for.
            self._finish_early()
            return
        asyncio.get_running_loop().call_later(DISCARD_SECONDS, self._finish_early)

    def _finish_early(self) -> None:
        if self._finished:
            return
        self._finished = True
        if self._hung_up:
            return
        self._connection.finish()
        assert self._written is not None
        self._written.add_done_callback(lambda _: self._connection.close())

    def _log(self, response: Response, outcome: Outcome | None) -> None:
        aim = self.aim
        dialect, route = aim.dialect.name, aim.route.template
        refusal = outcome if isinstance(outcome, Refusal) else None
        if refusal is not None and refusal.log and not isinstance(refusal, Failure):
            facts = {"dialect": dialect, "route": route, "cause": refusal.log}
            _log.warning("call refused", extra=facts)
        seconds = (now := clock.monotonic()) - self._started
        self._keep(response, outcome, seconds)
        self._gate.metrics.request_ended(
            dialect=dialect,
            route=route,
            method=aim.known_method,
            status=response.status,
            seconds=seconds,
            now=now,
        )
        log_access(
            dialect=dialect,
            method=aim.known_method,
            route=route,
            status=response.status,
            size=len(response.body),
            seconds=seconds,
            remote=self._remote,
            error_id=refusal.error_id if isinstance(refusal, Failure) else None,
            reason=refusal.reason.value if refusal else None,
            hung_up=self._hung_up,
        )

    def _keep(self, response: Response, outcome: Outcome | None, seconds: float) -> None:
        """Have the journal note what came of this."""
        journal, aim = self._gate.journal, self.aim
        if self._call is not None:
            journal.ended(self._call, outcome, response, seconds)
        elif isinstance(outcome, Refusal) and journal.wants(aim.route, outcome):
            request = aim.request(self._body, self._remote)
            journal.refused(aim.dialect, aim.route, request, outcome, response, seconds)


def _tell_of(pair: Pair) -> None:
    """Log what an exchange raised that should have become an answer."""
    ok, error = pair
    if not ok:
        _log.error("an exchange failed", exc_info=error)
