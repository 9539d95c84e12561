"""Between the gate and a dialect: who has been guessing is not told whether a guess fits."""

import logging

from tornado_cc.core import clock
from tornado_cc.core.call import Call
from tornado_cc.core.errors import Reason, Refusal
from tornado_cc.core.message import Request, Response
from tornado_cc.core.ports import Dialect, Route
from tornado_cc.core.record import ACCEPTED
from tornado_cc.flows.attempts import MINUTE, Attempts

_log = logging.getLogger("tornado_cc.server")


class Guard:
    """Reads requests, and counts the credentials that a dialect did not take."""

    def __init__(self, attempts: Attempts) -> None:
        self._attempts = attempts
        self._told: dict[str, float] = {}

    def read(self, dialect: Dialect, route: Route, request: Request) -> Call | Response:
        """What the dialect reads.

        A blocked address is refused before: a dialect looks at the method or the body only when the
        key is right, so that any other refusal of its own would say that it is.

        Raises:
            Refusal: the dialect's, or that the address has had its attempts.
        """
        blocked = self._attempts.refusal(request.remote)
        if blocked is not None and dialect.carries_credentials(route, request):
            raise blocked
        try:
            read = dialect.read(route, request)
        except Refusal as refusal:
            if refusal.reason is Reason.UNAUTHORIZED:
                self._attempts.note(request.remote)
            raise
        if isinstance(read, Call):
            self._judge(read, route)
        return read

    def _judge(self, call: Call, route: Route) -> None:
        """Count what was passed over, and tell of what is good for now only."""
        if call.bad_credentials:
            self._attempts.note(call.request.remote)
        if call.verdict == ACCEPTED:
            return
        now = clock.monotonic()
        if now - self._told.get(route.template, -MINUTE) < MINUTE:
            return
        self._told[route.template] = now
        facts = {"dialect": call.dialect, "route": route.template, "cause": call.verdict}
        _log.warning("credentials should be changed", extra=facts)
