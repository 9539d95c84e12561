"""Keeps the coins of each player: a callback adds some or spends some, and each one counts once.

A service sends a callback again when it has heard no answer, and may send many at the same time.
The player's `Wallet` therefore remembers the reference that changed it last, and changes only if
that still is the one which was read: of several at a time one wins, the others read again. Before
a reference is replaced, its `WalletEntry` is marked as counted. A crash between any two steps
leaves the money right: the entry is marked, or the wallet still names it.
"""

import re

from tornado_cc import (
    CallbackCall,
    DuplicateValue,
    Field,
    ObjectNotFound,
    Plugin,
    Refusal,
    Settings,
)


class WalletSettings(Settings):
    """`[plugin:wallet]`."""

    max_coins: int = Field(
        1_000_000, gt=0, le=10**12, description="The most coins that one callback may add or spend."
    )


plugin = Plugin("wallet", settings=WalletSettings)

_COINS = re.compile(r"[0-9]{1,13}")
_REFERENCE = re.compile(r"[!-.0-~]{1,128}")


@plugin.on_callback(credential="wallet")
async def change(call: CallbackCall) -> None:
    """Add or spend coins: `?add=5&reference=…` or `?spend=5&reference=…`, the player in the URL."""
    if call.player is None:
        raise Refusal("A wallet needs a player, and nobody is known by the id in the URL")
    coins, reference = _change(call), _reference(call)
    await _note(call, call.player.id, coins, reference)
    call.script_data["coins"] = await _count(call, call.player.id, coins, reference)


def _change(call: CallbackCall) -> int:
    """How many coins come, or go when it is less than 0."""
    given = {name: call.data[name] for name in ("add", "spend") if name in call.data}
    if len(given) != 1:
        raise Refusal("A callback says either add or spend")
    ((name, text),) = given.items()
    if not isinstance(text, str) or not _COINS.fullmatch(text):
        raise Refusal(f"{name} is a whole number of coins")
    coins = int(text)
    if not 1 <= coins <= call.settings.max_coins:
        raise Refusal(f"{name} is a number from 1 to {call.settings.max_coins}")
    return coins if name == "add" else -coins


def _reference(call: CallbackCall) -> str:
    reference = call.data.get("reference")
    if not isinstance(reference, str) or not _REFERENCE.fullmatch(reference):
        raise Refusal("reference is 1 to 128 ASCII characters without spaces and slashes")
    return reference


async def _note(call: CallbackCall, player: str, coins: int, reference: str) -> None:
    """Write down what the reference stands for; it never stands for anything else."""
    entries = call.store.objects("WalletEntry")
    fields = {"player": player, "coins": coins, "counted": False}
    try:
        await entries.create(fields, object_id=reference)
    except DuplicateValue:
        entry = await entries.get(reference)
        if (entry["player"], entry["coins"]) != (player, coins):
            raise Refusal("This reference was used for something else") from None


async def _count(call: CallbackCall, player: str, coins: int, reference: str) -> int:
    """Count a reference that is not counted yet; the coins there are then."""
    entries, wallets = call.store.objects("WalletEntry"), call.store.objects("Wallet")
    while True:
        # In this order: what is counted after the wallet was read makes the update below fail.
        there, last = await _read(call, player)
        if last and not (await entries.get(last))["counted"]:
            await entries.update(last, {"counted": True})
        if (await entries.get(reference))["counted"]:
            return there
        if there + coins < 0:
            raise Refusal("Not enough coins")
        add = {"__op": "Increment", "amount": coins}
        unchanged = {"last": last, "coins": {"$gte": -coins}}
        try:
            wallet = await wallets.update(
                player, {"coins": add, "last": reference}, where=unchanged
            )
        except ObjectNotFound:
            continue
        call.log.info("wallet changed", extra={"reference": reference, "change": coins})
        return int(wallet["coins"])


async def _read(call: CallbackCall, player: str) -> tuple[int, str]:
    """The coins of a player and the reference counted last; a new wallet is empty."""
    wallets = call.store.objects("Wallet")
    try:
        wallet = await wallets.get(player)
    except ObjectNotFound:
        try:
            wallet = await wallets.create({"coins": 0, "last": ""}, object_id=player)
        except DuplicateValue:
            wallet = await wallets.get(player)
    return wallet["coins"], wallet["last"]
