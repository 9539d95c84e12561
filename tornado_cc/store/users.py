"""Users, one identity over all dialects, and their sessions."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import Connection, Row, bindparam, delete, or_, select, update

from tornado_cc.core import clock
from tornado_cc.core.state import Session, User
from tornado_cc.store.errors import (
    BadCredentials,
    DuplicateValue,
    InvalidName,
    InvalidValue,
    ObjectNotFound,
    UserDisabled,
)
from tornado_cc.store.ids import check_user_id, hashed, is_user_id, new_id, new_token
from tornado_cc.store.passwords import Passwords
from tornado_cc.store.runs import Runs
from tornado_cc.store.tables import insert, sessions, users
from tornado_cc.store.values import spell_date

_LONGEST_NAME = 128
_WHICH_IS_NOT_TOLD = "Invalid user name or password"

BY_ID = select(users).where(users.c.id == bindparam("id"))
_LOCKED = BY_ID.with_for_update(key_share=True)
_BY_NAME = select(users).where(users.c.user_name == bindparam("name"))
_ENDED = delete(sessions).where(
    sessions.c.user_id == bindparam("of_user_id"),
    or_(sessions.c.revoked_at.is_not(None), sessions.c.expires_at <= bindparam("now")),
)
"""What nobody can use any more goes when its user gets another."""
_BY_TOKEN = (
    select(users, sessions.c.created_at.label("issued_at"), sessions.c.expires_at)
    .join(sessions, sessions.c.user_id == users.c.id)
    .where(sessions.c.token_hash == bindparam("hash"), sessions.c.revoked_at.is_(None))
)


@dataclass(frozen=True, slots=True, kw_only=True)
class NewUser:
    """What a user is made of."""

    id: str
    user_name: str | None = None
    display_name: str | None = None
    external_ids: dict[str, Any]
    password_hash: str | None = None
    verified: bool = True


class Users:
    """The users of a store."""

    def __init__(self, runs: Runs, passwords: Passwords) -> None:
        self._runs = runs
        self._passwords = passwords

    async def add(
        self,
        user_name: str,
        password: str | None = None,
        *,
        user_id: str | None = None,
        display_name: str | None = None,
        verified: bool = True,
    ) -> User:
        """A new user.

        Raises:
            DuplicateValue: the name or the id is taken.
            InvalidName: the name or the id cannot be one.
            InvalidValue: the password or the display name cannot be one.
        """
        new = NewUser(
            id=check_user_id(user_id) if user_id is not None else new_id(),
            user_name=check_user_name(user_name),
            display_name=check_text("A display name", display_name),
            external_ids={},
            password_hash=await self._passwords.hash(password) if password is not None else None,
            verified=verified,
        )
        return await self._runs.write(lambda connection: _user(add(connection, new)))

    async def get(self, user_id: str) -> User | None:
        """A user by id."""
        if not is_user_id(user_id):
            return None
        return await self._runs.read(lambda connection: _maybe(connection, BY_ID, id=user_id))

    async def find(self, name_or_id: str) -> User | None:
        """A user by name, or else by id."""

        def read(connection: Connection) -> User | None:
            return _maybe(connection, _BY_NAME, name=name_or_id) or _maybe(
                connection, BY_ID, id=name_or_id
            )

        if not is_user_id(name_or_id) and not is_user_name(name_or_id):
            return None
        return await self._runs.read(read)

    async def all(self, *, after: str = "", limit: int = 1000) -> Sequence[User]:
        """Users by id, those after one: a page at a time."""
        page = select(users).where(users.c.id > after).order_by(users.c.id).limit(limit)
        return await self._runs.read(
            lambda connection: [_user(row) for row in connection.execute(page)]
        )

    async def by_token(self, token: str) -> User | None:
        """Whose access token this is; None for an unknown, expired or revoked one.

        A disabled user is found too: callers are told so (spec skygear, section 2).
        """
        return await self._runs.read(lambda connection: _by_token(connection, hashed(token)))

    async def issue(self, user_id: str, expires_in: timedelta | None = None) -> Session:
        """A new session for a user.

        Raises:
            InvalidValue: it would end after the year 9999.
            ObjectNotFound: there is no such user.
        """
        return await self._issue(user_id, expires_in, lambda row: None)

    async def _issue(
        self, user_id: str, expires_in: timedelta | None, check: Callable[[Row[Any]], None]
    ) -> Session:
        token = new_token()
        until = _from_now(expires_in)

        def write(connection: Connection) -> None:
            # Waits for whoever ends the user's sessions: this one is not to outlive that.
            user = connection.execute(_LOCKED, {"id": user_id}).one_or_none()
            if user is None:
                raise ObjectNotFound("There is no such user")
            check(user)
            row = {"token_hash": hashed(token), "user_id": user_id}
            times = {"created_at": clock.now(), "expires_at": until}
            connection.execute(_ENDED, {"of_user_id": user_id, "now": clock.now()})
            connection.execute(sessions.insert().values({**row, **times}))

        if not is_user_id(user_id):
            raise ObjectNotFound("There is no such user")
        await self._runs.write(write)
        return Session(token=token, user_id=user_id, expires_at=until)

    async def log_in(
        self, user_name: str, password: str, *, expires_in: timedelta | None = None
    ) -> Session:
        """A new session for whoever knows the password.

        Raises:
            BadCredentials: no user has this name and this password.
            UserDisabled: the user who has is kept out.
        """
        row = await self._named(user_name)
        known = await self._passwords.verify(row.password_hash if row else None, password)
        if not known or row is None:
            raise BadCredentials(_WHICH_IS_NOT_TOLD)

        def check(now: Row[Any]) -> None:
            # Verifying takes long enough for the password to be changed meanwhile.
            if now.password_hash != row.password_hash:
                raise BadCredentials(_WHICH_IS_NOT_TOLD)
            user = _user(now)
            if user.disabled:
                raise UserDisabled(user.disabled_message, user.disabled_until)

        return await self._issue(row.id, expires_in, check)

    async def _named(self, user_name: str) -> Row[Any] | None:
        if not is_user_name(user_name):
            return None
        return await self._runs.read(
            lambda connection: connection.execute(_BY_NAME, {"name": user_name}).one_or_none()
        )

    async def log_out(self, token: str) -> None:
        """End a session; a token that is none is passed over."""
        end = sessions.update().where(
            sessions.c.token_hash == hashed(token), sessions.c.revoked_at.is_(None)
        )
        await self._runs.write(
            lambda connection: connection.execute(end.values(revoked_at=clock.now()))
        )

    async def revoke_all(self, user_id: str) -> None:
        """End every session a user has: no token issued until now counts any more."""
        await self._change(user_id, ends_sessions=True)

    async def set_password(self, user_id: str, password: str) -> None:
        """A new password; sessions from before it end."""
        password_hash = await self._passwords.hash(password)
        await self._change(
            user_id, ends_sessions=True, password_hash=password_hash, password_set_at=clock.now()
        )

    async def disable(
        self, user_id: str, *, message: str | None = None, until: datetime | None = None
    ) -> None:
        """Keep a user out, until a moment or for good.

        Raises:
            InvalidValue: the moment has no time zone, or the message cannot be kept.
            ObjectNotFound: there is no such user.
        """
        end = spell_date(until) if until is not None else None
        message = check_text("A message", message)
        await self._change(user_id, disabled=True, disabled_message=message, disabled_until=end)

    async def enable(self, user_id: str) -> None:
        """Let a user in again."""
        await self._change(user_id, disabled=False, disabled_message=None, disabled_until=None)

    async def verify(self, user_id: str, *, verified: bool = True) -> None:
        """Note whether a user is verified."""
        await self._change(user_id, verified=verified)

    async def _change(self, user_id: str, *, ends_sessions: bool = False, **values: Any) -> None:
        now = clock.now()
        if ends_sessions:
            values["tokens_valid_since"] = now
        change = update(users).where(users.c.id == user_id).values(**values, updated_at=now)
        # Of sessions made within the same millisecond, the time alone would not tell.
        end = update(sessions).where(sessions.c.user_id == user_id, sessions.c.revoked_at.is_(None))

        def write(connection: Connection) -> None:
            if not connection.execute(change).rowcount:
                raise ObjectNotFound("There is no such user")
            if ends_sessions:
                connection.execute(end.values(revoked_at=now))

        if not is_user_id(user_id):
            raise ObjectNotFound("There is no such user")
        await self._runs.write(write)


def add(connection: Connection, new: NewUser) -> Row[Any]:
    """Insert a user, and return the row.

    Raises:
        DuplicateValue: the name or the id is taken.
    """
    now = clock.now()
    row = {
        **{name: getattr(new, name) for name in NewUser.__dataclass_fields__},
        "password_set_at": now if new.password_hash else None,
        "disabled": False,
        "created_at": now,
        "updated_at": now,
    }
    done = connection.execute(insert(connection, users).values(row).on_conflict_do_nothing())
    if not done.rowcount:
        raise DuplicateValue("A user with this name or id exists already")
    return connection.execute(BY_ID, {"id": new.id}).one()


def is_user_name(name: object) -> bool:
    """Whether a user can have this name; for another, a database may fail to look."""
    try:
        check_user_name(name)
    except InvalidName:
        return False
    return True


def check_user_name(name: object) -> str:
    """The name itself.

    Raises:
        InvalidName: it cannot be one.
    """
    if not isinstance(name, str) or not name.strip() or len(name) > _LONGEST_NAME:
        raise InvalidName(f"A user's name has 1 to {_LONGEST_NAME} characters")
    if not name.isprintable() or name != name.strip():
        raise InvalidName("A user's name has no white space around it and no control characters")
    return name


def check_text(what: str, text: object) -> str | None:
    """A text for people, or None.

    Args:
        what: the text as the message calls it.

    Raises:
        InvalidValue: it is neither, or holds what a database cannot keep.
    """
    if text is None:
        return None
    if not isinstance(text, str) or "\0" in text:
        raise InvalidValue(f"{what} is a text without NUL characters")
    try:
        text.encode()
    except UnicodeEncodeError:
        raise InvalidValue(f"{what} holds a lone surrogate") from None
    return text


def _maybe(connection: Connection, statement: Any, **values: str) -> User | None:
    row = connection.execute(statement, values).one_or_none()
    return _user(row) if row is not None else None


def _by_token(connection: Connection, token_hash: bytes) -> User | None:
    row = connection.execute(_BY_TOKEN, {"hash": token_hash}).one_or_none()
    if row is None or (row.expires_at is not None and row.expires_at <= clock.now()):
        return None
    if row.tokens_valid_since is not None and row.issued_at < row.tokens_valid_since:
        return None
    return _user(row)


def _user(row: Row[Any]) -> User:
    over = row.disabled_until is not None and row.disabled_until <= clock.now()
    return User(
        id=row.id,
        user_name=row.user_name,
        display_name=row.display_name,
        verified=row.verified,
        disabled=row.disabled and not over,
        disabled_message=row.disabled_message,
        disabled_until=row.disabled_until,
        password_set_at=row.password_set_at,
        created_at=row.created_at,
    )


def _from_now(expires_in: timedelta | None) -> str | None:
    try:
        return clock.iso(clock.utc_now() + expires_in) if expires_in is not None else None
    except OverflowError:
        raise InvalidValue("A session ends in the years 1 to 9999") from None
