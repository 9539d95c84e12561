"""A client of the Parse Server's REST API, as small as the tests allow."""

from __future__ import annotations

import json
import urllib.error
import urllib.parse
import urllib.request
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any

TIMEOUT = 30.0
"""Seconds for one request: more than any hook here takes, less than patience."""


@dataclass(frozen=True)
class Answer:
    """What the Parse Server answered."""

    status: int
    body: Any

    @property
    def is_ok(self) -> bool:
        """Whether the request did what it was meant to do."""
        return 200 <= self.status < 300

    @property
    def code(self) -> int | None:
        """The Parse error code, None when there was no error."""
        return None if self.is_ok else self.body.get("code")

    @property
    def error(self) -> str | None:
        """The Parse error message, None when there was no error."""
        return None if self.is_ok else self.body.get("error")

    def ok(self) -> Any:
        """The body, unless it is an error."""
        assert self.is_ok, f"the Parse Server answered {self.status}: {self.body}"
        return self.body


@dataclass(frozen=True)
class Client:
    """Somebody who talks to the Parse Server: anyone, a user or the master."""

    url: str
    headers: Mapping[str, str] = field(default_factory=dict)

    def having(self, **headers: str) -> Client:
        """The same client with more headers, their names with `_` for `-`."""
        more = {name.replace("_", "-"): value for name, value in headers.items()}
        return replace(self, headers={**self.headers, **more})

    def call(self, method: str, path: str, body: Any = None) -> Answer:
        """Make one request; an error of the Parse Server is an answer too."""
        request = urllib.request.Request(
            f"{self.url}/{path}",
            method=method,
            data=None if body is None else json.dumps(body).encode(),
            headers={"Content-Type": "application/json", **self.headers},
        )
        try:
            with urllib.request.urlopen(request, timeout=TIMEOUT) as response:
                return Answer(response.status, json.load(response))
        except urllib.error.HTTPError as error:
            with error:
                return Answer(error.code, json.load(error))

    def create(self, class_name: str, fields: Mapping[str, Any]) -> Answer:
        """Save a new object."""
        return self.call("POST", f"classes/{class_name}", fields)

    def update(self, class_name: str, object_id: str, changes: Mapping[str, Any]) -> Answer:
        """Save changes of an object."""
        return self.call("PUT", f"classes/{class_name}/{object_id}", changes)

    def get(self, class_name: str, object_id: str) -> Answer:
        """Read one object."""
        return self.call("GET", f"classes/{class_name}/{object_id}")

    def delete(self, class_name: str, object_id: str) -> Answer:
        """Delete an object."""
        return self.call("DELETE", f"classes/{class_name}/{object_id}")

    def find(self, class_name: str, **where: Any) -> Answer:
        """Read the objects whose fields have these values, oldest first."""
        query = urllib.parse.urlencode({"where": json.dumps(where), "order": "createdAt"})
        return self.call("GET", f"classes/{class_name}?{query}")

    def run(self, function: str, params: Mapping[str, Any] | None = None) -> Answer:
        """Call a cloud function."""
        return self.call("POST", f"functions/{function}", params or {})
