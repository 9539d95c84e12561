"""Sources without a server around, and requests that are signed for them."""

import hmac
from base64 import b64decode, b64encode
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from typing import Any

import pytest

from tornado_cc.core import clock
from tornado_cc.core.call import CallbackCall
from tornado_cc.core.errors import Refusal
from tornado_cc.core.message import Headers, Request, Response
from tornado_cc.core.ports import Claims, Surroundings
from tornado_cc.dialects.sources import DialectSettings, SourceSettings
from tornado_cc.dialects.sources.events import Events

NOW = 1_614_265_330
WHSEC = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"
STRIPE = "whsec_stripe-signing-secret"
GITHUB = "It's a Secret to Everybody"
SLACK = "8f742231b10e8888abcd99yyyzzz85a5"
SHOP = "shop-secret-of-16-letters"
BODY = b'{"id":"evt_1","type":"checkout","data":{"a":1}}'
SECTIONS: dict[str, dict[str, Any]] = {
    "standard": {"scheme": "standardwebhooks", "secret": WHSEC},
    "stripe": {"scheme": "stripe", "secret": STRIPE},
    "github": {"scheme": "github", "secret": GITHUB},
    "slack": {"scheme": "slack", "secret": SLACK},
    "shop": {
        "scheme": "hmac",
        "secret": SHOP,
        "signature_header": "X-Shop-Hmac",
        "encoding": "base64",
        "id_header": "X-Shop-Id",
    },
}


@pytest.fixture
def now(monkeypatch: pytest.MonkeyPatch) -> None:
    """The time at which the published examples were signed."""
    at(monkeypatch, NOW)


def at(monkeypatch: pytest.MonkeyPatch, seconds: float) -> None:
    """Set the wall clock."""
    moment = datetime.fromtimestamp(seconds, UTC)
    monkeypatch.setattr(clock, "utc_now", lambda: moment)


def events(sections: Mapping[str, Mapping[str, Any]] = SECTIONS, **more: Any) -> Events:
    """The dialect with these sources; `more` is added to the section of each."""
    sources = {name: SourceSettings(**{**one, **more}) for name, one in sections.items()}
    return Events(DialectSettings(), Surroundings(Claims({}), sections={"source": sources}))


def request(
    name: str, headers: Mapping[str, str], body: bytes = BODY, *, method: str = "POST"
) -> Request:
    """A request to a source."""
    return Request(method, f"/in/{name}", "", Headers(headers.items()), body)


def read(
    dialect: Events, name: str, headers: Mapping[str, str], body: bytes = BODY
) -> CallbackCall | Response:
    """What the dialect reads; raises what it raises."""
    asked = request(name, headers, body)
    found = dialect.read(dialect.match(asked.method, asked.path), asked)
    assert isinstance(found, CallbackCall | Response)
    return found


def called(
    dialect: Events, name: str, headers: Mapping[str, str], body: bytes = BODY
) -> CallbackCall:
    """The call of a request that is accepted."""
    found = read(dialect, name, headers, body)
    assert isinstance(found, CallbackCall)
    return found


def refused(
    dialect: Events, name: str, headers: Mapping[str, str], body: bytes = BODY
) -> tuple[int, str, str]:
    """Status, verdict and cause of a request that is refused."""
    asked = request(name, headers, body)
    route = dialect.match(asked.method, asked.path)
    with pytest.raises(Refusal) as raised:
        dialect.read(route, asked)
    answer = dialect.write(route, None, raised.value)
    if raised.value.verdict not in ("header missing", "header malformed", ""):
        # A caller reads that it does not fit, and never why.
        assert raised.value.log.encode() not in answer.body
    return answer.status, raised.value.verdict, raised.value.log


def hexdigest(secret: str, content: bytes) -> str:
    return hmac.new(secret.encode(), content, "sha256").hexdigest()


def standard(
    body: bytes = BODY, *, secret: str = WHSEC, at: int = NOW, event: str = "msg_1"
) -> dict[str, str]:
    """The headers of Standard Webhooks."""
    key = b64decode(secret.removeprefix("whsec_"))
    digest = hmac.new(key, f"{event}.{at}.".encode() + body, "sha256").digest()
    return {
        "webhook-id": event,
        "webhook-timestamp": str(at),
        "webhook-signature": f"v1,{b64encode(digest).decode()}",
    }


def stripe(body: bytes = BODY, *, secret: str = STRIPE, at: int = NOW) -> dict[str, str]:
    """The header of Stripe."""
    return {"Stripe-Signature": f"t={at},v1={hexdigest(secret, f'{at}.'.encode() + body)}"}


def github(body: bytes = BODY, *, secret: str = GITHUB, event: str = "d-1") -> dict[str, str]:
    """The headers of GitHub."""
    signature = f"sha256={hexdigest(secret, body)}"
    return {"X-Hub-Signature-256": signature, "X-GitHub-Delivery": event}


def slack(body: bytes = BODY, *, secret: str = SLACK, at: int = NOW) -> dict[str, str]:
    """The headers of Slack."""
    return {
        "X-Slack-Request-Timestamp": str(at),
        "X-Slack-Signature": f"v0={hexdigest(secret, f'v0:{at}:'.encode() + body)}",
    }


def shop(body: bytes = BODY, *, secret: str = SHOP, event: str = "s-1") -> dict[str, str]:
    """The headers of a shop with a scheme of its own."""
    digest = hmac.new(secret.encode(), body, "sha256").digest()
    return {"X-Shop-Hmac": b64encode(digest).decode(), "X-Shop-Id": event}


Sign = Callable[..., dict[str, str]]
SIGNED: dict[str, Sign] = {
    "standard": standard,
    "stripe": stripe,
    "github": github,
    "slack": slack,
    "shop": shop,
}
