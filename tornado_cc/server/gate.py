"""The gate: request -> dialect -> flow -> dialect -> reply, under any HTTP/1.1 connection."""

import asyncio
import logging
import re
from dataclasses import replace
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
from tornado_cc.core.message import Headers, Request, Response
from tornado_cc.core.outcome import Outcome
from tornado_cc.core.ports import Dialect, Route
from tornado_cc.flows import Flows
from tornado_cc.server import headers as header_writer
from tornado_cc.server.access import log_access
from tornado_cc.server.connection import Connection, Fields
from tornado_cc.server.guard import Guard
from tornado_cc.server.idempotency import Answered, Idempotency
from tornado_cc.server.journal import Journal
from tornado_cc.server.limits import (
    DISCARD_BYTES,
    DISCARD_SECONDS,
    Limits,
    announced_size,
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
        self._running: set[asyncio.Task[None]] = set()

    def start_request(self, server_conn: object, request_conn: HTTPConnection) -> "Exchange":
        """Tornado's hook for a new request on a connection."""
        return Exchange(self, cast(Connection, request_conn))

    def spawn(self, exchange: "Exchange") -> None:
        """Answer a complete request in a task of its own."""
        task = asyncio.get_running_loop().create_task(exchange.answer())
        self._running.add(task)
        task.add_done_callback(self._running.discard)

    @property
    def is_busy(self) -> bool:
        """Whether a request is being answered or is still arriving."""
        return bool(self._running or self.arriving)

    @property
    def running(self) -> frozenset[asyncio.Task[None]]:
        """The requests being answered."""
        return frozenset(self._running)


class Exchange(HTTPMessageDelegate):
    """One request and its answer."""

    def __init__(self, gate: Gate, connection: Connection) -> None:
        self._gate = gate
        self._connection = connection
        self._started = clock.monotonic()
        self._line: RequestStartLine
        self._headers: Fields
        self._dialect: Dialect
        self._route: Route
        self._call: Call | None = None
        self._remote = ""
        self._path = ""
        self._query = ""
        self._chunks: list[bytes] = []
        self._size = 0
        self._refused = False
        self._hung_up = False
        self._finished = False
        self._written: asyncio.Future[None] | None = None
        self._gone: asyncio.Future[None] | None = None
        self._slow: asyncio.TimerHandle | None = None

    def headers_received(
        self, start_line: RequestStartLine | ResponseStartLine, headers: Fields
    ) -> None:
        """The head has arrived: find the dialect, and refuse what is too much already."""
        self._line = cast(RequestStartLine, start_line)
        self._headers = headers
        self._remote = self._gate.remote.of(self._connection.context.remote_ip, headers)
        self._path, _, self._query = _origin_form(self._line.path).partition("?")
        self._gate.arriving.add(self)
        self._dialect = self._gate.mounts.find(self._path)
        self._route = self._dialect.match(self._line.method, self._path)
        refusal = self._gate.limits.refusal_of_head(self._line, headers)
        size = announced_size(headers)
        if refusal is None and size is not None and size > self._max_body:
            refusal = too_large(self._max_body)
        if refusal is not None:
            self._refuse_early(refusal)
        elif size != 0 and (size or "Transfer-Encoding" in headers):
            seconds = self._gate.limits.body_timeout
            self._slow = asyncio.get_running_loop().call_later(seconds, self._refuse_slow)

    def data_received(self, chunk: bytes) -> None:
        """A piece of the body."""
        self._size += len(chunk)
        if self._refused:
            if self._size > DISCARD_BYTES:
                self._finish_early()
            return
        if self._size > self._max_body:
            self._refuse_early(too_large(self._max_body))
            return
        self._chunks.append(chunk)

    def finish(self) -> None:
        """The request is complete."""
        self._stop_waiting()
        if self._refused:
            self._finish_early()
            return
        self._connection.set_close_callback(self.on_connection_close)
        self._gate.spawn(self)

    def on_connection_close(self) -> None:
        """The client has gone; what runs for it goes on, its answer is dropped."""
        self._hung_up = True
        self._stop_waiting()
        if self._gone is not None and not self._gone.done():
            self._gone.set_result(None)

    async def answer(self) -> None:
        """Read, run, write. Whatever happens in between, the caller gets the dialect's answer."""
        await self._run()
        await self._flushed()
        if self._gate.draining:
            # A connection kept alive would bring requests until the very end.
            self._connection.close()

    async def _run(self) -> None:
        call: Call | None = None
        outcome: Outcome
        try:
            read = self._gate.guard.read(self._dialect, self._route, self._request())
            if isinstance(read, Response):
                self._send(read, None)
                return
            call = self._call = read
            CURRENT.set(call)
            call.record = self._gate.journal.opened(self._dialect, self._route, call)
            await self._gate.flows.identify(call)
            if call.idempotency_key is not None:
                answered = await self._gate.idempotency.answer(
                    call, self._route.template, self._attempt
                )
                self._send(answered.response, answered.outcome)
                return
            outcome = await self._gate.flows.run(call, self._dialect.accept)
        except Refusal as refusal:
            outcome = refusal
        except asyncio.CancelledError:
            outcome = Refusal("The server is stopping", reason=Reason.UNAVAILABLE)
        except Exception as error:  # noqa: BLE001 - a caller gets an answer whatever fails
            outcome = failure_of(error)
        self._write(call, outcome)

    async def _attempt(self, call: Call) -> Answered:
        """Run a call and spell its outcome; raises for an answer that cannot be sent."""
        outcome = await self._gate.flows.run(call, self._dialect.accept)
        response = self._dialect.write(self._route, call, outcome)
        header_writer.head(response, close=False)
        return Answered(response, outcome)

    @property
    def _max_body(self) -> int:
        return self._dialect.max_body or self._gate.limits.max_body

    def _request(self) -> Request:
        return Request(
            method=self._line.method,
            path=self._path,
            query=self._query,
            headers=Headers(self._headers.get_all()),
            body=b"".join(self._chunks),
            remote=self._remote,
        )

    def _write(self, call: Call | None, outcome: Outcome) -> None:
        try:
            response = self._dialect.write(self._route, call, outcome)
            self._send(response, outcome)
        except Exception as error:  # noqa: BLE001 - a caller gets an answer whatever fails
            failure = failure_of(error)
            self._send(self._dialect.write(self._route, call, failure), failure)

    def _send(self, response: Response, outcome: Outcome | None) -> None:
        """One write, head and body together."""
        response = _with_retry_after(response, outcome)
        self._send_head(response, close=self._gate.draining)
        self._connection.finish()
        self._log(response, outcome)

    def _send_head(self, response: Response, *, close: bool) -> None:
        line, headers = header_writer.head(response, close=close)
        body = response.body if header_writer.has_body(self._line.method, response) else b""
        self._written = self._connection.write_headers(line, headers, body)

    async def _flushed(self) -> None:
        """Wait until the answer is sent or nobody is there to read it: a drain waits for that."""
        assert self._written is not None
        if self._written.done() or self._hung_up:
            return
        self._gone = asyncio.get_running_loop().create_future()
        await asyncio.wait({self._written, self._gone}, return_when=asyncio.FIRST_COMPLETED)

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
        response = self._dialect.write(self._route, None, refusal)
        self._send_head(response, close=True)
        self._log(response, refusal)
        if self._headers.get("Expect", "").lower() == "100-continue":
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
        refusal = outcome if isinstance(outcome, Refusal) else None
        if refusal is not None and refusal.log and not isinstance(refusal, Failure):
            facts = {"dialect": self._dialect.name, "route": self._route.template}
            _log.warning("call refused", extra={**facts, "cause": refusal.log})
        seconds = clock.monotonic() - self._started
        self._keep(response, outcome, seconds)
        self._gate.metrics.request_ended(
            dialect=self._dialect.name,
            route=self._route.template,
            method=self._line.method,
            status=response.status,
            seconds=seconds,
        )
        log_access(
            dialect=self._dialect.name,
            method=self._line.method,
            route=self._route.template,
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
        journal = self._gate.journal
        if self._call is not None:
            journal.ended(self._call, outcome, response, seconds)
        elif isinstance(outcome, Refusal) and journal.wants(self._route, outcome):
            request = self._request()
            journal.refused(self._dialect, self._route, request, outcome, response, seconds)


def _origin_form(target: str) -> str:
    """The path and query of a request target; proxies may send `http://host/path`."""
    scheme, separator, rest = target.partition("://")
    if separator and scheme.lower() in ("http", "https"):
        authority = re.split(r"[/?]", rest, maxsplit=1)[0]
        target = rest[len(authority) :]
        return target if target.startswith("/") else f"/{target}"
    return target


def _with_retry_after(response: Response, outcome: Outcome | None) -> Response:
    """The answer to a refusal that will not last; one that is no error says nothing about it."""
    if response.status < 400 or not isinstance(outcome, Refusal) or outcome.retry_after is None:
        return response
    line = ("Retry-After", str(outcome.retry_after))
    return replace(response, headers=(*response.headers, line))


def failure_of(error: Exception) -> Failure:
    """What a caller is told when the server itself fails; the log has the rest."""
    failure = Failure(f"the server raised {type(error).__name__}")
    _log.error("request failed", exc_info=error, extra={"error_id": failure.error_id})
    return failure
