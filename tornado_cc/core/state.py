"""What hooks may know and keep: the faces of users, players, configuration and objects."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Any, Protocol

Order = str | Sequence[str] | None
"""Names of fields by which to sort, `-` before one for descending; in a text, commas between."""
Keys = str | Sequence[str] | None
"""Names of the fields wanted; in a text, commas between. None is all."""


@dataclass(frozen=True, slots=True, kw_only=True)
class User:
    """Somebody, in whichever dialect: a GameSparks player, a Parse user, a Skygear user.

    Attributes:
        id: the one id all dialects know them by.
        user_name: what they log in with, when they do.
        display_name: what others may see.
        verified: whether somebody has verified them.
        disabled: whether they are kept out at this moment.
        disabled_message: why, for them to read.
        disabled_until: the end of it as ISO 8601; None is without end.
        password_set_at: when their password was set, ISO 8601; None without one.
        created_at: ISO 8601.
    """

    id: str
    user_name: str | None = None
    display_name: str | None = None
    verified: bool = True
    disabled: bool = False
    disabled_message: str | None = None
    disabled_until: str | None = None
    password_set_at: str | None = None
    created_at: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Session:
    """A new session. Its token is told once: the store keeps a hash of it."""

    token: str
    user_id: str
    expires_at: str | None

    def __repr__(self) -> str:
        """Who and until when; the token is a secret."""
        return f"<Session of {self.user_id} until {self.expires_at}>"


class Service:
    """Has coroutines, or leads to something that has; a plain hook gets it in a blocking form."""

    __slots__ = ()


class Player(Protocol):
    """A player and what is kept for them.

    What a hook changes in the two mappings is saved when it has ended well. Values are JSON.
    A key that somebody else changed meanwhile, and this hook did not, keeps their value.

    Attributes:
        id: their id.
        user_name: what they log in with, when they do.
        display_name: what others may see.
        external_ids: their ids elsewhere.
        private_data: what only hooks see.
        script_data: what a game may show; never a part of an answer by itself.
    """

    id: str
    user_name: str | None
    display_name: str | None
    external_ids: Mapping[str, Any]
    private_data: dict[str, Any]
    script_data: dict[str, Any]

    async def persist(self) -> None:
        """Save what was changed so far, at once."""
        ...


class Players(Protocol):
    """The players of a store."""

    async def load(self, player_id: str, *, save: bool = False) -> Player | None:
        """One player, None when unknown.

        Args:
            save: whether what the hook changes is saved when it has ended well, as for the calling
                player; else by `await player.persist()`. A hook gets the same player each time.

        Raises:
            ValueError: `save` in a hook that starts or stops, after which nobody saves.
        """
        ...

    async def create(
        self,
        player_id: str | None = None,
        *,
        user_name: str | None = None,
        display_name: str | None = None,
        external_ids: Mapping[str, Any] | None = None,
    ) -> Player:
        """A new player, with an id of ours unless one is given. Raises `DuplicateValue`."""
        ...


class Accounts(Protocol):
    """Users who log in."""

    async def add(
        self,
        user_name: str,
        password: str | None = None,
        *,
        user_id: str | None = None,
        display_name: str | None = None,
        verified: bool = True,
    ) -> User:
        """A new user. Raises `DuplicateValue`."""
        ...

    async def get(self, user_id: str) -> User | None:
        """A user by id."""
        ...

    async def log_in(
        self, user_name: str, password: str, *, expires_in: timedelta | None = None
    ) -> Session:
        """A new session for whoever knows the password. Raises `BadCredentials`."""
        ...

    async def log_out(self, token: str) -> None:
        """End a session; a token that is none is passed over."""
        ...


class Objects(Protocol):
    """The objects of one class. Every write fires its hooks, as any other write does."""

    async def create(
        self, fields: Mapping[str, Any], *, object_id: str | None = None
    ) -> dict[str, Any]:
        """Store a new object and return it, with objectId, createdAt and updatedAt."""
        ...

    async def get(self, object_id: str, *, keys: Keys = None) -> dict[str, Any]:
        """One object. Raises `ObjectNotFound`."""
        ...

    async def update(
        self, object_id: str, changes: Mapping[str, Any], *, where: Mapping[str, Any] | None = None
    ) -> dict[str, Any]:
        """Change an object at once, if it still fits `where`, and return it.

        A change is a value or an operation, `{"__op": "Increment", "amount": 1}`. Raises
        `ObjectNotFound`, also when it does not fit.
        """
        ...

    async def delete(self, object_id: str, *, where: Mapping[str, Any] | None = None) -> None:
        """Remove an object, if it still fits `where`. Raises `ObjectNotFound`."""
        ...

    async def find(
        self,
        where: Mapping[str, Any] | None = None,
        *,
        order: Order = None,
        limit: int = 100,
        skip: int = 0,
        keys: Keys = None,
    ) -> list[dict[str, Any]]:
        """The objects that fit `where`."""
        ...

    async def first(
        self, where: Mapping[str, Any] | None = None, *, order: Order = None, keys: Keys = None
    ) -> dict[str, Any] | None:
        """The first object that fits `where`, None when none does."""
        ...

    async def count(self, where: Mapping[str, Any] | None = None) -> int:
        """How many objects fit `where`."""
        ...


class Store(Protocol):
    """What a hook keeps, as `call.store`."""

    @property
    def players(self) -> Players:
        """The players."""
        ...

    @property
    def users(self) -> Accounts:
        """Those who log in."""
        ...

    def objects(self, class_name: str) -> Objects:
        """The objects of one class. Raises `InvalidName`."""
        ...


class Config(Protocol):
    """The configuration, as `call.config` (spec parse, section 7)."""

    async def get(self, *, use_master_key: bool = False) -> dict[str, Any]:
        """The parameters by name; those for the master key only when it is used."""
        ...

    async def save(
        self, params: Mapping[str, Any], master_key_only: Mapping[str, bool] | None = None
    ) -> None:
        """Set parameters; `{"__op": "Delete"}` removes one, `Increment` adds to one."""
        ...
