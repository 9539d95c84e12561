"""Callers that are slow on purpose, and what good ones notice of them.

`python -m tests.server.wire.siege` is the whole siege; `make siege` runs it. The attackers are a
process of their own, so that their work is not taken for the server's.
"""

import asyncio
import contextlib
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from tests.cli.running import command, environment, write_conf
from tests.processes import free_port, start

CONF = """
[server]
bind = 127.0.0.1:{port}
idle_timeout = 5
[dialect:parse]
webhook_key = test-key
"""
PLUGIN = """
    from tornado_cc import Plugin
    plugin = Plugin("good")

    @plugin.cloud_function("hello")
    async def hello(call):
        return "Hello World!"

    @plugin.cloud_function("large")
    async def large(call):
        return "x" * (5 << 20)
"""
GOOD = 8
REQUEST = (
    b"POST /webhooks/functions/%b HTTP/1.1\r\nHost: x\r\nX-Parse-Webhook-Key: test-key\r\n"
    b"Content-Length: 2\r\n\r\n{}"
)
HELLO = REQUEST % b"hello"
LARGE = REQUEST % b"large"
FULL = (2_000, 200, 25.0)
SPARE = 30 << 20
"""Bytes that a server may keep when everybody has gone."""


@dataclass(frozen=True)
class Measured:
    """What good callers noticed, and what the server took.

    Attributes:
        p99: seconds, the time within which 99 of 100 requests were answered.
        count: how many were.
        memory: bytes of the server, when nobody was there any more.
    """

    p99: float
    count: int
    memory: int


@contextmanager
def besieged(folder: Path) -> Iterator[tuple[int, int]]:
    """A server in a process of its own; its port and its pid."""
    port = free_port()
    conf = write_conf(folder, CONF.format(port=port), {"good": PLUGIN})
    child = start(
        "server",
        command("--conf", conf),
        folder=folder,
        log=folder / "log",
        environment=environment(),
    )
    try:
        child.wait_until(lambda: "listening" in child.output(), 20)
        yield port, child.popen.pid
    finally:
        child.stop()


async def measure(port: int, pid: int, seconds: float) -> Measured:
    """Ask for so long, over a few connections that are kept."""
    until = time.monotonic() + seconds
    asked = await asyncio.gather(*(_ask(port, until) for _ in range(GOOD)))
    taken = sorted(seconds for one in asked for seconds in one)
    return Measured(taken[len(taken) * 99 // 100], len(taken), memory(pid))


async def _ask(port: int, until: float) -> list[float]:
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    taken = []
    while (began := time.monotonic()) < until:
        writer.write(HELLO)
        await reader.readuntil(b'{"success":"Hello World!"}')
        taken.append(time.monotonic() - began)
        # A caller that asks without end would measure how long the others' requests take.
        await asyncio.sleep(0.005)
    writer.close()
    return taken


def memory(pid: int) -> int:
    """Bytes of memory that a process has."""
    return int(Path(f"/proc/{pid}/statm").read_text().split()[1]) * 4096


@contextmanager
def attackers(port: int, senders: int, readers: int) -> Iterator[None]:
    """So many slow senders and readers, in a process of their own, once all are there."""
    numbers = map(str, (port, senders, readers))
    process = subprocess.Popen(
        [sys.executable, "-m", "tests.server.wire.siege", *numbers], stdout=subprocess.PIPE
    )
    with process:
        assert process.stdout is not None
        assert process.stdout.readline() == b"ready\n"
        try:
            yield
        finally:
            process.terminate()


def siege(folder: Path, senders: int, readers: int, seconds: float) -> tuple[Measured, ...]:
    """Before, during and after."""
    with besieged(folder) as (port, pid):
        asyncio.run(measure(port, pid, 1))
        before = asyncio.run(measure(port, pid, seconds))
        with attackers(port, senders, readers):
            during = asyncio.run(measure(port, pid, seconds))
        time.sleep(2)
        after = asyncio.run(measure(port, pid, 1))
    return before, during, after


class _Sender(asyncio.Protocol):
    """Sends a header a second, and never the last."""

    def __init__(self, everybody: "set[_Sender]") -> None:
        self._everybody = everybody
        self.transport: asyncio.Transport

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self.transport = transport
        self._everybody.add(self)
        transport.write(b"POST /webhooks/functions/hello HTTP/1.1\r\nHost: x\r\n")

    def connection_lost(self, exc: Exception | None) -> None:
        self._everybody.discard(self)


async def _send_slowly(port: int, count: int, ready: asyncio.Event) -> None:
    everybody: set[_Sender] = set()
    loop = asyncio.get_running_loop()
    while True:
        while len(everybody) < count:
            with contextlib.suppress(OSError):
                await loop.create_connection(lambda: _Sender(everybody), "127.0.0.1", port)
        ready.set()
        for one in tuple(everybody):
            one.transport.write(b"X-Slow: x\r\n")
        await asyncio.sleep(1)


async def _read_slowly(port: int, begun: asyncio.Semaphore) -> None:
    loop = asyncio.get_running_loop()
    while True:
        with socket.socket() as end, contextlib.suppress(OSError):
            end.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
            end.setblocking(False)
            await loop.sock_connect(end, ("127.0.0.1", port))
            await loop.sock_sendall(end, LARGE)
            assert await loop.sock_recv(end, 1024)
            begun.release()
            while await loop.sock_recv(end, 1024):
                await asyncio.sleep(0.5)


async def _attack(port: int, senders: int, readers: int) -> None:
    ready = asyncio.Event()
    begun = asyncio.Semaphore(0)
    tasks = [asyncio.create_task(_read_slowly(port, begun)) for _ in range(readers)]
    tasks.append(asyncio.create_task(_send_slowly(port, senders, ready)))
    await ready.wait()
    for _ in range(readers):
        # What an answer costs to make is no matter of the wire.
        await begun.acquire()
    print("ready", flush=True)  # noqa: T201 - the other process waits for it
    await asyncio.gather(*tasks)


def main() -> None:
    """The whole siege, and what it came to; ends with 1 when good callers suffered from it."""
    with tempfile.TemporaryDirectory() as folder:
        before, during, after = siege(Path(folder), *FULL)
    for name, one in (("before", before), ("during", during), ("after", after)):
        line = f"{name:8}{one.count:8} answers, p99 {one.p99 * 1000:7.2f} ms"
        print(f"{line}, {one.memory / 2**20:6.1f} MiB")  # noqa: T201 - it is what it is run for
    sys.exit(during.p99 >= 2 * before.p99 or after.memory > before.memory + SPARE)


if __name__ == "__main__":
    if len(sys.argv) > 1:
        with contextlib.suppress(KeyboardInterrupt):
            asyncio.run(_attack(*map(int, sys.argv[1:4])))
    else:
        main()
