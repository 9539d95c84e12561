"""Where the state is kept: a database URL, whose password never prints."""

import re
from pathlib import Path
from typing import Annotated, Any
from urllib.parse import unquote, urlsplit

from pydantic import BaseModel, BeforeValidator, ConfigDict, InstanceOf

from tornado_cc.core.secret import Secret

EXAMPLES = "sqlite:///data/tornado_cc.db or postgresql://user:password@host/name"
_POSTGRESQL = re.compile(r"(postgresql|postgres)(\+asyncpg)?://")


class Database(BaseModel):
    """One database: a SQLite file or a PostgreSQL server.

    Attributes:
        path: the file, as written: a relative one starts where the server is started.
        dsn: the whole URL of a PostgreSQL database, empty for SQLite.
        password: the password in it.
        place: the database for people, without credentials.
    """

    model_config = ConfigDict(frozen=True, hide_input_in_errors=True)

    path: Path | None = None
    dsn: InstanceOf[Secret] = Secret("")
    password: InstanceOf[Secret] = Secret("")
    place: str

    def __str__(self) -> str:
        return self.place

    @classmethod
    def parse(cls, text: str) -> "Database":
        """The database a URL names.

        Raises:
            ValueError: it names none that can be used; the message quotes nothing of it.
        """
        if text.startswith("sqlite:"):
            return _sqlite(text)
        if _POSTGRESQL.match(text):
            return _postgresql(_POSTGRESQL.sub("postgresql://", text, count=1))
        raise ValueError(f"is not a database URL; write {EXAMPLES}")


def _sqlite(text: str) -> Database:
    path = text.removeprefix("sqlite:///")
    if path == text or not path or path.startswith(":memory:") or "\0" in path:
        raise ValueError(f"names no file; write {EXAMPLES}")
    if "?" in path:
        raise ValueError("has parameters, which a SQLite file does not take; write only its path")
    file = Path(path).expanduser()
    return Database(path=file, place=f"sqlite:///{file}")


def _postgresql(text: str) -> Database:
    try:
        parts = urlsplit(text)
        host, port = parts.hostname or "", parts.port
    except ValueError:
        raise ValueError(f"is not a database URL; write {EXAMPLES}") from None
    if not parts.path.strip("/"):
        raise ValueError(f"names no database at its end; write {EXAMPLES}")
    where = f"[{host}]" if ":" in host else host
    where += f":{port}" if port else ""
    return Database(
        dsn=Secret(text),
        password=Secret(unquote(parts.password or "")),
        place=f"postgresql://{where}{parts.path}",
    )


def _database(value: Any) -> Any:
    return Database.parse(value.strip()) if isinstance(value, str) else value


DatabaseUrl = Annotated[Database, BeforeValidator(_database)]
"""A database as its URL."""
