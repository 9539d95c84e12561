"""Players and what is kept for them: a row for each key (spec gamesparks, rows 81-85)."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from sqlalchemy import Connection, bindparam, delete, select

from tornado_cc.core import json_value
from tornado_cc.core.json_value import NotJson
from tornado_cc.core.state import Service
from tornado_cc.store.errors import InvalidName, InvalidValue, ObjectNotFound
from tornado_cc.store.ids import check_user_id, is_user_id, new_id
from tornado_cc.store.runs import Runs
from tornado_cc.store.tables import insert, player_data
from tornado_cc.store.users import BY_ID, NewUser, add, check_text, check_user_name

PRIVATE = "private"
SCRIPT = "script"
_LONGEST_KEY = 256
_LARGEST = 1 << 20
"""Bytes of JSON under one key."""

Key = tuple[str, str]
"""Kind and key."""

_DATA = (
    select(player_data)
    .where(player_data.c.user_id == bindparam("id"))
    .order_by(player_data.c.kind, player_data.c.key)
)
_REMOVE = delete(player_data).where(
    player_data.c.user_id == bindparam("of_user_id"),
    player_data.c.kind == bindparam("of_kind"),
    player_data.c.key == bindparam("of_key"),
)


@dataclass(slots=True, repr=False, eq=False)
class Player(Service):
    """A player as one hook has them; docs of the attributes stand in `core.state`."""

    id: str
    user_name: str | None
    display_name: str | None
    external_ids: Mapping[str, Any]
    private_data: dict[str, Any]
    script_data: dict[str, Any]
    _players: "Players"
    # A hook may assign to `id`; that must not lead to somebody else's data.
    _saved_as: str
    _stored: dict[Key, bytes] = field(default_factory=dict)

    def __repr__(self) -> str:
        """Who; what is kept for them is private."""
        return f"<Player {self.id}>"

    def copy(self) -> "Player":
        """The same player as the next hook gets them."""
        return Player(
            self._saved_as,
            self.user_name,
            self.display_name,
            json_value.clone(dict(self.external_ids)),
            # A hook may have left what only stands for JSON, such as a tuple or `call.data`.
            json_value.checked(self.private_data),
            json_value.checked(self.script_data),
            self._players,
            self._saved_as,
            dict(self._stored),
        )

    def adopt(self, other: "Player") -> None:
        """Take over what a hook left, once it is saved."""
        self.private_data = other.private_data
        self.script_data = other.script_data
        self._stored = other._stored

    async def persist(self) -> None:
        """Save the keys that were changed since they were loaded or saved last.

        Raises:
            InvalidName, InvalidValue: a key or a value cannot be kept; nothing is saved.
            ObjectNotFound: the player is gone.
        """
        now = self._encoded()
        changed = {key: text for key, text in now.items() if self._stored.get(key) != text}
        removed = self._stored.keys() - now.keys()
        if changed or removed:
            await self._players.save(self._saved_as, changed, removed)
            self._stored = now

    def _encoded(self) -> dict[Key, bytes]:
        kinds = ((PRIVATE, self.private_data), (SCRIPT, self.script_data))
        return {
            (kind, _check_key(key)): _spelt(key, value)
            for kind, data in kinds
            for key, value in _mapping(data).items()
        }


class Players(Service):
    """The players of a store: every user is one."""

    def __init__(self, runs: Runs) -> None:
        self._runs = runs

    async def load(self, player_id: str) -> Player | None:
        """One player, None when unknown."""
        if not is_user_id(player_id):
            return None

        def read(connection: Connection) -> tuple[Any, Any]:
            row = connection.execute(BY_ID, {"id": player_id}).one_or_none()
            if row is None:
                return None, ()
            return row, connection.execute(_DATA, {"id": player_id}).all()

        row, kept = await self._runs.read(read)
        return self._player(row, kept) if row is not None else None

    async def create(
        self,
        player_id: str | None = None,
        *,
        user_name: str | None = None,
        display_name: str | None = None,
        external_ids: Mapping[str, Any] | None = None,
    ) -> Player:
        """A new player, with an id of ours unless one is given.

        Raises:
            DuplicateValue: the name or the id is taken.
            InvalidName, InvalidValue: it cannot be one.
        """
        new = NewUser(
            id=check_user_id(player_id) if player_id is not None else new_id(),
            user_name=check_user_name(user_name) if user_name is not None else None,
            display_name=check_text("A display name", display_name),
            external_ids=json_value.parse(_spelt("external_ids", _mapping(external_ids or {}))),
        )
        row = await self._runs.write(lambda connection: add(connection, new))
        return self._player(row, ())

    async def save(
        self, player_id: str, changed: Mapping[Key, bytes], removed: set[Key] | frozenset[Key]
    ) -> None:
        """Write the changed keys of a player and remove others; the rest stays as it is.

        Args:
            changed: JSON by key.
            removed: keys.
        """

        def write(connection: Connection) -> None:
            if connection.execute(BY_ID, {"id": player_id}).one_or_none() is None:
                raise ObjectNotFound("There is no such player")
            # In one order everywhere, or two calls could wait for each other's rows.
            for kind, key in sorted({*changed, *removed}):
                if (kind, key) in removed:
                    gone = {"of_user_id": player_id, "of_kind": kind, "of_key": key}
                    connection.execute(_REMOVE, gone)
                    continue
                value = json_value.parse(changed[kind, key])
                row = {"user_id": player_id, "kind": kind, "key": key, "value": value}
                new = insert(connection, player_data).values(row)
                connection.execute(
                    new.on_conflict_do_update(
                        index_elements=["user_id", "kind", "key"],
                        set_={"value": new.excluded.value},
                    )
                )

        if not is_user_id(player_id):
            raise ObjectNotFound("There is no such player")
        await self._runs.write(write)

    def _player(self, row: Any, kept: Any) -> Player:
        data: dict[str, dict[str, Any]] = {PRIVATE: {}, SCRIPT: {}}
        for one in kept:
            data[one.kind][one.key] = one.value
        player = Player(
            row.id,
            row.user_name,
            row.display_name,
            row.external_ids,
            data[PRIVATE],
            data[SCRIPT],
            self,
            row.id,
        )
        player._stored = player._encoded()
        return player


def _mapping(data: object) -> dict[Any, Any]:
    if not isinstance(data, Mapping):
        raise InvalidValue("The data of a player are a mapping")
    return dict(data)


def _check_key(key: object) -> str:
    if not isinstance(key, str) or not 0 < len(key) <= _LONGEST_KEY or "\0" in key:
        raise InvalidName(f"A key of a player's data is a text of 1 to {_LONGEST_KEY} characters")
    try:
        key.encode()
    except UnicodeEncodeError:
        raise InvalidName("A key of a player's data holds a lone surrogate") from None
    return key


def _spelt(key: str, value: object) -> bytes:
    try:
        text = json_value.dump(json_value.checked(value))
    except NotJson as error:
        raise InvalidValue(f"The data under {key!r} cannot be kept: {error}") from None
    if len(text) > _LARGEST:
        raise InvalidValue(f"The data under {key!r} is larger than {_LARGEST} bytes")
    return text
