"""What the server says when it fails itself."""

import logging

from tornado_cc.core.errors import Failure

_log = logging.getLogger("tornado_cc.server")


def failure_of(error: Exception) -> Failure:
    """What a caller is told when the server itself fails; the log has the rest."""
    failure = Failure(f"the server raised {type(error).__name__}")
    _log.error("request failed", exc_info=error, extra={"error_id": failure.error_id})
    return failure
