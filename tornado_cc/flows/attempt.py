"""One attempt at a delivery: what performs it, how it ended, what comes of that."""

import logging
import random
from dataclasses import dataclass, replace
from typing import Any, Protocol

from tornado_cc.core import clock
from tornado_cc.core.call import CURRENT, Call
from tornado_cc.core.errors import Failure, Reason, Refusal
from tornado_cc.core.redact import Redactor
from tornado_cc.flows.players import load
from tornado_cc.hooks import Fires, Implementation
from tornado_cc.settings import DeliveriesSettings
from tornado_cc.store import Players
from tornado_cc.store.outbox import SUSPECT_AFTER, Claimed, End

_log = logging.getLogger("tornado_cc.flows")

_LONGEST_WAIT = 86_400.0
_LONGEST_ERROR = 1000
"""Characters of an error that are kept with each attempt."""
_WORKER_LOST = "the worker ended during this attempt"
_POSTPONED = "not run, because its last attempts ended their worker"
_GIVEN_BACK = "the server stopped during this attempt"


@dataclass(frozen=True, slots=True, kw_only=True)
class Attempt:
    """How an attempt ended.

    Attributes:
        error: why it failed, without secrets; None when it is done.
        error_id: the id under which the log has more.
        retry_after: seconds after which the plugin itself wants to be asked again, no matter how
            often it has failed.
        not_before: seconds for which a receiver wants to be left alone.
        retry_within: seconds after which another attempt is of no use any more; None is never.
        final: whether no further attempt can go better.
        version: of the plugin that ran.
    """

    error: str | None = None
    error_id: str | None = None
    retry_after: float | None = None
    not_before: float | None = None
    retry_within: float | None = None
    final: bool = False
    version: str = ""


class Performs(Protocol):
    """What does the work of one kind of delivery."""

    async def perform(self, claimed: Claimed) -> Attempt:
        """Do it once."""
        ...


class Policy:
    """When a failed delivery is tried again, and when no more."""

    def __init__(self, settings: DeliveriesSettings) -> None:
        self._waits = settings.retry
        self._jitter = settings.jitter / 100

    def end(self, claimed: Claimed, attempt: Attempt) -> End:
        """What becomes of a delivery after an attempt."""
        if attempt.error is None:
            return _end(claimed, "done", attempt, claimed.failures)
        failures = [*claimed.failures, _failure(claimed.attempts, attempt)]
        wait = None if attempt.final else self._wait(claimed.attempts, attempt)
        if wait is None or (attempt.retry_within is not None and wait >= attempt.retry_within):
            return _end(claimed, "dead", attempt, failures)
        return _end(claimed, "ready", attempt, failures, wait)

    def lost(self, claimed: Claimed) -> tuple[Claimed, bool]:
        """A claimed delivery with the attempts noted whose worker ended, and whether to run it now.

        One such end may have nothing to do with it, and it runs again at once. After a second it
        does so as the only one of its kind (see `is_suspect`). One that takes its worker with it
        even then has to wait its turn, or the server would never come to anything else.
        """
        before = claimed.failures[-1] if claimed.failures else {}
        noted = before.get("attempt", 0)
        # One that was redriven counts its attempts anew.
        noted = noted if noted < claimed.attempts else 0
        lost = range(noted + 1, claimed.attempts)
        if not lost:
            return claimed, True
        notes = [_failure(number, Attempt(error=_WORKER_LOST)) for number in lost]
        is_known = len(lost) > SUSPECT_AFTER or before.get("error") == _POSTPONED
        is_to_run = not is_known and claimed.attempts <= len(self._waits) + 1
        return replace(claimed, failures=[*claimed.failures, *notes]), is_to_run

    def postponed(self, claimed: Claimed) -> End:
        """What becomes of one that has taken too many workers with it to be run now."""
        return self.end(claimed, Attempt(error=_POSTPONED))

    def _wait(self, attempts: int, attempt: Attempt) -> float | None:
        if attempts > len(self._waits):
            return None
        if attempt.retry_after is not None:
            return min(attempt.retry_after, _LONGEST_WAIT)
        # No secret depends on it.
        spread = random.uniform(1 - self._jitter, 1 + self._jitter)  # noqa: S311 - see above
        return max(self._waits[attempts - 1] * spread, min(attempt.not_before or 0, _LONGEST_WAIT))


def is_suspect(claimed: Claimed) -> bool:
    """Whether one that runs was running at two ends of its worker, and may have caused them."""
    last = claimed.failures[-1] if claimed.failures else {}
    was_lost = (last.get("attempt"), last.get("error")) == (claimed.attempts - 1, _WORKER_LOST)
    return was_lost and claimed.attempts > SUSPECT_AFTER


def given_back(claimed: Claimed) -> End:
    """What becomes of one whose worker stops: the next one runs it at once."""
    attempt = Attempt(error=_GIVEN_BACK)
    failures = [*claimed.failures, _failure(claimed.attempts, attempt)]
    return _end(claimed, "ready", attempt, failures)


def is_opinion(refusal: Refusal) -> bool:
    """Whether a plugin refused what has happened already: too late, and no failure.

    A refusal of the server's own rooms, such as a database that is away, is a failure.
    """
    return refusal.reason is Reason.REFUSED and refusal.retry_after is None


async def run_once(
    one: Implementation,
    call: Call,
    players: Players,
    runner: Fires,
    redactor: Redactor,
    opinion: str,
) -> Attempt:
    """Run one implementation in the name of a call.

    Args:
        opinion: what the log says when it refuses, which changes nothing any more.
    """
    CURRENT.set(call)
    await load(call, players)
    fired = await runner.run(one, call.given_to(one.plugin, one.settings, one.log))
    if fired.refusal is not None and is_opinion(fired.refusal):
        facts = {"hook": one.hook, "plugin": one.plugin, "refusal": fired.refusal.message}
        _log.warning(opinion, extra=facts)
    return of_refusal(fired.refusal, one.version, redactor)


def of_refusal(refusal: Refusal | None, version: str, redactor: Redactor) -> Attempt:
    """How a hook ended."""
    if refusal is None or is_opinion(refusal):
        return Attempt(version=version)
    if not isinstance(refusal, Failure):
        error = refusal.log or refusal.message
        return Attempt(error=_short(error, redactor), retry_after=refusal.retry_after)
    error = refusal.log if refusal.error is None else f"{refusal.log}: {refusal.detail}"
    return Attempt(error=_short(error, redactor), error_id=refusal.error_id, version=version)


def _short(error: str, redactor: Redactor) -> str:
    return redactor.kept(error)[:_LONGEST_ERROR]


def _failure(number: int, attempt: Attempt) -> dict[str, Any]:
    facts = {"attempt": number, "at": clock.now(), "error": attempt.error}
    return {**facts, "error_id": attempt.error_id} if attempt.error_id else facts


def _end(
    claimed: Claimed, state: str, attempt: Attempt, failures: list[dict[str, Any]], wait: float = 0
) -> End:
    return End(claimed=claimed, state=state, failures=failures, delay=wait, version=attempt.version)
