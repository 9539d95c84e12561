"""A sender's own id of a request, by which its repeats are known."""

from collections.abc import Sequence

from tornado_cc.core.errors import Reason, Refusal
from tornado_cc.core.message import Request

LONGEST = 255
"""Characters of an id; those in use have about forty."""


def key_of(request: Request, headers: Sequence[str]) -> str | None:
    """The id of a request, None when it has none.

    Args:
        headers: the names of headers that may hold it; the first that is there counts.

    Raises:
        Refusal: that header is empty or too long. Passed over, its repeat would run twice.
    """
    name = next((one for one in headers if one in request.headers), None)
    if name is None:
        return None
    key = request.headers[name].strip()
    if not key:
        raise Refusal(f"The header {name} is empty", reason=Reason.MALFORMED)
    if len(key) > LONGEST:
        raise Refusal(
            f"The header {name} is longer than {LONGEST} characters", reason=Reason.MALFORMED
        )
    return key
