"""Where a request is going, by its head alone."""

import re

from tornado.httputil import RequestStartLine

from tornado_cc.core.message import Headers, Request
from tornado_cc.server.access import known_method
from tornado_cc.server.connection import Fields
from tornado_cc.server.limits import Limits, announced_size, too_large
from tornado_cc.server.mounts import Mounts


class Aim:
    """What the head of a request comes to, which is the same for every request with this very head.

    Attributes:
        method: as sent.
        known_method: the same, or `OTHER` for one that is not HTTP's.
        path: without the query, as sent.
        query: as sent.
        dialect: whose path it is.
        route: where in that dialect.
        headers: as hooks have them.
        max_body: bytes that its body may have.
        size: bytes that its body will have, None when only the body will tell.
        refusal: why nothing of its body need be read, if so.
    """

    __slots__ = (
        "dialect",
        "headers",
        "known_method",
        "max_body",
        "method",
        "path",
        "query",
        "refusal",
        "route",
        "size",
    )

    def __init__(
        self, line: RequestStartLine, fields: Fields, mounts: Mounts, limits: Limits
    ) -> None:
        self.method = line.method
        self.known_method = known_method(line.method)
        self.path, _, self.query = _origin_form(line.path).partition("?")
        self.dialect = mounts.find(self.path)
        self.route = self.dialect.match(line.method, self.path)
        self.headers = Headers(fields.get_all())
        self.max_body = self.dialect.max_body or limits.max_body
        self.size = announced_size(fields)
        self.refusal = limits.refusal_of_head(line, fields)
        if self.refusal is None and self.size is not None and self.size > self.max_body:
            self.refusal = too_large(self.max_body)

    def request(self, body: bytes, remote: str) -> Request:
        """The whole request."""
        return Request(self.method, self.path, self.query, self.headers, body, remote)


def _origin_form(target: str) -> str:
    """The path and query of a request target; proxies may send `http://host/path`."""
    scheme, separator, rest = target.partition("://")
    if separator and scheme.lower() in ("http", "https"):
        authority = re.split(r"[/?]", rest, maxsplit=1)[0]
        target = rest[len(authority) :]
        return target if target.startswith("/") else f"/{target}"
    return target
