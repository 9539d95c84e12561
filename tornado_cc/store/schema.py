"""The schema of a database against the one this code knows: alembic's migrations, applied in order.

A revision is a file in `migrations/versions`. The database says at which one it is.
"""

import logging
from enum import Enum
from pathlib import Path
from typing import TYPE_CHECKING

from sqlalchemy import Connection, inspect, text

if TYPE_CHECKING:
    from alembic.config import Config

HEAD = "0002"
"""The newest revision in `migrations/versions`."""

# Any number will do, as long as nobody else of this database takes it.
_ADVISORY_LOCK = 0x746F726E61646F


class SchemaError(Exception):
    """The database's schema is not the one this code works with; the message says what to do."""


class Schema(Enum):
    """A database's schema beside this code's."""

    CURRENT = "current"
    OLD = "old"
    NEWER = "newer"


def state(connection: Connection) -> Schema:
    """How the schema of a database stands to this code's. An empty database is old."""
    if not inspect(connection).has_table("alembic_version"):
        return Schema.OLD
    revision = connection.execute(text("SELECT version_num FROM alembic_version")).scalar()
    if revision == HEAD:
        return Schema.CURRENT
    return Schema.OLD if revision is None or revision in _revisions() else Schema.NEWER


def check(connection: Connection) -> None:
    """Raise `SchemaError` unless the schema is this code's."""
    found = state(connection)
    if found is Schema.NEWER:
        raise SchemaError(
            "the database was made by a newer tornado_cc than this one; install that or a later one"
        )
    if found is Schema.OLD:
        raise SchemaError(
            "the database has not the tables of this tornado_cc yet; run"
            " `python -m tornado_cc --conf FILE migrate`"
        )


def migrate(connection: Connection) -> bool:
    """Apply the migrations that are missing, in the connection's transaction; whether any was.

    Raises:
        SchemaError: the database is newer than this code.
    """
    if connection.dialect.name == "postgresql":
        # Two migrations at once would both find the tables missing.
        connection.execute(text("SELECT pg_advisory_xact_lock(:key)"), {"key": _ADVISORY_LOCK})
    found = state(connection)
    if found is Schema.NEWER:
        check(connection)
    if found is Schema.CURRENT:
        return False
    # It would tell of its import and of each step in lines that say nothing to an operator.
    logging.getLogger("alembic").setLevel(logging.WARNING)
    # Alembic takes longer to import than most commands to run.
    from alembic import command

    settings = _config()
    settings.attributes["connection"] = connection
    command.upgrade(settings, "head")
    return True


def _revisions() -> set[str]:
    from alembic.script import ScriptDirectory

    return {one.revision for one in ScriptDirectory.from_config(_config()).walk_revisions()}


def _config() -> "Config":
    from alembic.config import Config

    settings = Config()
    folder = Path(__file__).parent / "migrations"
    # Its parser takes a percent sign for the start of a reference.
    settings.set_main_option("script_location", str(folder).replace("%", "%%"))
    settings.set_main_option("path_separator", "newline")
    return settings
