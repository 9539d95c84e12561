"""Receipts: what a request with an id was answered with, so that its repeat is answered alike.

In two phases, so that a crash swallows nothing. A key is begun for as long as a lease lasts, which
whoever runs the request renews, and done once there is an answer. What is begun and was not renewed
in time is anybody's.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import cache
from typing import Any

from sqlalchemy import (
    BigInteger,
    Connection,
    Delete,
    Executable,
    Select,
    Update,
    bindparam,
    delete,
    select,
    update,
)

from tornado_cc.core.message import Response
from tornado_cc.store import moments
from tornado_cc.store.moments import milliseconds
from tornado_cc.store.runs import Runs
from tornado_cc.store.tables import insert_on, receipts

_TABLE = receipts.c
_PRUNED_AT_ONCE = 500
_GRACE = milliseconds(3600)
"""For how long what has run out stays: who could not renew a lease may still finish."""

_Statement = Callable[[str], Executable]
"""What is asked of a database, by the name of its dialect."""


@dataclass(frozen=True, slots=True)
class Begun:
    """The key is the caller's, who runs the request."""


@dataclass(frozen=True, slots=True)
class Busy:
    """Somebody else runs the request.

    Attributes:
        seconds: what is left of their lease.
    """

    seconds: float


@dataclass(frozen=True, slots=True)
class Receipt:
    """The request is done.

    Attributes:
        response: the answer; None where it was not to be kept.
    """

    response: Response | None = field(repr=False)


class Receipts:
    """The receipts of a store. A key is a hash: it shows neither the sender nor its id.

    An owner is a name that nobody else has, and has for one key only.
    """

    def __init__(self, runs: Runs) -> None:
        self._runs = runs

    async def begin(self, key: bytes, owner: str, lease: float) -> Begun | Busy | Receipt:
        """Take a key, or find out what has become of it. Of all who try at once, one gets it.

        Args:
            lease: seconds after which the key is anybody's, unless it is renewed or done.

        Raises:
            StoreUnavailable: it is not known; where it was taken all the same, its lease ends.
        """
        names = {"of_key": key, "of_owner": owner, "lease": milliseconds(lease)}

        def write(connection: Connection) -> Begun | Busy | Receipt:
            taken = connection.execute(
                _take(connection.dialect.name), {**names, **moments.given(connection)}
            )
            return _look(connection, key) if taken.one_or_none() is None else Begun()

        return await self._runs.write(write)

    async def renew(self, key: bytes, owner: str, lease: float) -> bool:
        """Let a lease begin anew; whether the key is still the owner's.

        One whose lease has ended is theirs until somebody else takes it. Raises `StoreUnavailable`.
        """
        names = {"of_key": key, "of_owner": owner, "lease": milliseconds(lease)}
        return await self._changed(_renew, names) == 1

    async def finish(
        self, key: bytes, owner: str, response: Response | None, seconds: float
    ) -> bool:
        """Say what a request was answered with; whether the key was still the owner's.

        Args:
            response: the answer; None is one that is not to be kept.
            seconds: after which the key is forgotten.

        Raises:
            StoreUnavailable: it may not be kept.
        """
        names = {"of_key": key, "of_owner": owner, "keep": milliseconds(seconds)}
        return await self._changed(_finish, {**names, **_parts(response)}) == 1

    async def release(self, key: bytes, owner: str) -> None:
        """Give a key back, so that a repeat runs the request. Raises `StoreUnavailable`."""
        names = {"of_key": key, "of_owner": owner}
        await self._runs.write(lambda connection: connection.execute(_RELEASE, names) and None)

    async def release_all(self) -> None:
        """Give back whatever is begun: for a database that nobody else uses.

        Raises:
            StoreUnavailable: all of it stays until its lease ends.
        """
        await self._changed(_release_all, {})

    async def prune(self) -> int:
        """Remove some of what has run out; how many. 0 when nothing is left to."""
        return await self._changed(_prune, {})

    async def _changed(self, statement: _Statement, names: Mapping[str, Any]) -> int:
        """How many rows a statement changes."""

        def write(connection: Connection) -> int:
            clock = moments.given(connection)
            done = connection.execute(statement(connection.dialect.name), {**names, **clock})
            return done.rowcount

        return await self._runs.write(write)


def _look(connection: Connection, key: bytes) -> Busy | Receipt:
    asked = _found(connection.dialect.name)
    row = connection.execute(asked, {"of_key": key, **moments.given(connection)}).one_or_none()
    if row is None:
        # It was given back a moment ago.
        return Busy(0)
    if row.state == "begun":
        return Busy(max(row.left, 0) / 1000)
    if row.status is None:
        return Receipt(None)
    lines = tuple((name, value) for name, value in row.headers)
    return Receipt(Response(row.status, row.body, lines))


def _parts(response: Response | None) -> dict[str, Any]:
    if response is None:
        return {"of_status": None, "of_headers": [], "of_body": None}
    lines = [list(pair) for pair in response.headers]
    return {"of_status": response.status, "of_headers": lines, "of_body": response.body}


_IS_BEGUN = _TABLE.state == "begun"
_IS_HELD = (
    _TABLE.key == bindparam("of_key"),
    _TABLE.owner == bindparam("of_owner"),
    _IS_BEGUN,
)
_RELEASE = delete(receipts).where(*_IS_HELD)


@cache
def _take(dialect: str) -> Executable:
    """One statement: between two, somebody else could do the same."""
    now = moments.now(dialect)
    until = now + bindparam("lease", type_=BigInteger)
    mine = {"state": "begun", "owner": bindparam("of_owner"), "until": until}
    new: Any = insert_on(dialect, receipts).values(key=bindparam("of_key"), **mine)
    taken = new.on_conflict_do_update(index_elements=["key"], set_=mine, where=_TABLE.until <= now)
    statement: Executable = taken.returning(_TABLE.key)
    return statement


@cache
def _found(dialect: str) -> Select[Any]:
    left = (_TABLE.until - moments.now(dialect)).label("left")
    return select(receipts, left).where(_TABLE.key == bindparam("of_key"))


@cache
def _renew(dialect: str) -> Update:
    until = moments.now(dialect) + bindparam("lease", type_=BigInteger)
    return update(receipts).where(*_IS_HELD).values(until=until)


@cache
def _finish(dialect: str) -> Update:
    until = moments.now(dialect) + bindparam("keep", type_=BigInteger)
    parts: dict[str, Any] = {
        name: bindparam(f"of_{name}") for name in ("status", "headers", "body")
    }
    return update(receipts).where(*_IS_HELD).values(state="done", until=until, **parts)


@cache
def _release_all(dialect: str) -> Delete:
    # No lease is as long; without this, every receipt of a week would be looked at.
    is_near = _TABLE.until < moments.now(dialect) + _GRACE
    return delete(receipts).where(is_near, _IS_BEGUN)


@cache
def _prune(dialect: str) -> Delete:
    has_run_out = _TABLE.until < moments.now(dialect) - _GRACE
    old = select(_TABLE.key).where(has_run_out).limit(_PRUNED_AT_ONCE)
    return delete(receipts).where(_TABLE.key.in_(old))
