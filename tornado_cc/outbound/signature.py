"""Signing what is sent, as Standard Webhooks 1.0 has it (https://www.standardwebhooks.com)."""

import hmac
from base64 import b64decode, b64encode

from tornado_cc.core import clock
from tornado_cc.core.secret import Secret

_BASE64 = "whsec_"


def key_of(secret: Secret) -> bytes:
    """The key that a secret stands for: base64 after `whsec_`, else the bytes of the text.

    Raises:
        ValueError: what follows `whsec_` is no key; the message quotes nothing of it.
    """
    text = secret.reveal()
    if not text.startswith(_BASE64):
        # A variable whose bytes are not UTF-8 arrives with surrogates, which stand for the bytes.
        return text.encode("utf-8", "surrogateescape")
    encoded = text.removeprefix(_BASE64)
    try:
        # Many leave the padding out.
        key = b64decode(encoded + "=" * (-len(encoded) % 4), validate=True)
    except ValueError:
        raise ValueError("what follows whsec_ is not base64") from None
    if not key:
        raise ValueError("nothing follows whsec_")
    return key


def headers(message_id: str, body: bytes, secret: Secret | None) -> dict[str, str]:
    """The headers of one attempt to send a message; without a secret it is not signed.

    Args:
        message_id: the same at every attempt, so that a receiver knows a repeat.
    """
    timestamp = str(int(clock.utc_now().timestamp()))
    found = {"webhook-id": message_id, "webhook-timestamp": timestamp}
    if secret:
        found["webhook-signature"] = signature(key_of(secret), message_id, timestamp, body)
    return found


def signature(key: bytes, message_id: str, timestamp: str, body: bytes) -> str:
    """The value of `webhook-signature`. Neither id nor timestamp may hold a full stop."""
    signed = f"{message_id}.{timestamp}.".encode() + body
    return f"v1,{b64encode(hmac.digest(key, signed, 'sha256')).decode()}"
