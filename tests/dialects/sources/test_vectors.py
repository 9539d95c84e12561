"""What the providers publish, and what their own libraries sign, is taken."""

from datetime import UTC, datetime

import pytest
import standardwebhooks
from stripe import WebhookSignature

from tests.dialects.sources.signing import (
    BODY,
    GITHUB,
    NOW,
    SLACK,
    STRIPE,
    WHSEC,
    at,
    called,
    events,
    now,
    refused,
)
from tornado_cc.core.secret import Secret
from tornado_cc.outbound import signature

__all__ = ["now"]

SLASH_COMMAND = (
    b"token=xyzz0WbapA4vBCDEFasx0q6G&team_id=T1DC2JH3J&team_domain=testteamnow"
    b"&channel_id=G8PSS9T3V&channel_name=foobar&user_id=U2CERLKJA&user_name=roadrunner"
    b"&command=%2Fwebhook-collect&text=&response_url=https%3A%2F%2Fhooks.slack.com%2Fcommands"
    b"%2FT1DC2JH3J%2F397700885554%2F96rGlfmibIGlgcZRskXaIFfN"
    b"&trigger_id=398738663015.47445629121.803a0bc887a14d10d2c447fce8b6703c"
)


@pytest.mark.usefixtures("now")
@pytest.mark.parametrize("prefix", ["webhook", "svix"])
def test_the_published_example_of_standard_webhooks_is_taken(prefix: str) -> None:
    headers = {
        f"{prefix}-id": "msg_p5jXN8AQM9LWM0D4loKWxJek",
        f"{prefix}-timestamp": "1614265330",
        f"{prefix}-signature": "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=",
    }
    call = called(events(), "standard", headers, b'{"test": 2432232314}')
    assert call.idempotency_key == "msg_p5jXN8AQM9LWM0D4loKWxJek"
    assert dict(call.data) == {"test": 2432232314}


def test_the_documented_example_of_github_is_taken() -> None:
    signature = "sha256=757107ea0eb2509fc211221cce984b8a37570b6d7586c22c46f4379c8b043e17"
    headers = {"X-Hub-Signature-256": signature, "X-GitHub-Delivery": "72d3162e"}
    call = called(events(), "github", headers, b"Hello, World!")
    assert (call.idempotency_key, dict(call.data)) == ("72d3162e", {})
    assert call.request.body == b"Hello, World!"


def test_the_documented_example_of_slack_is_taken(monkeypatch: pytest.MonkeyPatch) -> None:
    at(monkeypatch, 1531420618)
    headers = {
        "X-Slack-Request-Timestamp": "1531420618",
        "X-Slack-Signature": (
            "v0=a2114d57b48eac39b9ad189dd8316235a7b4a8d21a10bd27519666489c69b503"
        ),
        "Content-Type": "application/x-www-form-urlencoded",
    }
    call = called(events(), "slack", headers, SLASH_COMMAND)
    assert (call.data["command"], call.data["text"]) == ("/webhook-collect", "")


@pytest.mark.usefixtures("now")
@pytest.mark.parametrize("body", [BODY, b"", '{"name": "Zo\u00eb \U0001f600"}'.encode(), b"[1]"])
def test_what_the_library_of_standard_webhooks_signs_is_taken(body: bytes) -> None:
    library = standardwebhooks.Webhook(WHSEC)
    moment = datetime.fromtimestamp(NOW, UTC)
    headers = {
        "Webhook-Id": "msg_1",
        "Webhook-Timestamp": str(NOW),
        "Webhook-Signature": library.sign("msg_1", moment, body.decode()),
    }
    for secret in (WHSEC, WHSEC.removeprefix("whsec_")):
        assert called(events(secret=secret), "standard", headers, body).source == "standard"
    headers["Webhook-Signature"] = library.sign("msg_2", moment, body.decode())
    assert refused(events(), "standard", headers, body)[:2] == (401, "wrong secret")


@pytest.mark.usefixtures("now")
@pytest.mark.parametrize("body", [BODY, b"{}", '{"id": "evt_\u00eb"}'.encode()])
def test_what_the_library_of_stripe_signs_is_taken(body: bytes) -> None:
    header = WebhookSignature.generate_signature_header(body.decode(), STRIPE, NOW)
    assert called(events(), "stripe", {"Stripe-Signature": header}, body).source == "stripe"
    assert WebhookSignature.verify_header(body, header, STRIPE)
    other = WebhookSignature.generate_signature_header(body.decode(), "another secret", NOW)
    assert refused(events(), "stripe", {"Stripe-Signature": other}, body)[0] == 401


@pytest.mark.usefixtures("now")
@pytest.mark.parametrize("secret", [WHSEC, "a text of more than 16 characters"])
def test_what_this_server_sends_itself_is_taken(secret: str) -> None:
    headers = signature.headers("msg_1", BODY, Secret(secret))
    dialect = events({"standard": {"scheme": "standardwebhooks", "secret": secret}})
    assert called(dialect, "standard", headers).idempotency_key == "msg_1"


def test_the_secrets_of_the_examples_are_those_that_are_documented() -> None:
    assert (GITHUB, SLACK) == ("It's a Secret to Everybody", "8f742231b10e8888abcd99yyyzzz85a5")
