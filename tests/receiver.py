"""A receiver of webhooks on a real socket, which answers as it is told to."""

import asyncio
import socket
from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass
from typing import Any

import orjson
import pytest
from aiohttp import web
from aiohttp.test_utils import TestServer


@dataclass(frozen=True)
class Got:
    """One request; the names of its headers are in lower case."""

    path: str
    headers: Mapping[str, str]
    body: bytes

    def json(self) -> Any:
        return orjson.loads(self.body)


@dataclass(frozen=True)
class Says:
    """An answer. Status 0 is none at all."""

    status: int = 204
    headers: Mapping[str, str] | None = None
    body: bytes = b""


class Receiver:
    """What it was sent, and what it still has to answer; 204 when nobody said anything."""

    def __init__(self) -> None:
        self.got: list[Got] = []
        self.origin = ""
        self._says: dict[str, list[Says]] = {}
        self.app = web.Application()
        self.app.add_routes([web.route("*", "/{path:.*}", self._answer)])

    def at(self, path: str) -> str:
        return f"{self.origin}{path}"

    def will_say(self, path: str, *answers: Says | int) -> None:
        """Answer the next requests of a path so, one after another."""
        said = [one if isinstance(one, Says) else Says(one) for one in answers]
        self._says.setdefault(path, []).extend(said)

    def of(self, path: str) -> list[Got]:
        """What came to a path."""
        return [one for one in self.got if one.path == path]

    async def until_got(self, count: int) -> list[Got]:
        """Wait until as many requests have come."""
        async with asyncio.timeout(10):
            while len(self.got) < count:
                await asyncio.sleep(0.005)
        return self.got

    async def _answer(self, request: web.Request) -> web.StreamResponse:
        headers = {name.lower(): value for name, value in request.headers.items()}
        self.got.append(Got(request.path, headers, await request.read()))
        left = self._says.get(request.path)
        says = left.pop(0) if left else Says()
        if says.status == 0:
            await asyncio.sleep(60)
        return web.Response(status=says.status, headers=says.headers, body=says.body)


def closed_port() -> int:
    """A port of this machine that nobody listens on now."""
    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        return int(one.getsockname()[1])


@pytest.fixture
async def receiver() -> AsyncIterator[Receiver]:
    """Somebody who listens on a free port."""
    one = Receiver()
    async with TestServer(one.app, host="127.0.0.1") as server:
        one.origin = f"http://127.0.0.1:{server.port}"
        yield one
