"""`call.parse`: a Parse Server as one hook has it; `core.parse` says what the members do."""

from collections.abc import Mapping
from typing import Any, TypeVar

from tornado_cc.core.call import Call
from tornado_cc.core.redact import MASK
from tornado_cc.core.secret import Secret
from tornado_cc.core.state import Keys, Order, Service
from tornado_cc.outbound.errors import RequestError, ResponseError
from tornado_cc.outbound.parse import ParseServer, Rights

T = TypeVar("T")

_NOBODY = Rights()

_NO_SESSION = (
    "this call has a user and not their session token, which is never kept: say in whose name with"
    " as_master(), as_user(token) or as_nobody()"
)


class CallParse(Service):
    """The Parse Server, asked in somebody's name and within a hook's deadline.

    Args:
        rights: None where the name of the calling user cannot be used.
        until: the clock's time at which the deadline of the hook passes.
    """

    __slots__ = ("_rights", "_server", "_until")

    def __init__(self, server: ParseServer, rights: Rights | None, until: float) -> None:
        self._server = server
        self._rights = rights
        self._until = until

    def __repr__(self) -> str:
        return "<Parse>"

    def as_master(self) -> "CallParse":
        """The same with the master key."""
        return self._as(Rights(master=True))

    def as_user(self, session_token: str) -> "CallParse":
        """The same in the name of whoever has this session."""
        if not isinstance(session_token, str) or session_token in ("", MASK):
            raise ValueError("a session token is a text that is not empty")
        return self._as(Rights(session_token=Secret(session_token)))

    def as_nobody(self) -> "CallParse":
        """The same as somebody who is not logged in."""
        return self._as(_NOBODY)

    def objects(self, class_name: str) -> "ParseObjects":
        """The objects of one class."""
        return ParseObjects(self, class_name)

    async def run(
        self,
        name: str,
        params: Mapping[str, Any] | None = None,
        *,
        context: Mapping[str, Any] | None = None,
    ) -> Any:
        """What a cloud function returns."""
        path = f"functions/{self._server.segment(name, 'the name of a function')}"
        answer = await self.write(path, {} if params is None else params, context=context)
        # Of a function that returns nothing there is none.
        return answer.get("result")

    async def config(self) -> dict[str, Any]:
        """The parameters by name."""
        return _member(await self.read("config"), "params", dict, self._server.address("config"))

    async def user(self) -> dict[str, Any]:
        """The user whose session is used."""
        found = await self.read("users/me")
        found.pop("sessionToken", None)
        return found

    def class_path(self, class_name: str) -> str:
        """Where a class is. Raises `RequestError`."""
        return f"classes/{self._server.segment(class_name, 'the name of a class')}"

    def object_path(self, class_name: str, object_id: str) -> str:
        """Where an object is. Raises `RequestError`."""
        id_ = self._server.segment(object_id, "the id of an object")
        return f"{self.class_path(class_name)}/{id_}"

    async def read(self, path: str, query: Mapping[str, Any] | None = None) -> dict[str, Any]:
        """What a path has."""
        rights = self._known()
        return self._mapping(await self._server.read(rights, self._until, path, query), path)

    async def results(self, path: str, query: Mapping[str, Any]) -> list[dict[str, Any]]:
        """What a query finds."""
        return _member(await self.read(path, query), "results", list, self._server.address(path))

    async def number(self, path: str, query: Mapping[str, Any]) -> int:
        """How much a query finds."""
        return _member(await self.read(path, query), "count", int, self._server.address(path))

    async def write(
        self,
        path: str,
        body: Mapping[str, Any],
        *,
        method: str = "POST",
        context: Mapping[str, Any] | None = None,
    ) -> dict[str, Any]:
        """What an order is answered.

        A key that begins with `_` is refused: some of them say who asks for what, and plugins pass
        on what callers sent.
        """
        if not isinstance(body, Mapping):
            problem = f"a {type(body).__name__} is no mapping"
            raise RequestError(problem, self._server.address(path))
        odd = next((key for key in body if not isinstance(key, str) or key.startswith("_")), None)
        if odd is not None:
            problem = f"{odd!r} is not a name that can be sent"
            raise RequestError(problem, self._server.address(path))
        rights = self._known()
        return self._mapping(
            await self._server.write(
                rights, self._until, path, body, method=method, context=context
            ),
            path,
        )

    def _as(self, rights: Rights) -> "CallParse":
        self._server.check(rights)
        return CallParse(self._server, rights, self._until)

    def _known(self) -> Rights:
        self._server.check(self._rights or _NOBODY)
        if self._rights is None:
            raise RequestError(_NO_SESSION, self._server.address(""))
        return self._rights

    def _mapping(self, answer: object, path: str) -> dict[str, Any]:
        if not isinstance(answer, dict):
            raise _malformed(self._server.address(path))
        return answer


class ParseObjects(Service):
    """The objects of one class; `core.parse.ParseObjects` says what the members do."""

    __slots__ = ("_class_name", "_parse")

    def __init__(self, parse: CallParse, class_name: str) -> None:
        self._parse = parse
        self._class_name = class_name

    def __repr__(self) -> str:
        return f"<ParseObjects {self._class_name}>"

    async def get(
        self, object_id: str, *, keys: Keys = None, include: Keys = None
    ) -> dict[str, Any]:
        """One object."""
        query = _said({"keys": _names(keys), "include": _names(include)})
        return await self._parse.read(self._object(object_id), query)

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
        query = {
            "where": where or None,
            "order": _names(order),
            "limit": limit,
            "skip": skip or None,
            "keys": _names(keys),
            "include": _names(include),
        }
        return await self._parse.results(self._path, _said(query))

    async def first(
        self,
        where: Mapping[str, Any] | None = None,
        *,
        order: Order = None,
        keys: Keys = None,
        include: Keys = None,
    ) -> dict[str, Any] | None:
        """The first object that fits `where`."""
        found = await self.find(where, order=order, limit=1, keys=keys, include=include)
        return found[0] if found else None

    async def count(self, where: Mapping[str, Any] | None = None) -> int:
        """How many objects fit `where`."""
        query = {"where": where or None, "count": 1, "limit": 0}
        return await self._parse.number(self._path, _said(query))

    async def create(
        self, fields: Mapping[str, Any], *, context: Mapping[str, Any] | None = None
    ) -> dict[str, Any]:
        """Store a new object."""
        return await self._parse.write(self._path, fields, context=context)

    async def update(
        self,
        object_id: str,
        changes: Mapping[str, Any],
        *,
        context: Mapping[str, Any] | None = None,
    ) -> dict[str, Any]:
        """Change an object."""
        path = self._object(object_id)
        return await self._parse.write(path, changes, method="PUT", context=context)

    async def delete(self, object_id: str, *, context: Mapping[str, Any] | None = None) -> None:
        """Remove an object."""
        await self._parse.write(self._object(object_id), {}, method="DELETE", context=context)

    def pointer(self, object_id: str) -> dict[str, str]:
        """A pointer to one of them."""
        return {"__type": "Pointer", "className": self._class_name, "objectId": object_id}

    @property
    def _path(self) -> str:
        return self._parse.class_path(self._class_name)

    def _object(self, object_id: str) -> str:
        return self._parse.object_path(self._class_name, object_id)


def acting(call: Call | None) -> Rights | None:
    """The rights of whoever calls; None of a user whose session token is not there.

    Nobody's would be less than they have, and nobody would notice.
    """
    if call is None:
        return _NOBODY
    token = (call.user or {}).get("sessionToken")
    if isinstance(token, str) and token not in ("", MASK):
        return Rights(session_token=Secret(token))
    return _NOBODY if call.user is None and call.user_id is None else None


def _names(names: Order | Keys) -> str | None:
    """Names as the REST API has them, commas between."""
    return names if names is None or isinstance(names, str) else ",".join(names)


def _said(query: Mapping[str, Any]) -> dict[str, Any]:
    return {key: value for key, value in query.items() if value is not None}


def _member(answer: Mapping[str, Any], key: str, kind: type[T], url: str) -> T:
    value = answer.get(key)
    if not isinstance(value, kind):
        raise _malformed(url)
    return value


def _malformed(url: str) -> ResponseError:
    return ResponseError("answered 200, and not as a Parse Server does", url)
