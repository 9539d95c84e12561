"""How providers sign, as data: which headers, which key, what is signed."""

import binascii
import hmac
import re
from base64 import b64decode, b64encode
from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Literal

Encoding = Literal["hex", "base64"]
KeyEncoding = Literal["text", "hex", "base64", "whsec"]

_FIELD = re.compile(r"\{(id|timestamp|body)\}")
_WHSEC = "whsec_"


@dataclass(frozen=True, slots=True, kw_only=True)
class Scheme:
    """One way to sign a request. Of several names for one header, the first that is there counts.

    Attributes:
        signature: the header with the signatures.
        signed: what is signed, of `{id}`, `{timestamp}` and `{body}`.
        prefix: what stands before each signature; entries that start otherwise are passed over.
        separator: what stands between the entries of that header; empty when there is one only.
        timestamp: the header with the time of signing, in seconds since 1970.
        timestamp_prefix: what that time stands behind, where it is an entry of `signature`.
        id: the header with the event's id.
        id_field: the field with it, where it stands in the body.
        key: what the secret is: the key as text, or encoded.
        challenge: whether a body with the type `url_verification` asks for its `challenge`.
    """

    signature: tuple[str, ...]
    signed: str
    prefix: str = ""
    separator: str = ""
    encoding: Encoding = "hex"
    digest: str = "sha256"
    timestamp: tuple[str, ...] = ()
    timestamp_prefix: str = ""
    id: tuple[str, ...] = ()
    id_field: str = ""
    key: KeyEncoding = "text"
    challenge: bool = False

    @property
    def is_timed(self) -> bool:
        """Whether a time is signed, so that an old request is known as one."""
        return "{timestamp}" in self.signed

    @property
    def signs_id(self) -> bool:
        """Whether the id is signed too."""
        return "{id}" in self.signed

    def content(self, event_id: str, timestamp: str, body: bytes) -> bytes:
        """The bytes that are signed."""
        parts = {"id": _wire(event_id), "timestamp": _wire(timestamp), "body": body}
        # Every second piece is the name of a field.
        pieces = _FIELD.split(self.signed)
        return b"".join(
            parts[piece] if number % 2 else piece.encode() for number, piece in enumerate(pieces)
        )

    def sign(self, key: bytes, content: bytes) -> str:
        """The signature of such bytes, without its prefix."""
        digest = hmac.digest(key, content, self.digest)
        return digest.hex() if self.encoding == "hex" else b64encode(digest).decode()


SCHEMES: Mapping[str, Scheme] = MappingProxyType(
    {
        "standardwebhooks": Scheme(
            # The second name is that of Svix, whose scheme became the standard.
            signature=("webhook-signature", "svix-signature"),
            signed="{id}.{timestamp}.{body}",
            prefix="v1,",
            separator=" ",
            encoding="base64",
            timestamp=("webhook-timestamp", "svix-timestamp"),
            id=("webhook-id", "svix-id"),
            key="whsec",
        ),
        "stripe": Scheme(
            signature=("Stripe-Signature",),
            signed="{timestamp}.{body}",
            prefix="v1=",
            separator=",",
            timestamp_prefix="t=",
            id_field="id",
        ),
        "github": Scheme(
            signature=("X-Hub-Signature-256",),
            signed="{body}",
            prefix="sha256=",
            id=("X-GitHub-Delivery",),
        ),
        "slack": Scheme(
            signature=("X-Slack-Signature",),
            signed="v0:{timestamp}:{body}",
            prefix="v0=",
            timestamp=("X-Slack-Request-Timestamp",),
            id_field="event_id",
            challenge=True,
        ),
    }
)
"""The schemes that have a name. `hmac` is any other: its parameters stand in the conf."""


def keys_of(secret: str, encoding: KeyEncoding) -> tuple[bytes, ...]:
    """The keys that a secret stands for in an encoding: one, or two where providers disagree.

    Raises:
        ValueError: it stands for none; the message quotes nothing of it.
    """
    # A variable whose bytes are not UTF-8 arrives with surrogates, which stand for the bytes.
    text = secret.encode("utf-8", "surrogateescape")
    if encoding == "text":
        return (text,)
    if encoding == "hex":
        return (_decoded(secret, encoding),)
    if encoding == "base64" or secret.startswith(_WHSEC):
        return (_decoded(secret.removeprefix(_WHSEC), "base64"),)
    try:
        # The standard's own libraries take a secret without `whsec_` for base64, others for text.
        return (text, _decoded(secret, "base64"))
    except ValueError:
        return (text,)


def _decoded(text: str, encoding: Encoding) -> bytes:
    try:
        if encoding == "hex":
            key = bytes.fromhex(text)
        else:
            # Many leave the padding out.
            key = b64decode(text + "=" * (-len(text) % 4), validate=True)
    except (ValueError, binascii.Error):
        raise ValueError(f"is not {encoding}") from None
    if not key:
        raise ValueError(f"is no key: nothing is left of it when it is read as {encoding}")
    return key


def _wire(text: str) -> bytes:
    """The bytes a header's value was sent as."""
    return text.encode("latin-1", "replace")
