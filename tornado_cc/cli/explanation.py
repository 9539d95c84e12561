"""Why the credentials or the signature of a recorded request were taken or not, and what to do."""

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType

from tornado_cc.cli import tables
from tornado_cc.cli.output import say
from tornado_cc.core.errors import Reason
from tornado_cc.core.record import ACCEPTED, Record
from tornado_cc.core.verdict import Verdict

_NOT_JUDGED = "not judged"

_TO_DO: Mapping[str, str] = MappingProxyType(
    {
        _NOT_JUDGED: "Its credentials were not looked at. See the cause: it was refused before.",
        Verdict.ACCEPTED: "Nothing: its credentials were good.",
        Verdict.PREVIOUS: "It was taken. Give the sender the new secret, and when these have ended"
        " remove previous_secret from the conf.",
        Verdict.MISSING: "Sign at the sender: set a secret there. If it does sign, something on the"
        " way removes the header, or the scheme in the conf is another one than the sender's.",
        Verdict.MALFORMED: "Compare the scheme in the conf with what the sender documents. Nobody"
        " but the sender can mend the header.",
        Verdict.OTHER_SCHEME: "Set the scheme of the provider that sends here, or give this"
        " provider the URL of its own source.",
        Verdict.CLOCK: "Set the clock of this machine (timedatectl), or the sender's. If both are"
        " right, it was held up on the way, or somebody sent it a second time: then it was refused"
        " rightly.",
        Verdict.BODY: "Have whatever stands between the sender and this server, a proxy or a"
        " gateway, pass the body on as it is, byte for byte.",
        Verdict.KEY: "Write the secret into the conf exactly as the sender shows it, without white"
        " space; for the scheme hmac, compare secret_encoding.",
        Verdict.OTHER_SOURCE: "Two secrets or two URLs have been mixed up: give the sender the URL"
        " of the source whose secret it has.",
        Verdict.WRONG: "Copy the secret from the sender into the conf once more; while you change"
        " it, keep the old one as previous_secret. If it is right, somebody else has sent this.",
        Reason.UNAUTHORIZED.value: "Compare the key or the secret that the sender uses with the"
        " conf. If it is right, somebody has been guessing.",
        Reason.NO_CREDENTIALS.value: "Send a key or an access token; the endpoint asks for one.",
        Reason.BAD_TOKEN.value: "Log in again: the access token is unknown, revoked or expired.",
        Reason.NO_USER.value: "Log in first: the endpoint is for users only.",
    }
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Explanation:
    """How a request was judged when it came.

    Attributes:
        cause: what was found out about it; None when there was nothing to find out.
        to_do: what somebody may do about it.
    """

    id: str
    received_at: str
    route: str
    status: int | None
    verdict: str
    cause: str | None
    to_do: str


def of(record: Record) -> Explanation:
    """The explanation of one request."""
    # Without a hook it made no call: its size, its method or its path was refused first.
    is_judged = record.verdict != ACCEPTED or bool(record.hook)
    return Explanation(
        id=record.id,
        received_at=record.received_at,
        route=record.route,
        status=record.status,
        verdict=record.verdict if is_judged else _NOT_JUDGED,
        cause=record.cause,
        to_do=_TO_DO.get(record.verdict if is_judged else _NOT_JUDGED, "-"),
    )


def show(found: Explanation) -> None:
    """Print it."""
    tables.show(
        ("field", "value"),
        [
            ("id", found.id),
            ("received", found.received_at),
            ("route", found.route),
            ("status", "-" if found.status is None else str(found.status)),
            ("verdict", found.verdict),
            ("cause", found.cause or "-"),
        ],
    )
    say("")
    say(found.to_do)
