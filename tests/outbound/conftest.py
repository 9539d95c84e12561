"""Clients and third parties, closed at the end of the test."""

from collections.abc import AsyncIterator, Awaitable
from typing import Any, Protocol

import pytest
from aiohttp.test_utils import TestServer

from tests.outbound.party import Party
from tests.outbound.wire import Reply, Wire
from tornado_cc.core.meter import Meter
from tornado_cc.outbound import HttpClient
from tornado_cc.settings import OutboundSettings


class Opened(Protocol):
    """The fixture: a client with these `[outbound]` settings.

    It reaches this machine, as in development, unless `loopback` says otherwise: third parties of
    the tests are here.
    """

    def __call__(
        self,
        *,
        loopback: bool = True,
        hosts: Any = None,
        meter: Meter | None = None,
        **settings: Any,
    ) -> Awaitable[HttpClient]: ...


class Wired(Protocol):
    """The fixture: a third party that gives these replies."""

    def __call__(self, *replies: Reply) -> Awaitable[Wire]: ...


class Served:
    """A running `Party` and where it is."""

    def __init__(self, party: Party, origin: str) -> None:
        self.party = party
        self.origin = origin

    def at(self, path: str) -> str:
        return f"{self.origin}{path}"


@pytest.fixture
async def opened() -> AsyncIterator[Opened]:
    clients: list[HttpClient] = []

    async def make(
        *, loopback: bool = True, hosts: Any = None, meter: Meter | None = None, **settings: Any
    ) -> HttpClient:
        valid = OutboundSettings.model_validate(settings)
        client = HttpClient(valid, loopback=loopback, hosts=hosts, meter=meter)
        clients.append(client)
        await client.open()
        return client

    yield make
    for client in clients:
        await client.close()


@pytest.fixture
async def client(opened: Opened) -> HttpClient:
    """A client with the settings nobody changed."""
    return await opened()


@pytest.fixture
async def wired() -> AsyncIterator[Wired]:
    wires: list[Wire] = []

    async def start(*replies: Reply) -> Wire:
        wire = Wire(*replies)
        wires.append(wire)
        await wire.start()
        return wire

    yield start
    for wire in wires:
        await wire.stop()


@pytest.fixture
async def wire(wired: Wired) -> Wire:
    """A third party that answers `ok`."""
    return await wired()


async def _running() -> AsyncIterator[Served]:
    party = Party()
    async with TestServer(party.app, host="127.0.0.1") as server:
        yield Served(party, f"http://127.0.0.1:{server.port}")


@pytest.fixture
async def party() -> AsyncIterator[Served]:
    async for served in _running():
        yield served


@pytest.fixture
async def other() -> AsyncIterator[Served]:
    """A third party of another origin."""
    async for served in _running():
        yield served
