"""A sender's repeat is answered as the first was, and runs nothing (docs/reliability.md).

In two phases, over the receipts of the store: a request is begun before its hooks run and done
before its answer is sent. One that a crash leaves begun is run again by its next repeat.
"""

import asyncio
import hashlib
import json
import logging
import math
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace

from tornado_cc.core import clock
from tornado_cc.core.call import Call, CallbackCall, EndpointCall
from tornado_cc.core.errors import Reason, Refusal
from tornado_cc.core.message import Response
from tornado_cc.core.outcome import SILENCE, Outcome
from tornado_cc.core.redact import Redactor
from tornado_cc.server import answers
from tornado_cc.store import Begun, Busy, Receipt, Receipts, StoreUnavailable
from tornado_cc.store.ids import new_ulid

_log = logging.getLogger("tornado_cc.server")

LEASE = 30.0
"""Seconds after which a request is run by somebody else when who runs it gives no sign of life."""
RENEW_EVERY = 10.0
"""Seconds between two signs of life."""
KEEP = 7 * 86_400.0
"""Seconds for which a repeat is known; senders give up after about three days."""
PATIENCE = 20.0
"""Seconds for which a repeat waits for another worker to end; senders wait for about thirty."""
_FIRST_LOOK = 0.05
_LOOK_EVERY = 1.0

_PASSING = (
    Reason.FAILED,
    Reason.UNAVAILABLE,
    Reason.TOO_MANY,
    Reason.UNAUTHORIZED,
    Reason.NO_CREDENTIALS,
    Reason.BAD_TOKEN,
    Reason.BAD_LOGIN,
    Reason.NO_USER,
    Reason.DISABLED,
    Reason.UNVERIFIED,
    Reason.PASSWORD_EXPIRED,
)
"""Reasons that may not be there any more when the request is repeated."""
_TRY_AGAIN = (401, 408, 425, 429)
"""Statuses that ask for a repeat, as all from 500 do."""


@dataclass(frozen=True, slots=True)
class Answered:
    """An answer, and how the call ended; None when the answer is a kept one."""

    response: Response = field(repr=False)
    outcome: Outcome | None


Attempt = Callable[[Call], Awaitable[Answered]]
"""Runs a call and spells its outcome; raises for what no answer can be made of."""


class Idempotency:
    """Knows the repeats of requests that carry an id, whichever worker had the first."""

    def __init__(self, receipts: Receipts, redactor: Redactor) -> None:
        self._receipts = receipts
        self._redactor = redactor
        self._running: dict[bytes, asyncio.Future[Answered]] = {}

    async def answer(self, call: Call, route: str, attempt: Attempt) -> Answered:
        """The answer to a call that is identified and has an id: of its own run or of another.

        Args:
            route: the route's template.
            attempt: runs the call; it is not asked for a repeat.

        Raises:
            StoreUnavailable: nobody can tell whether it was run before, so it was not now.
            Refusal: another worker still runs it, or its answer was not kept.
            Exception: what the attempt raises.
        """
        key = _key(call, route)
        if key is None:
            return await attempt(call)
        running = self._running.get(key)
        if running is not None:
            # Shielded: one of many that wait may be cancelled, and not what all of them wait for.
            answered = await asyncio.shield(running)
            return _replayed(call, answered)
        future = self._running[key] = asyncio.get_running_loop().create_future()
        try:
            answered = await self._first(key, call, attempt)
            future.set_result(answered)
        except asyncio.CancelledError:
            future.cancel()
            raise
        except Exception as error:
            future.set_exception(error)
            # Nobody may be waiting, and asyncio would complain of that.
            future.exception()
            raise
        finally:
            del self._running[key]
        return answered

    async def _first(self, key: bytes, call: Call, attempt: Attempt) -> Answered:
        """The answer to the first call of this worker."""
        claim = _Claim(key, call, self._receipts)
        receipt = await claim.begin()
        if receipt is not None:
            return _stored(call, receipt)
        try:
            async with claim.renewed():
                answered = await attempt(call)
            await self._end(claim, call, answered)
        except BaseException:
            await claim.release()
            raise
        return answered

    async def _end(self, claim: "_Claim", call: Call, answered: Answered) -> None:
        """Keep what a repeat is answered with, or let it run again."""
        if _runs_again(answered):
            await claim.release()
            return
        kept = await answers.may_be_kept(answered.response, call, self._redactor)
        await claim.finish(answered.response if kept else None)


class _Claim:
    """A key, and the name under which this run of its request has it."""

    def __init__(self, key: bytes, call: Call, receipts: Receipts) -> None:
        self._key = key
        self._owner = new_ulid()
        self._receipts = receipts
        # Never the id: whoever sent it chose it.
        self._facts = {"dialect": call.dialect, "hook": call.hook}

    async def begin(self) -> Receipt | None:
        """Take the key, or find what it was answered with; waits while another worker has it.

        Raises:
            StoreUnavailable: it was not taken.
            Refusal: the other worker takes too long.
        """
        until = clock.monotonic() + PATIENCE
        pause = _FIRST_LOOK
        while isinstance(found := await self._begin(), Busy):
            left = until - clock.monotonic()
            if left <= 0:
                raise _in_progress(found)
            await asyncio.sleep(min(pause, left))
            pause = min(2 * pause, _LOOK_EVERY)
        return found if isinstance(found, Receipt) else None

    @asynccontextmanager
    async def renewed(self) -> AsyncIterator[None]:
        """While the request runs: a slow hook is not run by another worker too."""
        renewing = asyncio.create_task(self._renew())
        try:
            yield
        finally:
            renewing.cancel()

    async def finish(self, response: Response | None) -> None:
        """Keep the answer; where it cannot be, the caller gets it all the same."""
        try:
            kept = await self._receipts.finish(self._key, self._owner, response, KEEP)
        except Exception as error:  # noqa: BLE001 - what has been done is answered
            self._tell(logging.ERROR, "answer not kept, a repeat runs again", error)
            return
        if not kept:
            self._tell(logging.WARNING, "request was run by another worker too")

    async def release(self) -> None:
        """Let a repeat run; where that cannot be said, it waits until the lease has ended."""
        try:
            await self._receipts.release(self._key, self._owner)
        except Exception as error:  # noqa: BLE001 - how the call ended is told, and not this
            self._tell(logging.WARNING, "a repeat has to wait", error)

    async def _begin(self) -> Begun | Busy | Receipt:
        return await self._receipts.begin(self._key, self._owner, LEASE)

    async def _renew(self) -> None:
        while True:
            await asyncio.sleep(RENEW_EVERY)
            try:
                if not await self._receipts.renew(self._key, self._owner, LEASE):
                    return
            except StoreUnavailable as error:
                self._tell(logging.WARNING, "lease not renewed", error)

    def _tell(self, level: int, message: str, error: Exception | None = None) -> None:
        cause = error.log if isinstance(error, StoreUnavailable) else type(error).__name__
        facts = self._facts if error is None else {**self._facts, "cause": cause}
        _log.log(level, message, extra=facts)


def _key(call: Call, route: str) -> bytes | None:
    """What a request and its repeats have in common, and no other; None where nobody can tell."""
    scope = _scope(call)
    if scope is None:
        return None
    # JSON, so that no two lists of parts read alike.
    parts = [call.dialect, route, call.claim, scope, call.idempotency_key]
    return hashlib.sha256(json.dumps(parts).encode()).digest()


def _scope(call: Call) -> tuple[object, ...] | None:
    """Whose ids these are: two senders may use the same ones, and must not get each other's answer.

    None for somebody unknown: whoever guesses the id of another such would get that one's answer.
    """
    if isinstance(call, CallbackCall):
        return call.credential, call.player_id
    if isinstance(call, EndpointCall):
        if call.access_key_type is None and call.user_id is None:
            return None
        # One endpoint may serve many paths, each for another thing.
        return call.access_key_type, call.user_id, call.request.path
    return call.master, call.user_id


def _runs_again(answered: Answered) -> bool:
    """Whether a repeat is to run: nobody was there, or nothing was done that counts."""
    outcome = answered.outcome
    if outcome is SILENCE:
        return True
    if isinstance(outcome, Refusal) and (
        outcome.reason in _PASSING or outcome.retry_after is not None
    ):
        return True
    return answered.response.status >= 500 or answered.response.status in _TRY_AGAIN


def _stored(call: Call, receipt: Receipt) -> Answered:
    if receipt.response is None:
        raise Refusal(
            "This request was answered before, and the answer is not kept", reason=Reason.ANSWERED
        )
    return _replayed(call, Answered(receipt.response, None))


def _replayed(call: Call, answered: Answered) -> Answered:
    _log.info("repeat answered", extra={"dialect": call.dialect, "hook": call.hook})
    headers = (*answered.response.headers, ("Idempotent-Replayed", "true"))
    return replace(answered, response=answered.response._replace(headers=headers))


def _in_progress(busy: Busy) -> Refusal:
    seconds = min(max(math.ceil(busy.seconds), 1), math.ceil(LEASE))
    return Refusal(
        "This request is being run already", reason=Reason.IN_PROGRESS, retry_after=seconds
    )
