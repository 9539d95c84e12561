"""The tables, alike on both engines. A change here needs a migration beside it."""

from collections.abc import Callable
from typing import Any

from sqlalchemy import (
    BigInteger,
    Boolean,
    Column,
    Connection,
    Float,
    ForeignKey,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    Table,
    Text,
    TypeDecorator,
    text,
)
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.engine import Dialect

from tornado_cc.store.engine import from_json, to_json

metadata = MetaData(
    naming_convention={
        "ix": "ix_%(table_name)s_%(column_0_N_name)s",
        "uq": "uq_%(table_name)s_%(column_0_N_name)s",
        "fk": "fk_%(table_name)s_%(column_0_N_name)s",
        "pk": "pk_%(table_name)s",
    }
)


class Json(TypeDecorator[Any]):
    """JSON in a text: what SQLite calls JSON would make numbers of texts that look like one."""

    impl = Text
    cache_ok = True

    def process_bind_param(self, value: Any, dialect: Dialect) -> str:
        """The text of a value."""
        return to_json(value)

    def process_result_value(self, value: str | None, dialect: Dialect) -> Any:
        """The value of a text."""
        return from_json(value) if value is not None else None


# Sorted by code point everywhere, not as the language of a database would have it.
Name = Text().with_variant(Text(collation="C"), "postgresql")

# Times are texts, `2026-01-31T12:00:00.000Z`: they sort as they are and read alike on both engines.

users = Table(
    "users",
    metadata,
    Column("id", Name, primary_key=True),
    Column("user_name", Name, unique=True),
    Column("display_name", Text),
    Column("external_ids", Json, nullable=False),
    Column("password_hash", Text),
    Column("password_set_at", Text),
    Column("verified", Boolean, nullable=False),
    Column("disabled", Boolean, nullable=False),
    Column("disabled_message", Text),
    Column("disabled_until", Text),
    Column("tokens_valid_since", Text),
    Column("created_at", Text, nullable=False),
    Column("updated_at", Text, nullable=False),
)

sessions = Table(
    "sessions",
    metadata,
    Column("token_hash", LargeBinary, primary_key=True),
    Column("user_id", Name, ForeignKey("users.id", ondelete="CASCADE"), nullable=False, index=True),
    Column("created_at", Text, nullable=False),
    Column("expires_at", Text),
    Column("revoked_at", Text),
)

# A row for each key, so that two calls that change different keys both keep what they changed.
player_data = Table(
    "player_data",
    metadata,
    Column("user_id", Name, ForeignKey("users.id", ondelete="CASCADE"), primary_key=True),
    Column("kind", Name, primary_key=True),
    Column("key", Name, primary_key=True),
    Column("value", Json, nullable=False),
)

config = Table(
    "config",
    metadata,
    Column("name", Name, primary_key=True),
    Column("value", Json, nullable=False),
    Column("master_key_only", Boolean, nullable=False),
)

versions = Table(
    "versions",
    metadata,
    Column("name", Name, primary_key=True),
    Column("number", Integer, nullable=False),
)

objects = Table(
    "objects",
    metadata,
    Column("class_name", Name, primary_key=True),
    Column("object_id", Name, primary_key=True),
    Column("fields", Json().with_variant(JSONB(), "postgresql"), nullable=False),
    Column("created_at", Name, nullable=False),
    Column("updated_at", Text, nullable=False),
    Index(None, "class_name", "created_at", "object_id"),
)

Index(
    "ix_objects_fields",
    objects.c.fields,
    postgresql_using="gin",
    postgresql_ops={"fields": "jsonb_path_ops"},
    info={"only_on": "postgresql"},
).ddl_if(dialect="postgresql")

# Milliseconds since 1970 by the database's clock, which workers on several machines share. Numbers,
# because leases and delays are calculated with in SQL.
Moment = BigInteger().with_variant(Integer, "sqlite")

requests = Table(
    "requests",
    metadata,
    # A ULID: it sorts by the time of arrival.
    Column("id", Name, primary_key=True),
    Column("received_at", Text, nullable=False),
    Column("dialect", Name, nullable=False),
    Column("method", Text, nullable=False),
    Column("route", Name, nullable=False),
    Column("path", Text, nullable=False),
    Column("query", Text, nullable=False),
    Column("headers", Json, nullable=False),
    Column("body", LargeBinary),
    Column("size", Integer, nullable=False),
    Column("remote", Text, nullable=False),
    Column("not_replayable", Text),
    Column("verdict", Text, nullable=False),
    Column("hook", Text, nullable=False),
    Column("plugins", Text, nullable=False),
    Column("user_id", Name),
    Column("master", Boolean, nullable=False),
    Column("outcome", Name),
    Column("cause", Text),
    Column("error_id", Name),
    Column("status", Integer),
    Column("ms", Float),
    Column("answer", LargeBinary),
)

deliveries = Table(
    "deliveries",
    metadata,
    # The order in which they were accepted.
    Column("number", Moment, primary_key=True, autoincrement=True),
    Column("id", Name, nullable=False, unique=True),
    Column("kind", Name, nullable=False),
    Column("plugin", Name, nullable=False),
    Column("target", Name, nullable=False),
    Column("lane", Name),
    Column("once", Name, unique=True),
    Column("payload", Text, nullable=False),
    Column("request_id", Name),
    Column("state", Name, nullable=False),
    Column("attempts", Integer, nullable=False),
    # When it may run; of one that runs, when its lease ends: then it may run again.
    Column("due_at", Moment, nullable=False),
    Column("created_at", Moment, nullable=False),
    Column("ended_at", Moment),
    Column("leased_by", Name),
    Column("failures", Json, nullable=False),
    Column("version", Text),
    sqlite_autoincrement=True,
)

# Each of these holds only what its question is about, so that a week of done rows costs a claim
# nothing. A query has to spell the states as these do, or the index is not used.
UNFINISHED = text("state IN ('waiting', 'ready', 'running')")
CLAIMABLE = text("state IN ('ready', 'running')")
LEASED = text("state = 'running'")
ENDED = text("state IN ('done', 'dead', 'discarded')")

Index(
    "ix_deliveries_due",
    deliveries.c.due_at,
    deliveries.c.number,
    sqlite_where=CLAIMABLE,
    postgresql_where=CLAIMABLE,
)
Index(
    "ix_deliveries_leased",
    deliveries.c.due_at,
    deliveries.c.number,
    sqlite_where=LEASED,
    postgresql_where=LEASED,
)
Index(
    "ix_deliveries_lane",
    deliveries.c.lane,
    deliveries.c.number,
    sqlite_where=UNFINISHED,
    postgresql_where=UNFINISHED,
)
Index(
    "ix_deliveries_ended",
    deliveries.c.state,
    deliveries.c.ended_at,
    sqlite_where=ENDED,
    postgresql_where=ENDED,
)
Index(
    "ix_deliveries_request_id",
    deliveries.c.request_id,
    sqlite_where=deliveries.c.request_id.is_not(None),
    postgresql_where=deliveries.c.request_id.is_not(None),
)

# What a sender's id was answered with, so that its repeat is answered alike.
receipts = Table(
    "receipts",
    metadata,
    Column("key", LargeBinary, primary_key=True),
    Column("state", Name, nullable=False),
    Column("owner", Name, nullable=False),
    # Of one that is begun, when its lease ends; of one that is done, when it is forgotten.
    Column("until", Moment, nullable=False, index=True),
    Column("status", Integer),
    Column("headers", Json),
    Column("body", LargeBinary),
)

schedules = Table(
    "schedules",
    metadata,
    Column("name", Name, primary_key=True),
    Column("due_at", Moment, nullable=False),
)


def on(dialect: str) -> Callable[..., bool]:
    """For alembic: whether a table, a column or an index is one that this engine has."""

    def include(item: Any, *_: object) -> bool:
        return bool(item.info.get("only_on", dialect) == dialect)

    return include


def insert(connection: Connection, table: Table) -> Any:
    """An insert that can say what to do about a row that is there already."""
    return insert_on(connection.dialect.name, table)


def insert_on(dialect: str, table: Table) -> Any:
    """The same, by the name of the dialect."""
    return (sqlite if dialect == "sqlite" else postgresql).insert(table)
