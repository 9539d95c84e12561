"""The access log: one line a request, with the route's template and never its path."""

import logging

_log = logging.getLogger("tornado_cc.access")

_LINE: dict[str, object] = {
    "name": _log.name,
    "levelno": logging.INFO,
    "levelname": "INFO",
    "msg": "request",
}


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
        method: as sent.
        route: the template, for example `/webhooks/functions/{name}`.
        size: bytes of the response's body.
        reason: why the call was refused, when it was.
        hung_up: whether the client was gone before its answer.
    """
    if not _log.isEnabledFor(logging.INFO):
        return
    line: dict[str, object] = {
        **_LINE,
        "dialect": dialect,
        "method": known_method(method),
        "route": route,
        "status": status,
        "bytes": size,
        "ms": round(seconds * 1000, 3),
        "remote": remote,
    }
    if reason:
        line["refused"] = reason
    if error_id:
        line["error_id"] = error_id
    if hung_up:
        line["hung_up"] = True
    # To find out who calls, as `_log.info` does, would cost more than the rest of the line.
    _log.handle(logging.makeLogRecord(line))


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
