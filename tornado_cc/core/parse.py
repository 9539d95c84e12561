"""The face of a Parse Server that hooks talk back to: `call.parse` (docs/parse.md)."""

from collections.abc import Mapping
from typing import Any, Protocol

from tornado_cc.core.state import Keys, Order


class ParseObjects(Protocol):
    """The objects of one class, as a Parse Server keeps them. Every write fires its triggers.

    Objects are JSON as the REST API has it. What goes wrong is an `OutboundError`; what the Parse
    Server itself says no to is a `ParseError`, with its code.
    """

    async def get(
        self, object_id: str, *, keys: Keys = None, include: Keys = None
    ) -> dict[str, Any]:
        """One object. Raises `ParseObjectNotFound`, also when it may not be read.

        Args:
            keys: the fields wanted.
            include: fields whose pointers are to be objects.
        """
        ...

    async def find(
        self,
        where: Mapping[str, Any] | None = None,
        *,
        order: Order = None,
        limit: int = 100,
        skip: int = 0,
        keys: Keys = None,
        include: Keys = None,
    ) -> list[dict[str, Any]]:
        """The objects that fit `where` and may be read."""
        ...

    async def first(
        self,
        where: Mapping[str, Any] | None = None,
        *,
        order: Order = None,
        keys: Keys = None,
        include: Keys = None,
    ) -> dict[str, Any] | None:
        """The first object that fits `where`, None when none does."""
        ...

    async def count(self, where: Mapping[str, Any] | None = None) -> int:
        """How many objects fit `where`."""
        ...

    async def create(
        self, fields: Mapping[str, Any], *, context: Mapping[str, Any] | None = None
    ) -> dict[str, Any]:
        """Store a new object, and return `objectId`, `createdAt` and what triggers changed.

        Args:
            context: what the triggers of this write get as `call.context`.
        """
        ...

    async def update(
        self,
        object_id: str,
        changes: Mapping[str, Any],
        *,
        context: Mapping[str, Any] | None = None,
    ) -> dict[str, Any]:
        """Change an object, and return `updatedAt` and what operations and triggers made of it.

        A change is a value or an operation, `{"__op": "Increment", "amount": 1}`; fields that are
        not named stay as they are. Raises `ParseObjectNotFound`.
        """
        ...

    async def delete(self, object_id: str, *, context: Mapping[str, Any] | None = None) -> None:
        """Remove an object. Raises `ParseObjectNotFound`."""
        ...

    def pointer(self, object_id: str) -> dict[str, str]:
        """A pointer to one of them, as a field or a query has it."""
        ...


class Parse(Protocol):
    """A Parse Server as a hook has it: it asks in the name of the user who calls.

    Whatever is asked raises `ValueError` when the conf names no Parse Server.
    """

    def as_master(self) -> "Parse":
        """The same with the master key, which no ACL keeps out. Raises `ValueError` without one."""
        ...

    def as_user(self, session_token: str) -> "Parse":
        """The same in the name of whoever has this session."""
        ...

    def as_nobody(self) -> "Parse":
        """The same as somebody who is not logged in."""
        ...

    def objects(self, class_name: str) -> ParseObjects:
        """The objects of one class, `_User` among them."""
        ...

    async def run(
        self,
        name: str,
        params: Mapping[str, Any] | None = None,
        *,
        context: Mapping[str, Any] | None = None,
    ) -> Any:
        """What a cloud function returns."""
        ...

    async def config(self) -> dict[str, Any]:
        """The parameters; those for the master key only when that is used."""
        ...

    async def user(self) -> dict[str, Any]:
        """The user whose session is used, without its token. Raises `ParseInvalidSession`."""
        ...
