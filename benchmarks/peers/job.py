"""What the Python peers answer: the same as the hooks of `plugins/bench.py`, and nothing around it.

A key is compared, the body or the query is read, and the answer is JSON. No peer has a deadline, a
limit, an access log, metrics or anything else that a server in production has.
"""

import hmac
from collections.abc import Mapping
from typing import Any
from urllib.parse import parse_qs

import orjson

WEBHOOK_KEY = b"benchmark-key"
CALLBACK_SECRET = b"benchmark-secret"
API_KEY = b"benchmark-api-key"

FUNCTION = "/webhooks/functions/hello"
BEFORE_SAVE = "/webhooks/triggers/Review/beforeSave"
CALLBACK = "/callback/{key}/bench/{secret}/"
ENDPOINT = "/query"


def function(headers: Mapping[str, str], body: bytes) -> bytes:
    """A cloud function."""
    if not _is(headers.get("X-Parse-Webhook-Key"), WEBHOOK_KEY):
        return _dump({"error": "unauthorized"})
    orjson.loads(body)
    return _dump({"success": "Hello World!"})


def before_save(headers: Mapping[str, str], body: bytes) -> bytes:
    """A trigger that changes the object."""
    if not _is(headers.get("X-Parse-Webhook-Key"), WEBHOOK_KEY):
        return _dump({"error": "unauthorized"})
    stored = orjson.loads(body)["object"]
    stored["comment"] = stored["comment"][:137] + "..."
    del stored["className"]
    return _dump({"success": stored})


def callback(secret: str, query: str) -> bytes:
    """A callback with its credential in the path."""
    if not _is(secret, CALLBACK_SECRET):
        return _dump({"error": "unauthorized"})
    data = parse_qs(query)
    return _dump({"key": data["attr1"][0], "list": data["attr2"]})


def endpoint(headers: Mapping[str, str], query: str) -> bytes:
    """An endpoint that reads its query."""
    if not _is(headers.get("X-Skygear-API-Key"), API_KEY):
        return _dump({"error": "unauthorized"})
    data = parse_qs(query)
    return _dump({"key": data["key"][0], "value": int(data["value"][0])})


def _is(given: str | None, wanted: bytes) -> bool:
    return hmac.compare_digest((given or "").encode(), wanted)


def _dump(value: Any) -> bytes:
    return orjson.dumps(value)
