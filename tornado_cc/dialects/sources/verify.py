"""Whether a request was signed by its source, lately. Never raises anything but a refusal."""

import hashlib
import math
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

from tornado_cc.core import clock
from tornado_cc.core.errors import Reason, Refusal
from tornado_cc.core.message import Request
from tornado_cc.core.secret import Secret
from tornado_cc.core.verdict import Verdict
from tornado_cc.dialects.sources.scheme import Scheme, keys_of
from tornado_cc.dialects.sources.settings import SourceSettings

_TIMESTAMP = re.compile(r"[0-9]{1,12}")
_MOST = 32
"""Signatures of one header that are looked at: providers send one for each of their secrets."""


@dataclass(frozen=True, slots=True)
class Source:
    """A source as its section describes it.

    Attributes:
        secrets: the secret, and the previous one while there is one.
        keys: the keys of each of them.
    """

    name: str
    scheme: Scheme
    tolerance: float
    secrets: Sequence[Secret] = field(repr=False)
    keys: Sequence[tuple[bytes, ...]] = field(repr=False)

    @classmethod
    def of(cls, name: str, settings: SourceSettings) -> "Source":
        """The source of one section."""
        scheme = settings.made()
        secrets = [one for one in (settings.secret, settings.previous_secret) if one]
        keys = [keys_of(one.reveal(), scheme.key) for one in secrets]
        return cls(name, scheme, settings.tolerance, secrets, keys)


@dataclass(frozen=True, slots=True)
class Signed:
    """What the headers of a request say of its signature; nothing of it is verified yet."""

    event_id: str
    timestamp: str
    signatures: Sequence[str] = field(repr=False)
    body: bytes = field(repr=False)

    def fits(self, scheme: Scheme, key: bytes, body: bytes | None = None) -> bool:
        """Whether one of the signatures is that of this key.

        Args:
            body: in place of the one received.
        """
        body = self.body if body is None else body
        content = scheme.content(self.event_id, self.timestamp, body)
        expected = Secret(scheme.sign(key, content))
        return any(expected.matches(one) for one in self.signatures)

    def fingerprint(self, scheme: Scheme) -> str:
        """The same for two requests that are signed for the same second and are otherwise alike."""
        content = scheme.content(self.event_id, self.timestamp, self.body)
        return f"signed:{hashlib.sha256(content).hexdigest()}"


def signed(scheme: Scheme, request: Request) -> Signed:
    """What a request says of its signature.

    Raises:
        Refusal: it lacks a header, or one of them cannot be read.
    """
    entries = list(_entries(scheme, _header(request, scheme.signature)))
    signatures = [one.removeprefix(scheme.prefix) for one in entries if _is_one(scheme, one)]
    if not signatures:
        raise malformed(
            f"{_shown(scheme.signature)} has no signature that starts with {scheme.prefix!r}"
            if scheme.prefix
            else f"{_shown(scheme.signature)} is empty"
        )
    event_id = _header(request, scheme.id) if scheme.signs_id else ""
    if scheme.signs_id and (not event_id or "." in event_id):
        # It separates what is signed: with another one, the body could begin elsewhere.
        raise malformed(f"{_shown(scheme.id)} is empty, or has a full stop in it")
    timestamp = _timestamp(scheme, request, entries) if scheme.is_timed else ""
    if scheme.encoding == "hex":
        signatures = [one.lower() for one in signatures]
    return Signed(event_id, timestamp, signatures[:_MOST], request.body)


def missing(name: str, cause: str = "", verdict: Verdict = Verdict.MISSING) -> Refusal:
    """The refusal of a request without a header it needs."""
    message = f"The header {name} is missing"
    return Refusal(
        message, reason=Reason.BAD_SIGNATURE, log=cause or message, verdict=verdict.value
    )


def malformed(message: str) -> Refusal:
    """The refusal of a request one of whose headers cannot be read."""
    return Refusal(message, reason=Reason.MALFORMED, log=message, verdict=Verdict.MALFORMED.value)


def off_clock(source: Source, found: Signed) -> Refusal | None:
    """Why the time of signing is not taken; None when it is, or none is signed."""
    if not source.scheme.is_timed:
        return None
    seconds = clock.utc_now().timestamp() - int(found.timestamp)
    if abs(seconds) <= source.tolerance:
        return None
    side = "ago" if seconds > 0 else "in the future"
    cause = (
        f"signed {math.ceil(abs(seconds))} s {side}, and tolerance is {source.tolerance:g} s; the"
        " signature itself is good"
    )
    return Refusal(
        "The timestamp is too far from the time here",
        reason=Reason.BAD_SIGNATURE,
        log=cause,
        verdict=Verdict.CLOCK.value,
    )


def _header(request: Request, names: Sequence[str]) -> str:
    for name in names:
        if name in request.headers:
            return request.headers[name].strip()
    raise missing(_shown(names))


def _entries(scheme: Scheme, text: str) -> Iterator[str]:
    for one in text.split(scheme.separator) if scheme.separator else [text]:
        if entry := one.strip():
            yield entry


def _is_one(scheme: Scheme, entry: str) -> bool:
    is_time = bool(scheme.timestamp_prefix) and entry.startswith(scheme.timestamp_prefix)
    return entry.startswith(scheme.prefix) and not is_time


def _timestamp(scheme: Scheme, request: Request, entries: Sequence[str]) -> str:
    start = scheme.timestamp_prefix
    if start:
        found = [one.removeprefix(start) for one in entries if one.startswith(start)]
        name = f"{_shown(scheme.signature)} ({start})"
    else:
        found = [_header(request, scheme.timestamp)]
        name = _shown(scheme.timestamp)
    if len(found) != 1 or not _TIMESTAMP.fullmatch(found[0]):
        raise malformed(f"{name} is not one time in seconds since 1970")
    return found[0]


def _shown(names: Sequence[str]) -> str:
    return names[0]
