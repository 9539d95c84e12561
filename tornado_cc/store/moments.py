"""Moments in milliseconds since 1970, by the clock of the database.

Workers on several machines share that clock: a lease that one of them took has to end for all of
them at the same time, whatever their own clocks say.
"""

from datetime import UTC, datetime

from sqlalchemy import BigInteger, ColumnElement, Connection, bindparam, cast, extract, func

from tornado_cc.core import clock

# The statement's own time: an index cannot be asked about a clock that moves while it is read.
_POSTGRESQL: ColumnElement[int] = cast(
    extract("epoch", func.statement_timestamp()) * 1000, BigInteger
)


_SQLITE: ColumnElement[int] = bindparam("now", type_=BigInteger)


def now(dialect: str) -> ColumnElement[int]:
    """The moment of a statement, to be used in it; the statement is run with `given`."""
    return _POSTGRESQL if dialect == "postgresql" else _SQLITE


def given(connection: Connection) -> dict[str, int]:
    """What a statement that uses `now` is run with.

    SQLite is used by one machine, so its clock is the process's.
    """
    if connection.dialect.name == "postgresql":
        return {}
    return {"now": of(clock.utc_now())}


def spelt(moment: int) -> str:
    """A moment in ISO 8601, for people."""
    return clock.iso(datetime.fromtimestamp(moment / 1000, UTC))


def milliseconds(seconds: float) -> int:
    """A duration in the unit of moments."""
    return round(seconds * 1000)


def of(moment: datetime) -> int:
    """A datetime as a moment."""
    return milliseconds(moment.timestamp())
