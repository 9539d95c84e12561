"""Takes the callback of a payment service, and believes it only when the service says it again.

The URL of a callback can leak; what it claims is therefore verified with a request of our own.
"""

from math import ceil
from typing import Any

from tornado_cc import (
    CallbackCall,
    CircuitOpen,
    Field,
    OutboundError,
    Plugin,
    Refusal,
    SecretText,
    Settings,
)


class PaymentsSettings(Settings):
    """`[plugin:payments]`."""

    verify_url: str = Field(
        "", description="Where the payment service confirms a transaction; empty grants nothing."
    )
    verify_key: SecretText | None = Field(
        None, description="The bearer token the payment service knows us by."
    )


plugin = Plugin("payments", settings=PaymentsSettings)

AGAIN = 60
"""Seconds after which the service may send a callback again that could not be judged."""

UNVERIFIED = "The payment could not be verified; please send it again"


@plugin.on_callback(credential="payments")
async def paid(call: CallbackCall) -> None:
    """Grant what was paid for: `?transaction=…`, the player in the URL."""
    if not call.settings.verify_url or not call.settings.verify_key:
        message = "Payments are not set up: set verify_url and verify_key in [plugin:payments]"
        raise Refusal(message, retry_after=AGAIN)
    transaction = call.data.get("transaction")
    if not isinstance(transaction, str) or not transaction or call.player_id is None:
        raise Refusal("A callback needs one transaction and a player")
    payment = await _verified(call, transaction)
    if payment.get("status") != "paid" or payment.get("player") != call.player_id:
        raise Refusal("The payment service does not confirm this payment")
    call.log.info("payment granted", extra={"transaction": transaction})
    call.script_data["RESPONSE_RAW"] = "OK"


async def _verified(call: CallbackCall, transaction: str) -> dict[str, Any]:
    """What the payment service itself says of the transaction."""
    key = call.settings.verify_key.reveal()
    try:
        response = await call.http.request(
            call.settings.verify_url,
            params={"transaction": transaction},
            headers={"Authorization": f"Bearer {key}"},
        )
    except CircuitOpen as error:
        # The server has stopped asking for a while and says until when; it logged that it did.
        raise Refusal(UNVERIFIED, retry_after=ceil(error.retry_after)) from error
    except OutboundError as error:
        call.log.warning("payment not verified", extra={"cause": str(error)})
        raise Refusal(UNVERIFIED, retry_after=AGAIN) from error
    return response.data if isinstance(response.data, dict) else {}
