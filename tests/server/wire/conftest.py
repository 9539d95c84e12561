"""Tests here run on each loop that a server may have; those that ask for `wire`, on each wire."""

import asyncio
import shutil
import ssl
import subprocess
import warnings
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from tests.server.wire.speaking import Answer, Speaker, at_once
from tests.serving import WIRE
from tornado_cc.server import loop

LLHTTP = "llhttp"
STOCK = "tornado"


def pytest_asyncio_loop_factories(
    config: pytest.Config, item: pytest.Item
) -> Mapping[str, Callable[[], asyncio.AbstractEventLoop]]:
    """asyncio's loop, and uvloop's where there is one."""
    return {"own": loop.new, "asyncio": asyncio.new_event_loop}


@pytest.fixture(params=[LLHTTP, STOCK])
def wire(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> str:
    """Which wire the test's servers speak by."""
    monkeypatch.setenv(WIRE, request.param)
    return str(request.param)


@pytest.fixture
def fast_wire(monkeypatch: pytest.MonkeyPatch) -> None:
    """Have the test's servers speak by llhttp, whatever the test run is made on."""
    monkeypatch.setenv(WIRE, LLHTTP)


@pytest.fixture
async def speak() -> AsyncIterator[Callable[..., Awaitable[Speaker]]]:
    """Start wires with nothing behind them; each is closed at the end of the test."""
    started: list[Speaker] = []

    async def start(answer: Answer = at_once, early: Any = None, **settings: Any) -> Speaker:
        speaker = Speaker(answer, early)
        await speaker.start(**settings)
        started.append(speaker)
        return speaker

    yield start
    for speaker in started:
        await speaker.stop()


@dataclass(frozen=True)
class Certificate:
    """A certificate for 127.0.0.1 that vouches for itself."""

    file: Path
    key: Path

    @property
    def settings(self) -> dict[str, Path]:
        """The settings of a server that has it."""
        return {"certificate": self.file, "certificate_key": self.key}

    async def connect(
        self, port: int, *, oldest: bool = False
    ) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
        """Connect to a server that has it.

        Args:
            oldest: whether to know no later version than TLS 1.1.
        """
        context = ssl.create_default_context(cafile=self.file)
        context.set_alpn_protocols(["http/1.1"])
        if oldest:
            context.set_ciphers("DEFAULT:@SECLEVEL=0")
            with warnings.catch_warnings(action="ignore"):
                context.minimum_version = ssl.TLSVersion.TLSv1
                context.maximum_version = ssl.TLSVersion.TLSv1_1
        return await asyncio.open_connection("127.0.0.1", port, ssl=context)


@pytest.fixture(scope="session")
def certificate(tmp_path_factory: pytest.TempPathFactory) -> Certificate:
    """A certificate and its key."""
    openssl = shutil.which("openssl")
    if openssl is None:
        pytest.skip("openssl makes the certificate")
    folder = tmp_path_factory.mktemp("certificate")
    made = Certificate(folder / "certificate.pem", folder / "key.pem")
    subprocess.run(
        [
            *(openssl, "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256"),
            *("-nodes", "-days", "2", "-subj", "/CN=127.0.0.1"),
            *("-addext", "subjectAltName=IP:127.0.0.1"),
            *("-keyout", str(made.key), "-out", str(made.file)),
        ],
        check=True,
        capture_output=True,
    )
    return made
