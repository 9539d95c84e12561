"""Callers that keep their connections, and count every request that was not answered in full."""

import asyncio
import json
from collections import Counter
from contextlib import suppress
from dataclasses import dataclass, field

PATIENCE = 20.0
"""Seconds after which an answer that should have come has not."""
_HEAD = (
    "POST /webhooks/functions/{function} HTTP/1.1\r\nHost: localhost\r\n"
    "X-Parse-Webhook-Key: test-key\r\nContent-Type: application/json\r\n"
    "Content-Length: {length}\r\n\r\n"
)

ECHO = """
import asyncio, os, time
from tornado_cc import Plugin

plugin = Plugin("echo")

@plugin.cloud_function("echo")
async def echo(call):
    await asyncio.sleep(0.002)
    return call.params["number"]

@plugin.cloud_function("pid")
async def pid(call):
    return os.getpid()

@plugin.cloud_function("wait")
async def wait(call):
    call.log.info("waiting")
    await asyncio.sleep(3600)

@plugin.cloud_function("block")
async def block(call):
    call.log.info("blocking")
    time.sleep(call.params["seconds"])

@plugin.cloud_function("hang")
def hang(call):
    time.sleep(3600)

@plugin.cloud_function("grow")
async def grow(call):
    plugin.grown = b"x" * (200 << 20)
"""


class Unanswered(Exception):
    """A request that was sent and got no whole answer, or not its own."""


class Caller:
    """One connection after another, each for as long as the server keeps it."""

    def __init__(self, port: int) -> None:
        self._port = port
        self._streams: tuple[asyncio.StreamReader, asyncio.StreamWriter] | None = None

    async def call(self, function: str, **params: object) -> object:
        """What a cloud function returns.

        Raises:
            ConnectionRefusedError: nobody listens.
            Unanswered: somebody does, and this was not answered.
        """
        if self._streams is None:
            async with asyncio.timeout(PATIENCE):
                self._streams = await asyncio.open_connection("127.0.0.1", self._port)
        try:
            async with asyncio.timeout(PATIENCE):
                return await self._exchange(function, params)
        except (OSError, EOFError, TimeoutError) as error:
            await self.close()
            raise Unanswered(f"{type(error).__name__}: {error}") from None

    async def close(self) -> None:
        """Hang up."""
        if self._streams is not None:
            _, writer = self._streams
            self._streams = None
            writer.close()
            with suppress(OSError):
                await writer.wait_closed()

    async def _exchange(self, function: str, params: dict[str, object]) -> object:
        assert self._streams is not None
        reader, writer = self._streams
        body = json.dumps({"functionName": function, "params": params}).encode()
        writer.write(_HEAD.format(function=function, length=len(body)).encode() + body)
        head = (await reader.readuntil(b"\r\n\r\n")).lower()
        length = int(head.split(b"content-length: ")[1].split(b"\r\n")[0])
        answer = json.loads(await reader.readexactly(length))
        if b"\r\nconnection: close" in head:
            await self.close()
        if not head.startswith(b"http/1.1 200") or "success" not in answer:
            raise Unanswered(f"{head!r} {answer}")
        return answer["success"]


async def call(port: int, function: str, **params: object) -> object:
    """One call on a connection of its own. Raises `Unanswered`."""
    caller = Caller(port)
    try:
        return await caller.call(function, **params)
    finally:
        await caller.close()


@dataclass
class Load:
    """Many callers at once.

    Attributes:
        answered: requests that were.
        unanswered: why others were not, each of them once.
        refused: connections that nobody took.
    """

    port: int
    callers: int = 8
    answered: int = 0
    unanswered: Counter[str] = field(default_factory=Counter)
    refused: int = 0
    is_over: bool = False
    _tasks: list[asyncio.Task[None]] = field(default_factory=list)

    def begin(self) -> None:
        """Call, on the running loop."""
        self._tasks = [asyncio.create_task(self._go_on()) for _ in range(self.callers)]

    async def until(self, answered: int) -> None:
        """Wait until so many requests have been answered."""
        async with asyncio.timeout(600):
            while self.answered < answered:
                await asyncio.sleep(0.01)

    async def end(self) -> None:
        """Let every caller finish its request."""
        self.is_over = True
        await asyncio.gather(*self._tasks)

    async def _go_on(self) -> None:
        caller = Caller(self.port)
        while not self.is_over:
            number = self.answered
            try:
                if await caller.call("echo", number=number) != number:
                    raise Unanswered("with the answer to another")
                self.answered += 1
            except ConnectionRefusedError:
                self.refused += 1
                await asyncio.sleep(0.02)
            except Unanswered as error:
                self.unanswered[str(error)] += 1
        await caller.close()
