"""What a hook has as `call.store`: objects, players and users, in the name of its call."""

from collections.abc import Mapping
from datetime import timedelta
from typing import Any, cast

from tornado_cc.core import state
from tornado_cc.core.call import Call
from tornado_cc.core.state import Keys, Order, Service, Session, User
from tornado_cc.flows.attempts import Attempts
from tornado_cc.flows.records import Records
from tornado_cc.store import BadCredentials, Players
from tornado_cc.store.fields import check_class, check_id
from tornado_cc.store.query import compile_keys

Object = dict[str, Any]


class CallStore(Service):
    """The store as one hook has it; `core.state.Store` says what the members do."""

    __slots__ = ("_attempts", "_call", "_records")

    def __init__(self, records: Records, attempts: Attempts, call: Call | None) -> None:
        self._records = records
        self._attempts = attempts
        self._call = call

    def __repr__(self) -> str:
        return "<Store>"

    @property
    def players(self) -> "CallPlayers":
        """The players."""
        return CallPlayers(self._records.store.players, self._call)

    @property
    def users(self) -> "CallUsers":
        """Those who log in."""
        return CallUsers(self._records, self._attempts, self._call)

    def objects(self, class_name: str) -> "CallObjects":
        """The objects of one class. Raises `InvalidName`."""
        return CallObjects(self._records, self._call, check_class(class_name))


class CallPlayers(Service):
    """The players as one hook has them."""

    __slots__ = ("_call", "_players")

    def __init__(self, players: Players, call: Call | None) -> None:
        self._players = players
        self._call = call

    def __repr__(self) -> str:
        return "<Players>"

    async def load(self, player_id: str, *, save: bool = False) -> state.Player | None:
        """One player, None when unknown; with `save` what the hook changes is saved after it."""
        if save:
            return await self._to_be_saved(player_id)
        return cast(state.Player | None, await self._players.load(player_id))

    async def create(
        self,
        player_id: str | None = None,
        *,
        user_name: str | None = None,
        display_name: str | None = None,
        external_ids: Mapping[str, Any] | None = None,
    ) -> state.Player:
        """A new player, with an id of ours unless one is given. Raises `DuplicateValue`."""
        made = await self._players.create(
            player_id, user_name=user_name, display_name=display_name, external_ids=external_ids
        )
        return cast(state.Player, made)

    async def _to_be_saved(self, player_id: str) -> state.Player | None:
        call = self._call
        if call is None:
            raise ValueError("nobody saves after a start or a stop: await player.persist()")
        if call.player is not None and player_id == call.user_id:
            return call.player
        if call.loaded is None:
            call.loaded = []
        for one in call.loaded:
            if one.id == player_id:
                return cast(state.Player, one)
        player = await self._players.load(player_id)
        if player is not None:
            call.loaded.append(player)
        return cast(state.Player | None, player)


class CallObjects(Service):
    """The objects of one class as one hook has them."""

    __slots__ = ("_call", "_class_name", "_records")

    def __init__(self, records: Records, call: Call | None, class_name: str) -> None:
        self._records = records
        self._call = call
        self._class_name = class_name

    def __repr__(self) -> str:
        return f"<Objects of {self._class_name}>"

    async def create(self, fields: Mapping[str, Any], *, object_id: str | None = None) -> Object:
        """Store a new object and return it."""
        return await self._records.create(self._call, self._class_name, fields, object_id)

    async def get(self, object_id: str, *, keys: Keys = None) -> Object:
        """One object. Raises `ObjectNotFound`."""
        wanted = compile_keys(keys)
        stored = self._records.store.objects
        found = await stored.get(self._class_name, check_id(object_id))
        return found if wanted is None else wanted.select(found)

    async def update(
        self, object_id: str, changes: Mapping[str, Any], *, where: Mapping[str, Any] | None = None
    ) -> Object:
        """Change an object that still fits `where`, and return it. Raises `ObjectNotFound`."""
        return await self._records.update(self._call, self._class_name, object_id, changes, where)

    async def delete(self, object_id: str, *, where: Mapping[str, Any] | None = None) -> None:
        """Remove an object that still fits `where`. Raises `ObjectNotFound`."""
        await self._records.delete(self._call, self._class_name, object_id, where)

    async def find(
        self,
        where: Mapping[str, Any] | None = None,
        *,
        order: Order = None,
        limit: int = 100,
        skip: int = 0,
        keys: Keys = None,
    ) -> list[Object]:
        """The objects that fit `where`; without an order, the oldest first."""
        return await self._records.store.objects.find(
            self._class_name, where, order=order, limit=limit, skip=skip, keys=keys
        )

    async def first(
        self, where: Mapping[str, Any] | None = None, *, order: Order = None, keys: Keys = None
    ) -> Object | None:
        """The first object that fits `where`, None when none does."""
        found = await self.find(where, order=order, limit=1, keys=keys)
        return found[0] if found else None

    async def count(self, where: Mapping[str, Any] | None = None) -> int:
        """How many objects fit `where`."""
        return await self._records.store.objects.count(self._class_name, where)


class CallUsers(Service):
    """Those who log in, as one hook has them."""

    __slots__ = ("_attempts", "_call", "_users")

    def __init__(self, records: Records, attempts: Attempts, call: Call | None) -> None:
        self._users = records.store.users
        self._attempts = attempts
        self._call = call

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
        return await self._users.add(
            user_name, password, user_id=user_id, display_name=display_name, verified=verified
        )

    async def get(self, user_id: str) -> User | None:
        """A user by id."""
        return await self._users.get(user_id)

    async def log_in(
        self, user_name: str, password: str, *, expires_in: timedelta | None = None
    ) -> Session:
        """A new session for whoever knows the password.

        Raises:
            BadCredentials: no user has this name and this password.
            Refusal: the caller's address has tried too often.
        """
        if self._call is None:
            # A plugin that starts speaks for nobody's address.
            return await self._users.log_in(user_name, password, expires_in=expires_in)
        remote = self._call.client or self._call.request.remote
        async with self._attempts.trying(remote):
            try:
                return await self._users.log_in(user_name, password, expires_in=expires_in)
            except BadCredentials:
                self._attempts.note(remote)
                raise

    async def log_out(self, token: str) -> None:
        """End a session; a token that is none is passed over."""
        await self._users.log_out(token)
