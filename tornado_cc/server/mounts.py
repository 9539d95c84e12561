"""Which dialect a path belongs to, and the paths that are the server's own."""

from collections.abc import Callable, Mapping, Sequence
from urllib.parse import unquote

from tornado_cc.core import json_value
from tornado_cc.core.call import Call
from tornado_cc.core.errors import Reason, Refusal
from tornado_cc.core.message import JSON, Request, Response
from tornado_cc.core.outcome import Outcome
from tornado_cc.core.ports import Dialect, Route, Vouched

_STATUS = {
    Reason.NOT_FOUND: 404,
    Reason.METHOD: 405,
    Reason.MALFORMED: 400,
    Reason.TOO_LARGE: 413,
    Reason.TOO_SLOW: 408,
    Reason.HEADERS_TOO_LARGE: 431,
    Reason.UNAVAILABLE: 503,
}


class OwnPaths:
    """The dialect of the server itself: health, and an answer where nobody else has one."""

    name = "server"
    mount = ""
    max_body = 0
    paths: tuple[str, ...] = ()
    hooks: frozenset[str] = frozenset()
    warnings: tuple[str, ...] = ()

    def __init__(self, pages: Mapping[str, Callable[[], Response]]) -> None:
        self._pages = pages

    def match(self, method: str, path: str) -> Route:
        """A page of the server's own, or the route of everything unknown."""
        if path not in self._pages:
            return Route("unmatched", "unmatched")
        if method not in ("GET", "HEAD"):
            return Route(path, "method")
        return Route(path, "page")

    def carries_credentials(self, route: Route, request: Request) -> bool:
        """Nothing here is anybody's secret."""
        return False

    def masked(self, path: str) -> str:
        """Nothing here has credentials."""
        return path

    def read(
        self, route: Route, request: Request, vouched: Vouched | None = None
    ) -> Call | Response:
        """A page, made afresh; nothing here makes a call."""
        if route.kind == "page":
            return self._pages[request.path]()
        if route.kind == "method":
            raise Refusal("Method not allowed", reason=Reason.METHOD)
        raise Refusal("Not found", reason=Reason.NOT_FOUND)

    def accept(self, call: Call, value: object) -> object:
        """No hook answers here."""
        raise NotImplementedError

    def write(self, route: Route, call: Call | None, outcome: Outcome) -> Response:
        """A status and `{"error": message}`."""
        assert isinstance(outcome, Refusal)
        status = _STATUS.get(outcome.reason, 500)
        headers = (*JSON, ("Allow", "GET, HEAD")) if status == 405 else JSON
        return Response(status, json_value.dump({"error": outcome.message}), headers)


class Mounts:
    """Longest prefix wins, of the path as sent and as cleaned; the rest falls to `/` or nobody.

    The cleaned path counts because no dialect may answer for another's path that was only spelt
    oddly: its answer could mean "allowed" there.
    """

    def __init__(self, dialects: Sequence[Dialect], own: OwnPaths, pages: Sequence[str]) -> None:
        self._own = own
        self._pages = frozenset(pages)
        self._mounted = sorted(
            (dialect for dialect in dialects if dialect.mount != "/"),
            key=lambda dialect: len(dialect.mount),
            reverse=True,
        )
        self._root = next((dialect for dialect in dialects if dialect.mount == "/"), None)

    def find(self, path: str) -> Dialect:
        """The dialect to ask about a raw path."""
        cleaned = _cleaned(path)
        if cleaned == path:
            return self._at(path) or self._root or self._own
        found = [one for one in (self._at(path), self._at(cleaned)) if one is not None]
        return max(found, key=lambda one: len(one.mount), default=self._root or self._own)

    def _at(self, path: str) -> Dialect | None:
        if path in self._pages:
            return self._own
        for dialect in self._mounted:
            if path == dialect.mount or path.startswith(f"{dialect.mount}/"):
                return dialect
        return None


def _cleaned(path: str) -> str:
    """The path a lenient reader would see: decoded, without `//`, `.` and `..`."""
    if "%" not in path and "/." not in path and "//" not in path and path.startswith("/"):
        return path.rstrip("/") or "/"
    parts: list[str] = []
    for part in unquote(path).split("/"):
        if part == "..":
            del parts[-1:]
        elif part not in ("", "."):
            parts.append(part)
    return "/" + "/".join(parts)
