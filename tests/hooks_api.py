"""The hooks API of a Parse Server, for what a real one does not do when a test wants it."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest

Names = tuple[str, ...]


class HooksApi:
    """What is registered, what was asked, and how it is to answer.

    Attributes:
        hooks: the address of each, by `(function,)` or `(class, trigger)`.
        refused: those that it does not take.
        hidden: those that it has and does not list, as when somebody else has just added them.
        asked: method and path of each request, in order; a method in the body counts.
        at_once: how many requests it had at most at the same time.
        down: the status of every answer while it is not 0.
    """

    def __init__(self) -> None:
        self.hooks: dict[Names, str] = {}
        self.refused: set[Names] = set()
        self.hidden: set[Names] = set()
        self.asked: list[str] = []
        self.keys: set[str | None] = set()
        self.at_once = 0
        self.down = 0
        self.url = ""
        self._now = 0
        self._lock = threading.Lock()

    @property
    def written(self) -> list[str]:
        """What it was asked to change."""
        return [one for one in self.asked if not one.startswith("GET")]

    def answer(self, method: str, path: str, body: dict[str, Any]) -> tuple[int, Any]:
        """Status and JSON."""
        if self.down:
            return self.down, {"error": "unauthorized"} if self.down < 500 else "<h1>down</h1>"
        kind, *item = path.removeprefix("/parse/hooks/").split("/")
        if method == "GET":
            return 200, self._listed(kind)
        names = tuple(item) or self._names(body)
        if names in self.refused:
            return 500, {"code": 1, "error": "Internal server error."}
        if method == "POST" and names in self.hooks:
            return 400, {"code": 143, "error": f"function name: {names[-1]} already exists"}
        if method == "PUT" and names not in self.hooks:
            return 400, {"code": 143, "error": f"no function named: {names[-1]} is defined"}
        if body.get("__op") == "Delete":
            del self.hooks[names]
            return 200, {}
        self.hooks[names] = body["url"]
        return 200, self._row(names)

    @contextmanager
    def counted(self) -> Iterator[None]:
        """Note how many are here at once."""
        with self._lock:
            self._now += 1
            self.at_once = max(self.at_once, self._now)
        try:
            yield
        finally:
            with self._lock:
                self._now -= 1

    def _listed(self, kind: str) -> list[dict[str, str]]:
        size = 1 if kind == "functions" else 2
        shown = [one for one in self.hooks if len(one) == size and one not in self.hidden]
        return [self._row(one) for one in shown]

    def _row(self, names: Names) -> dict[str, str]:
        keys = ("functionName",) if len(names) == 1 else ("className", "triggerName")
        return {**dict(zip(keys, names, strict=True)), "url": self.hooks[names]}

    def _names(self, body: dict[str, Any]) -> Names:
        keys = ("functionName", "className", "triggerName")
        return tuple(body[key] for key in keys if key in body)


@pytest.fixture
def hooks_api() -> Iterator[HooksApi]:
    """One that listens, and has nothing registered."""
    api = HooksApi()

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_GET(self) -> None:
            self._answer("GET", {})

        def do_POST(self) -> None:
            body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
            self._answer(body.pop("_method", "POST"), body)

        def log_message(self, *args: object) -> None:
            """Say nothing."""

        def _answer(self, method: str, body: dict[str, Any]) -> None:
            with api.counted():
                api.asked.append(f"{method} {self.path.removeprefix('/parse/hooks/')}")
                api.keys.add(self.headers["X-Parse-Master-Key"])
                status, value = api.answer(method, self.path, body)
            text = json.dumps(value).encode()
            self.send_response(status)
            self.send_header("Content-Length", str(len(text)))
            self.end_headers()
            self.wfile.write(text)

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    # Whoever keeps a connection would be waited for at the end.
    server.daemon_threads = True
    api.url = f"http://127.0.0.1:{server.server_port}/parse"
    thread = threading.Thread(target=server.serve_forever, args=[0.02])
    thread.start()
    yield api
    server.shutdown()
    thread.join()
    server.server_close()
