"""The access log: one line a request, with the route's template and never its path."""

import logging
from collections.abc import Callable

_log = logging.getLogger("tornado_cc.access")

_LINE: dict[str, object] = {
    "name": _log.name,
    "levelno": logging.INFO,
    "levelname": "INFO",
    "msg": "request",
}


Facts = dict[str, object]
"""What one line says."""

_ways: list[Callable[[Facts], None]] = []


def divert(write: Callable[[Facts], None]) -> None:
    """Have the lines written without the machinery of logging, which costs more than they do.

    What `logging` would not write is not to be diverted.

    Args:
        write: what writes one, to where `logging` would have it written.
    """
    _ways[:] = [write]


def log_access(
    *,
    dialect: str,
    method: str,
    route: str,
    status: int,
    size: int,
    seconds: float,
    remote: str,
    error_id: str | None,
    reason: str | None,
    hung_up: bool,
) -> None:
    """Write the line of one answered request.

    Args:
        method: a known one, or `OTHER`.
        route: the template, for example `/webhooks/functions/{name}`.
        size: bytes of the response's body.
        reason: why the call was refused, when it was.
        hung_up: whether the client was gone before its answer.
    """
    if not _ways and not _log.isEnabledFor(logging.INFO):
        return
    facts: Facts = {
        "dialect": dialect,
        "method": method,
        "route": route,
        "status": status,
        "bytes": size,
        # As `round` would have it, which takes longer than the rest of this.
        "ms": int(seconds * 1_000_000 + 0.5) / 1000,
        "remote": remote,
    }
    if reason:
        facts["refused"] = reason
    if error_id:
        facts["error_id"] = error_id
    if hung_up:
        facts["hung_up"] = True
    if _ways:
        _ways[0](facts)
    else:
        _log.handle(logging.makeLogRecord({**_LINE, **facts}))


_METHODS = frozenset(
    {"GET", "HEAD", "POST", "PUT", "DELETE", "PATCH", "OPTIONS", "CONNECT", "TRACE"}
)


def known_method(method: str) -> str:
    """The method, or `OTHER` for one that is not HTTP's: callers choose it."""
    return method if method in _METHODS else "OTHER"


class QuietFramework(logging.Filter):
    """Takes the caller's bytes out of what Tornado logs about a request it could not parse."""

    def filter(self, record: logging.LogRecord) -> bool:
        """Keep the line, without its arguments: they quote the request."""
        if record.args and isinstance(record.msg, str):
            record.msg = record.msg.split(":")[0].replace(" from %s", "")
            record.args = ()
        return True
