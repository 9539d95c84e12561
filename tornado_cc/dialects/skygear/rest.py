"""Resources over HTTP: a class with a method for each thing that can be done to them."""

import json
from typing import Any

from tornado_cc.dialects.skygear.errors import SkygearException
from tornado_cc.dialects.skygear.request import Request

BAD_REQUEST = 107
NOT_IMPLEMENTED = 112


class RestfulResource:
    """Subclass it, implement what the resource can do, and declare it with `@plugin.rest(name)`.

    `GET name` is `index()`, `POST name` is `create()`; `GET`, `PUT` and `DELETE name/ID` are
    `get(id)`, `update(id)` and `delete(id)`. The methods may be async. A new object is made for
    each request.

    Attributes:
        name: the path of the resource.
        request: the Werkzeug request.
    """

    name: str
    request: Request

    def handle_request(self, name: str, request: Request) -> Any:
        """Call the method a request asks for."""
        self.name = name
        self.request = request
        resource_id = request.path[len(name) :].strip("/")
        if not resource_id:
            return self._collection(request.method)
        return self._member(request.method, resource_id)

    def get_payload(self) -> Any:
        """The JSON of the request's body. Raises `SkygearException` for anything else."""
        try:
            return json.loads(self.request.get_data(as_text=True))
        except ValueError:
            raise SkygearException("unable to decode json", BAD_REQUEST) from None

    def index(self) -> Any:
        """All of them."""
        raise _missing("index")

    def create(self) -> Any:
        """A new one."""
        raise _missing("create")

    def get(self, resource_id: str) -> Any:
        """One of them."""
        raise _missing("get")

    def update(self, resource_id: str) -> Any:
        """Change one."""
        raise _missing("update")

    def delete(self, resource_id: str) -> Any:
        """Remove one."""
        raise _missing("delete")

    def _collection(self, method: str) -> Any:
        if method == "GET":
            return self.index()
        if method == "POST":
            return self.create()
        raise SkygearException("invalid request method", BAD_REQUEST)

    def _member(self, method: str, resource_id: str) -> Any:
        if method == "GET":
            return self.get(resource_id)
        if method == "PUT":
            return self.update(resource_id)
        if method == "DELETE":
            return self.delete(resource_id)
        raise SkygearException("invalid request method", BAD_REQUEST)


def _missing(method: str) -> SkygearException:
    return SkygearException(f"{method} is not implemented", NOT_IMPLEMENTED)
