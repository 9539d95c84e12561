"""Gives players the coins that they have paid for with Stripe, each order once.

Your shop makes a Checkout Session with the player's id as `client_reference_id` and the coins that
are sold as `metadata[coins]`. When it is paid, Stripe sends an event here, signed, and again until
it is answered. Another event of the same session may come with another id, so an order is known by
its session: the player's `Wallet` lists those that are in it, and one update adds the coins and the
order, or neither. No crash in between leaves one without the other.
"""

import re
from collections.abc import Mapping
from typing import Any

from tornado_cc import (
    CallbackCall,
    DuplicateValue,
    Field,
    ObjectNotFound,
    Plugin,
    Refusal,
    Settings,
)


class StripeOrdersSettings(Settings):
    """`[plugin:stripe_orders]`."""

    max_coins: int = Field(
        1_000_000, gt=0, le=10**12, description="The most coins that one order may bring."
    )


plugin = Plugin("stripe_orders", settings=StripeOrdersSettings)

AGAIN = 3600
"""Seconds after which Stripe may send an order again that could not be fulfilled yet."""
PAID = ("checkout.session.completed", "checkout.session.async_payment_succeeded")
"""Events that may say that a session is paid: at once, or days later by a bank transfer."""

_COINS = re.compile(r"[0-9]{1,13}")
_SESSION = re.compile(r"cs_[A-Za-z0-9_]{1,250}")


@plugin.on_callback(source="stripe")
async def ordered(call: CallbackCall) -> None:
    """Fulfil an order; other events are passed over, or Stripe would send them for days."""
    session = _session(call)
    if session is None:
        return
    order, player, coins = _order(call, session)
    if await call.store.players.load(player) is None:
        call.log.error("order for an unknown player", extra={"order": order})
        raise Refusal("Nobody is known by the client_reference_id", retry_after=AGAIN)
    if await _granted(call, order, player, coins):
        call.log.info("order fulfilled", extra={"order": order, "coins": coins})
    call.script_data["order"] = order


def _session(call: CallbackCall) -> Mapping[str, Any] | None:
    """The session that an event says is paid; None when it says something else."""
    if call.data.get("type") not in PAID:
        return None
    data = call.data.get("data")
    session = data.get("object") if isinstance(data, Mapping) else None
    if not isinstance(session, Mapping):
        raise Refusal("The event has no session")
    # `completed` comes for a bank transfer too, before there is any money.
    return session if session.get("payment_status") == "paid" else None


def _order(call: CallbackCall, session: Mapping[str, Any]) -> tuple[str, str, int]:
    """The order, its player and its coins, as the shop has set them when it made the session."""
    order, player, metadata = (
        session.get(name) for name in ("id", "client_reference_id", "metadata")
    )
    if not isinstance(order, str) or not _SESSION.fullmatch(order):
        raise Refusal("The session has no id")
    if not isinstance(player, str) or not player:
        raise Refusal("The session has no client_reference_id, which is the player's id")
    text = metadata.get("coins") if isinstance(metadata, Mapping) else None
    if not isinstance(text, str) or not _COINS.fullmatch(text):
        raise Refusal("The session has no metadata coins, a whole number")
    coins = int(text)
    if not 1 <= coins <= call.settings.max_coins:
        raise Refusal(f"An order brings 1 to {call.settings.max_coins} coins")
    return order, player, coins


async def _granted(call: CallbackCall, order: str, player: str, coins: int) -> bool:
    """Add an order to the player's wallet; False when it is there already."""
    wallets = call.store.objects("Wallet")
    changes = {
        "coins": {"__op": "Increment", "amount": coins},
        "orders": {"__op": "AddUnique", "objects": [order]},
    }
    while True:
        try:
            await wallets.update(player, changes, where={"orders": {"$ne": order}})
        except ObjectNotFound:
            # Either there is no wallet yet, or the order is in it.
            try:
                # The plugin `wallet` makes the same one, and spends from it.
                empty = {"coins": 0, "last": "", "orders": []}
                await wallets.create(empty, object_id=player)
            except DuplicateValue:
                if order in (await wallets.get(player)).get("orders", ()):
                    return False
        else:
            return True
