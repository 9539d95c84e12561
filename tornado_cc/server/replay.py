"""A recorded request once more, through the plugins as they are now: the replay is not recorded."""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass, field

from tornado_cc import hooks
from tornado_cc.core.call import CURRENT, Call, TriggerCall
from tornado_cc.core.errors import Failure, Refusal
from tornado_cc.core.message import Response
from tornado_cc.core.meter import Unmetered
from tornado_cc.core.outcome import Outcome, Reply
from tornado_cc.core.ports import Dialect, Route, Vouched
from tornado_cc.core.record import Record
from tornado_cc.core.redact import Redactor
from tornado_cc.flows.afterwards import request_of
from tornado_cc.flows.attempt import Attempt
from tornado_cc.outbound import UnsentClient
from tornado_cc.server import headers as header_writer
from tornado_cc.server.build import Built
from tornado_cc.server.failing import failure_of
from tornado_cc.server.rehearsal import Note, Rehearsal
from tornado_cc.server.runtime import Runtime
from tornado_cc.store.lanes import NewDelivery


class NotReplayable(Exception):
    """A request cannot be replayed; the message says why."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Ran:
    """How one implementation of an after-hook ended; `error` is None when it ended well."""

    plugin: str
    target: str
    error: str | None
    error_id: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """What a caller got, or would have got, without secrets."""

    status: int
    body: bytes = field(repr=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class Replayed:
    """What came of a replay.

    Attributes:
        answer: None of an after-event, whose caller is not waited for.
        ran: the after-hooks that ran for it; None for what is no after-event.
        notes: what was noted instead of done; None when it was done.
    """

    record: Record
    answer: Answer | None
    ran: Sequence[Ran] | None
    notes: Sequence[Note] | None

    @property
    def stored(self) -> Answer | None:
        """What its caller got the first time, None when that was not kept."""
        if self.record.status is None or self.record.answer is None:
            return None
        return Answer(status=self.record.status, body=self.record.answer)

    @property
    def is_same(self) -> bool | None:
        """Whether both answers are the same; None when there are no two."""
        if self.answer is None or self.stored is None:
            return None
        return self.answer == self.stored


async def replay(built: Built, request_id: str, *, dry_run: bool, force: bool) -> Replayed:
    """Run a request that the journal has once more.

    Args:
        dry_run: whether requests to others and writes to the store are noted instead of done.
        force: whether to run what the journal has not all of, with what it has.

    Raises:
        NotReplayable: there is no such request, or it is not to be run.
        StartError: a plugin's `on_start` failed.
        CannotOpen, SchemaError, StoreUnavailable: the database cannot be used.
    """
    hooks.install(asyncio.get_running_loop())
    rehearsal = Rehearsal(Redactor(built.secrets())) if dry_run else None
    client = None if rehearsal is None else UnsentClient(rehearsal.request)
    runtime = Runtime(built, Unmetered(), client)
    try:
        await runtime.store.open_for_command()
        record = await runtime.store.requests.get(request_id)
        dialect, record = _checked(built, request_id, record, force=force)
        if rehearsal is not None:
            runtime.store.undo_writes(rehearsal.change)
        await runtime.client.open()
        return await _Replay(runtime, dialect, record, rehearsal).run()
    finally:
        await runtime.client.close()
        await runtime.store.close()


def _checked(
    built: Built, request_id: str, record: Record | None, *, force: bool
) -> tuple[Dialect, Record]:
    """The dialect of a request that may be replayed. Raises `NotReplayable`."""
    if record is None:
        raise NotReplayable(f"there is no request {request_id}")
    dialect = next((one for one in built.dialects if one.name == record.dialect), None)
    if dialect is None:
        raise NotReplayable(f"request {request_id} came to {record.dialect}, which is not on here")
    if record.not_replayable is not None and not force:
        raise NotReplayable(
            f"request {request_id} cannot be replayed as it was: {record.not_replayable}; --force"
            " replays what was kept of it"
        )
    return dialect, record


class _Replay:
    """One replay, on a runtime that is open."""

    def __init__(
        self, runtime: Runtime, dialect: Dialect, record: Record, rehearsal: Rehearsal | None
    ) -> None:
        self._runtime = runtime
        self._dialect = dialect
        self._record = record
        self._rehearsal = rehearsal
        self._route: Route = dialect.match(record.method, record.path)
        self._call: Call | None = None
        self._ran: list[Ran] | None = None

    async def run(self) -> Replayed:
        self._enter("on_start")
        await self._runtime.start_plugins()
        try:
            self._enter("request")
            response, outcome = await self._answered()
        finally:
            self._enter("on_stop")
            await self._runtime.stop_plugins()
        return Replayed(
            record=self._record,
            answer=self._kept(response, outcome) if self._ran is None else None,
            ran=self._ran,
            notes=None if self._rehearsal is None else self._rehearsal.notes,
        )

    def _enter(self, phase: str) -> None:
        if self._rehearsal is not None:
            self._rehearsal.phase = phase

    async def _answered(self) -> tuple[Response, Outcome | None]:
        """The answer, as the gate would have sent it."""
        try:
            outcome = await self._outcome()
        except Refusal as refusal:
            outcome = refusal
        except Exception as error:  # noqa: BLE001 - a caller gets an answer whatever fails
            outcome = failure_of(error)
        if isinstance(outcome, Response):
            return outcome, None
        try:
            return self._spelt(outcome), outcome
        except Exception as error:  # noqa: BLE001 - a caller gets an answer whatever fails
            outcome = failure_of(error)
            return self._spelt(outcome), outcome

    async def _outcome(self) -> Outcome | Response:
        record = self._record
        # Its credentials were good when it came, and were not kept.
        vouched = Vouched(record.user_id, record.master)
        call = self._dialect.read(self._route, request_of(record), vouched)
        if isinstance(call, Response):
            return call
        self._call = call
        CURRENT.set(call)
        # So that after-hooks of what it stores lead back to the request as well.
        call.record = record
        if isinstance(call, TriggerCall) and call.afterwards:
            self._ran = [_ran(*one) for one in await self._runtime.afterwards.run_now(call)]
            return Reply()
        if (identified := self._runtime.flows.identify(call)) is not None:
            await identified
        return await self._runtime.flows.run(call, self._dialect.accept)

    def _spelt(self, outcome: Outcome) -> Response:
        response = self._dialect.write(self._route, self._call, outcome)
        header_writer.head(response, close=False)
        return response

    def _kept(self, response: Response, outcome: Outcome | None) -> Answer:
        """The answer as the journal would keep it, or every one with a secret would differ.

        The id of a failure is another each time, and is no difference.
        """
        body = self._runtime.redactor.kept_body(response.body)
        if isinstance(outcome, Failure) and self._record.error_id is not None:
            body = body.replace(outcome.error_id.encode(), self._record.error_id.encode())
        return Answer(status=response.status, body=body)


def _ran(one: NewDelivery, attempt: Attempt) -> Ran:
    return Ran(plugin=one.plugin, target=one.target, error=attempt.error, error_id=attempt.error_id)
