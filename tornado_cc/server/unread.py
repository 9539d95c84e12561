"""Answers to what never became a request: nothing of it is known that a dialect could be asked."""

from tornado_cc.core import clock
from tornado_cc.core.errors import Reason, Refusal
from tornado_cc.core.ports import Route
from tornado_cc.server import headers as header_writer
from tornado_cc.server.access import known_method, log_access
from tornado_cc.server.metrics import Metrics
from tornado_cc.server.mounts import OwnPaths

_OWN = OwnPaths({})
_ROUTE = Route("unread", "unread")


def malformed(why: str) -> Refusal:
    """The refusal of what is no request.

    Args:
        why: a sentence of ours or of llhttp's, with nothing of the sender's in it.
    """
    return Refusal(f"Malformed request: {why}", reason=Reason.MALFORMED)


def head_too_large() -> Refusal:
    """The refusal of a head so large that it was not read to its end."""
    return Refusal("Request headers are too large", reason=Reason.HEADERS_TOO_LARGE)


def head_too_slow(seconds: float) -> Refusal:
    """The refusal of a head that does not arrive."""
    return Refusal(f"The headers took longer than {seconds:g} s", reason=Reason.TOO_SLOW)


def too_many_connections() -> Refusal:
    """The refusal of a connection that is one too many."""
    return Refusal("Too many connections", reason=Reason.UNAVAILABLE)


def answer(refusal: Refusal, *, metrics: Metrics, remote: str, since: float) -> bytes:
    """The whole answer to such a thing, logged and counted.

    Args:
        remote: the peer's address: whom a proxy would name is not known.
        since: when it began, on the monotonic clock.
    """
    response = _OWN.write(_ROUTE, None, refusal)
    now = clock.monotonic()
    seconds = now - since
    dialect, route, method = _OWN.name, _ROUTE.template, known_method("")
    metrics.request_ended(
        dialect=dialect,
        route=route,
        method=method,
        status=response.status,
        seconds=seconds,
        now=now,
    )
    log_access(
        dialect=dialect,
        method=method,
        route=route,
        status=response.status,
        size=len(response.body),
        seconds=seconds,
        remote=remote,
        error_id=None,
        reason=refusal.reason.value,
        hung_up=False,
    )
    line, headers = header_writer.head(response, close=True)
    return header_writer.spelt(line, headers) + response.body
