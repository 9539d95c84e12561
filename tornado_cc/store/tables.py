"""The tables, alike on both engines. A change here needs a migration beside it."""

from collections.abc import Callable
from typing import Any

from sqlalchemy import (
    Boolean,
    Column,
    Connection,
    ForeignKey,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    Table,
    Text,
    TypeDecorator,
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


def on(dialect: str) -> Callable[..., bool]:
    """For alembic: whether a table, a column or an index is one that this engine has."""

    def include(item: Any, *_: object) -> bool:
        return bool(item.info.get("only_on", dialect) == dialect)

    return include


def insert(connection: Connection, table: Table) -> Any:
    """An insert that can say what to do about a row that is there already."""
    dialect = sqlite if connection.dialect.name == "sqlite" else postgresql
    return dialect.insert(table)
