"""What is kept: users, players, sessions, configuration and objects, on SQLite or PostgreSQL.

Owns SQLAlchemy, asyncpg, alembic, argon2 and re2.
"""

from tornado_cc.store.engine import CannotOpen
from tornado_cc.store.errors import (
    BadCredentials,
    DuplicateValue,
    IncorrectType,
    InvalidName,
    InvalidQuery,
    InvalidValue,
    ObjectNotFound,
    StoreError,
    StoreUnavailable,
    TooDeep,
    UserDisabled,
)
from tornado_cc.store.players import Player, Players
from tornado_cc.store.receipts import Begun, Busy, Receipt, Receipts
from tornado_cc.store.requests import Requests
from tornado_cc.store.schema import SchemaError
from tornado_cc.store.store import Store

__all__ = [
    "BadCredentials",
    "Begun",
    "Busy",
    "CannotOpen",
    "DuplicateValue",
    "IncorrectType",
    "InvalidName",
    "InvalidQuery",
    "InvalidValue",
    "ObjectNotFound",
    "Player",
    "Players",
    "Receipt",
    "Receipts",
    "Requests",
    "SchemaError",
    "Store",
    "StoreError",
    "StoreUnavailable",
    "TooDeep",
    "UserDisabled",
]
