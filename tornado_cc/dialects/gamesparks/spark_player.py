"""A player as a script has them; what it changes is saved when the script has ended well."""

from typing import Any, cast

from tornado_cc.core import json_value
from tornado_cc.core.state import Player
from tornado_cc.dialects.gamesparks.spark_json import JsonObject, scripted


class SparkPlayer:
    """A player and what is kept for them (spec gamesparks, rows 81-85).

    What is read is a copy: to change it, set it again. What cannot be kept raises `ValueError`
    where it is set.
    """

    __slots__ = ("_player",)

    def __init__(self, player: Player) -> None:
        self._player = player

    def __repr__(self) -> str:
        return repr(self._player)

    def getPlayerId(self) -> str:
        """Their id."""
        return self._player.id

    def getUserName(self) -> str | None:
        """What they log in with, when they do."""
        return self._player.user_name

    def getDisplayName(self) -> str | None:
        """What others may see of them."""
        return self._player.display_name

    def getExternalIds(self) -> JsonObject:
        """Their ids elsewhere, as in `{"FB": "4711"}`."""
        return cast(JsonObject, scripted(self._player.external_ids))

    def getPrivateData(self, name: str) -> Any:
        """What only scripts see under a name; None for nothing."""
        return scripted(self._player.private_data.get(name))

    def setPrivateData(self, name: str, value: object) -> None:
        """Keep JSON that only scripts see."""
        self._player.private_data[name] = json_value.checked(value)

    def removePrivateData(self, name: str) -> None:
        """Keep it no longer."""
        self._player.private_data.pop(name, None)

    def getScriptData(self, name: str) -> Any:
        """What a game may show, under a name; None for nothing."""
        return scripted(self._player.script_data.get(name))

    def setScriptData(self, name: str, value: object) -> None:
        """Keep JSON that a game may show. It is no part of the answer."""
        self._player.script_data[name] = json_value.checked(value)

    def removeScriptData(self, name: str) -> None:
        """Keep it no longer."""
        self._player.script_data.pop(name, None)

    def persist(self) -> None:
        """Save what was changed so far at once, also for scripts that run at this moment.

        Raises:
            InvalidName, InvalidValue: a name or a value cannot be kept; nothing is saved.
            StoreUnavailable: the database is away.
        """
        # In a plain hook it blocks, and returns no awaitable.
        cast(Any, self._player).persist()
