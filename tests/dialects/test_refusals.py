"""How each dialect spells a refusal that a hook raises with a reason of its own."""

from typing import Any

import pytest

from tests.dialects.skygear.served import SKYGEAR
from tests.serving import KEY, Serve

CONF = f"""
[dialect:gamesparks]
api_key = key
server_secret = secret
[dialect:parse]
webhook_key = test-key
{SKYGEAR}
"""
PLUGIN = """
from tornado_cc import Plugin, Refusal
from tornado_cc.core.errors import Reason

plugin = Plugin("mine")

def refuse():
    raise {refusal}

@plugin.on_callback
async def callback(call):
    refuse()

@plugin.cloud_function("no")
async def function(call):
    refuse()

@plugin.handler("no")
def endpoint(request):
    refuse()
"""
UNAVAILABLE = 'Refusal("x", code=1, reason=Reason.UNAVAILABLE, retry_after=5)'
DISABLED = """Refusal(
    "x", reason=Reason.DISABLED, info={"expiry": "2027-01-01T00:00:00Z", "message": "spam"}
)"""
UNVERIFIED = 'Refusal("x", reason=Reason.UNVERIFIED)'
EXPIRED = 'Refusal("x", reason=Reason.PASSWORD_EXPIRED)'
IN_PROGRESS = 'Refusal("x", reason=Reason.IN_PROGRESS, retry_after=5)'
ANSWERED = 'Refusal("x", reason=Reason.ANSWERED)'


@pytest.mark.parametrize(
    ("refusal", "status", "skygear"),
    [
        (UNAVAILABLE, 503, (503, "PluginUnavailable", 118, "x", None)),
        (
            DISABLED,
            403,
            (
                403,
                "UserDisabled",
                127,
                "user is disabled",
                {"expiry": "2027-01-01T00:00:00Z", "message": "spam"},
            ),
        ),
        (UNVERIFIED, 403, (403, "VerificationRequired", 128, "User is not yet verified", None)),
        (EXPIRED, 401, (401, "PasswordPolicyViolated", 126, "password expired", None)),
        (IN_PROGRESS, 409, (409, "Duplicated", 109, "x", None)),
        (ANSWERED, 409, (409, "Duplicated", 109, "x", None)),
    ],
    ids=["unavailable", "disabled", "unverified", "expired", "in progress", "answered"],
)
async def test_a_refusal_with_a_reason_has_the_status_of_that_reason(
    serve: Serve, refusal: str, status: int, skygear: tuple[int, str, int, str, Any]
) -> None:
    served = await serve(CONF, {"mine": PLUGIN.replace("{refusal}", refusal)})
    wait = "5" if "retry_after" in refusal else None

    answer = await served.request("GET", "/callback/key/secret/")
    assert (answer.status, answer.json()) == (status, {"error": "x"})
    assert answer.header("Retry-After") == wait

    answer = await served.request("GET", "/no")
    error = answer.json()["error"]
    assert skygear == (
        answer.status,
        error["name"],
        error["code"],
        error["message"],
        error.get("info"),
    )
    assert answer.header("Retry-After") == wait

    answer = await served.request("POST", "/webhooks/functions/no", KEY, b"{}")
    said = {"code": 1, "message": "x"} if "code=1" in refusal else "x"
    assert (answer.status, answer.json()) == (200, {"error": said})
    assert answer.header("Retry-After") is None
    assert served.fired == [
        "on_callback * (mine)",
        "http_endpoint /no.GET (mine)",
        "cloud_function no (mine)",
    ]
