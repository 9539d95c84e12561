"""The calling player: loaded before the hooks, saved after each (spec gamesparks, rows 81-85)."""

import logging
from collections.abc import Callable
from typing import Any, NoReturn, TypeVar, cast

from tornado_cc.core import state
from tornado_cc.core.call import Call
from tornado_cc.core.errors import Failure, Refusal
from tornado_cc.hooks import App, Fired, Fires, Implementation
from tornado_cc.store import InvalidName, InvalidValue, Player, Players, StoreUnavailable

_log = logging.getLogger("tornado_cc.flows")

C = TypeVar("C", bound=Call | App)


class Unreachable:
    """Stands for a player whom the database could not be asked for: a hook may not need them."""

    def __init__(self, refusal: StoreUnavailable) -> None:
        self._refusal = refusal

    def __getattr__(self, name: str) -> NoReturn:
        raise self._refusal


async def load(call: Call, players: Players) -> None:
    """Set `call.player`, to None when nobody is known by the id of the caller."""
    call.player = None
    if call.user_id is None:
        return
    try:
        call.player = cast(state.Player | None, await players.load(call.user_id))
    except StoreUnavailable as refusal:
        call.player = cast(state.Player, Unreachable(refusal))


class PlayerRunner:
    """Gives each hook a copy of the player of its own, and saves it when the hook ended well.

    So a hook that failed or runs out of time changes nothing, and the next one of a chain sees
    what the one before it left. Other players that it loaded to be saved are saved after their own,
    each by itself.
    """

    def __init__(self, runner: Fires) -> None:
        self._runner = runner

    async def run(
        self, one: Implementation, given: C, settle: Callable[[C, Any], Any] | None = None
    ) -> Fired:
        """Run one implementation; one whose changes to the player cannot be saved has not run well.

        What JSON cannot carry is the plugin's mistake, and its failure; a database that is away is
        a refusal that says so.
        """
        if not isinstance(given, Call):
            return await self._runner.run(one, given, settle)
        player = given.player if isinstance(given.player, Player) else None
        own = player.copy() if player is not None else None
        if own is not None:
            given.player = cast(state.Player, own)
        loaded: list[Player] = []
        given.loaded = loaded
        fired = await self._runner.run(one, given, settle)
        if fired.refusal is not None or (own is None and not loaded):
            return fired
        try:
            for each in (own, *loaded):
                if each is not None:
                    await each.persist()
        except (InvalidName, InvalidValue) as error:
            return _unsaved(one, Failure(f"left for the player: {error}", error=error))
        except Refusal as refusal:
            return _unsaved(one, refusal)
        if player is not None and own is not None:
            player.adopt(own)
        return fired


def _unsaved(one: Implementation, refusal: Refusal) -> Fired:
    facts = {"plugin": one.plugin, "hook": one.hook, "cause": refusal.log or refusal.message}
    if isinstance(refusal, Failure):
        facts["error_id"] = refusal.error_id
    _log.error("player not saved", extra=facts)
    return Fired(one, refusal=refusal)
