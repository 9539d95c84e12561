"""The configuration, as Parse Config has it (spec parse, section 7)."""

from collections.abc import Mapping, Set
from typing import Any

from sqlalchemy import Connection, bindparam, delete, select, update

from tornado_cc.core import clock, json_value
from tornado_cc.core.state import Service
from tornado_cc.store import operations
from tornado_cc.store.errors import InvalidValue
from tornado_cc.store.fields import check_field, check_fields
from tornado_cc.store.runs import Runs
from tornado_cc.store.tables import config, insert, versions

REFRESH = 0.5
"""Seconds after which another worker's change is seen at the latest."""

_NAME = "config"
_VERSION = select(versions.c.number).where(versions.c.name == _NAME)
_ALL = select(config).order_by(config.c.name)
_REMOVE = delete(config).where(config.c.name == bindparam("of_name"))

Parameters = dict[str, tuple[Any, bool]]
"""Value and whether it is for the master key only, by name."""


class Config(Service):
    """The parameters of a store, kept in memory as long as nobody changes them."""

    def __init__(self, runs: Runs) -> None:
        self._runs = runs
        self._cached: Parameters = {}
        self._version = -1
        self._fresh_until = 0.0
        self._saved = 0

    async def get(self, *, use_master_key: bool = False) -> dict[str, Any]:
        """The parameters by name; those for the master key only when it is used.

        A change made through this object is seen at once, one made elsewhere within `REFRESH`.
        """
        if clock.monotonic() >= self._fresh_until:
            await self._refresh()
        return {
            name: json_value.clone(value)
            for name, (value, master_only) in self._cached.items()
            if use_master_key or not master_only
        }

    async def all(self) -> Parameters:
        """Every parameter with whether it is for the master key only, as stored now."""
        await self._refresh()
        return {
            name: (json_value.clone(value), only) for name, (value, only) in self._cached.items()
        }

    async def save(
        self, params: Mapping[str, Any], master_key_only: Mapping[str, bool] | None = None
    ) -> None:
        """Set parameters, all of them or none.

        Args:
            params: values or the operations `Increment`, `Delete` and the like, by name.
            master_key_only: whether a parameter is for the master key only, by name. One that is
                not named stays as it is, and is public when it is new: unlike in the original,
                a value set without its flag does not become public.

        Raises:
            InvalidName, InvalidValue, IncorrectType: nothing was set. That a parameter which is
                not there is for the master key only would be forgotten, and its value be public.
        """
        changes = check_fields(params)
        flags = _checked_flags(master_key_only or {})

        def write(connection: Connection) -> None:
            # Whoever changes the configuration waits here for whoever does it already.
            _bump(connection)
            stored = _read(connection)
            _check_known(flags, stored.keys() | changes.keys())
            values = operations.apply({name: value for name, (value, _) in stored.items()}, changes)
            for name in sorted(changes.keys() | flags.keys()):
                if name not in values:
                    connection.execute(_REMOVE, {"of_name": name})
                    continue
                flag = flags.get(name, stored.get(name, (None, False))[1])
                row = {"name": name, "value": values[name], "master_key_only": flag}
                new = insert(connection, config).values(row)
                connection.execute(
                    new.on_conflict_do_update(
                        index_elements=["name"],
                        set_={"value": new.excluded.value, "master_key_only": flag},
                    )
                )

        await self._runs.write(write)
        self._saved += 1
        self._fresh_until = 0.0

    async def _refresh(self) -> None:
        asked = clock.monotonic()
        known, saved = self._version, self._saved

        def read(connection: Connection) -> tuple[int, Parameters | None]:
            version = connection.execute(_VERSION).scalar_one_or_none() or 0
            return version, None if version == known else _read(connection)

        version, parameters = await self._runs.read(read)
        if parameters is not None and version > self._version:
            self._cached, self._version = parameters, version
        if saved == self._saved:
            self._fresh_until = asked + REFRESH


def _read(connection: Connection) -> Parameters:
    return {row.name: (row.value, row.master_key_only) for row in connection.execute(_ALL)}


def _bump(connection: Connection) -> None:
    new = insert(connection, versions).values(name=_NAME, number=0)
    connection.execute(new.on_conflict_do_nothing())
    next_one = update(versions).where(versions.c.name == _NAME)
    connection.execute(next_one.values(number=versions.c.number + 1))


def _check_known(flags: Mapping[str, bool], known: Set[str]) -> None:
    for name, flag in flags.items():
        if flag and name not in known:
            raise InvalidValue(f"There is no parameter {name} to be for the master key only")


def _checked_flags(flags: Mapping[str, bool]) -> dict[str, bool]:
    if not isinstance(flags, Mapping) or not all(isinstance(one, bool) for one in flags.values()):
        raise InvalidValue("The flags of parameters are true or false, by name")
    return {check_field(name): flag for name, flag in flags.items()}
