"""A request as the journal keeps it: without secrets, and with what came of it."""

from dataclasses import dataclass, field

ACCEPTED = "accepted"
"""The verdict on good credentials, and the outcome of an event that is kept to be run."""


@dataclass(slots=True, kw_only=True)
class Record:
    """One request. What stands here has been through the redactor.

    Attributes:
        id: a ULID, which sorts by the time of arrival.
        received_at: ISO 8601.
        route: the route's template.
        path, query: as on the wire, with masks in place of credentials.
        headers: in the order received, with masks.
        body: as received, with masks; None when it is larger than the journal keeps.
        size: bytes of the body as received.
        not_replayable: why it cannot be replayed; None when it can.
        verdict: `accepted`, or why its credentials were refused.
        hook: the hook it fired, with its claim.
        plugins: who was asked, each with its version.
        user_id, master: in whose name it was run.
        outcome: `accepted`, `replied`, `silent`, `refused` or `failed`; None while it runs.
        cause: what only the log says about a refusal.
        status, answer: what its caller got; None for an event, whose caller is not waited for.
        ms: milliseconds from the head of the request to its answer.
    """

    id: str
    received_at: str
    dialect: str
    method: str
    route: str
    path: str = field(repr=False)
    query: str = field(repr=False)
    headers: list[list[str]] = field(repr=False)
    body: bytes | None = field(repr=False)
    size: int
    remote: str
    not_replayable: str | None = None
    verdict: str = ACCEPTED
    hook: str = ""
    plugins: str = ""
    user_id: str | None = None
    master: bool = False
    outcome: str | None = None
    cause: str | None = None
    error_id: str | None = None
    status: int | None = None
    ms: float | None = None
    answer: bytes | None = field(default=None, repr=False)
