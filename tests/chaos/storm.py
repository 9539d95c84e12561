"""A write storm: callers that each send their next request when the one before was answered."""

import asyncio
import json
import random
from collections import Counter
from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass
from itertools import count
from typing import Any

Event = tuple[str, int]
"""An object's class and id, and for the how manieth time it was saved."""

PATIENCE = 20.0
"""Seconds after which an answer that should have come has not."""
_HEAD = (
    "POST /webhooks{path} HTTP/1.1\r\nHost: localhost\r\nX-Parse-Webhook-Key: test-key\r\n"
    "Content-Type: application/json\r\nContent-Length: {length}\r\n\r\n"
)


@dataclass(frozen=True)
class Ask:
    """One request about an object; without a number the answer says which this is."""

    path: str
    body: dict[str, Any]
    object: str
    number: int | None = None

    def event_of(self, answer: dict[str, Any]) -> Event | None:
        """What an answer acknowledges, None when it is no good one."""
        if self.number is not None:
            return (self.object, self.number) if answer == {} else None
        number = answer.get("success")
        return (self.object, number) if isinstance(number, int) else None


class NoAnswer(Exception):
    """The connection broke before the answer was whole: what was asked for may be done."""


class Line:
    """A connection that is kept alive, and made anew after it broke."""

    def __init__(self, port: int) -> None:
        self._port = port
        self._streams: tuple[asyncio.StreamReader, asyncio.StreamWriter] | None = None

    async def connect(self) -> bool:
        """Whether there is a connection; if not, nobody listens."""
        if self._streams is not None:
            return True
        try:
            self._streams = await asyncio.open_connection("127.0.0.1", self._port)
        except OSError:
            return False
        return True

    async def post(self, path: str, body: object) -> Any:
        """The JSON of the answer. Raises `NoAnswer`."""
        assert self._streams is not None
        reader, writer = self._streams
        sent = json.dumps(body).encode()
        try:
            writer.write(_HEAD.format(path=path, length=len(sent)).encode() + sent)
            async with asyncio.timeout(PATIENCE):
                return json.loads(await _body(reader))
        except (ConnectionError, EOFError):
            self.close()
            raise NoAnswer from None

    def close(self) -> None:
        """Hang up."""
        if self._streams is not None:
            self._streams[1].close()
            self._streams = None


async def _body(reader: asyncio.StreamReader) -> bytes:
    head = await reader.readuntil(b"\r\n\r\n")
    assert head.startswith(b"HTTP/1.1 200 "), head
    length = int(head.lower().split(b"content-length: ")[1].split(b"\r\n")[0])
    return await reader.readexactly(length)


class Storm:
    """Callers, and what they were told.

    `events` of them post an after-event each, numbered per object: nothing but the order in which
    they ask makes the order of events. Every two of `counters` callers have a counter counted on by
    a function, so that there the database makes the order.

    Attributes:
        acknowledged: what was answered, and how often: once each, if all is well.
        unanswered: how many requests broke off.
        refused: what else was answered.
    """

    def __init__(self, port: int, dice: random.Random, events: int = 8, counters: int = 4) -> None:
        self._port = port
        self._dice = dice
        self._objects = [f"e{number}" for number in range(events)]
        self.counters = [f"c{number}" for number in range(counters // 2)]
        self.acknowledged: Counter[Event] = Counter()
        self.unanswered = 0
        self.refused: list[Any] = []
        self.is_over = False

    async def begin(self) -> None:
        """Make the counters, undisturbed."""
        with closing(Line(self._port)) as line:
            assert await line.connect()
            for counter in self.counters:
                answer = await line.post("/functions/begin", {"params": {"id": counter}})
                assert answer == {"success": None}, answer
                self.acknowledged[f"Counter:{counter}", 0] += 1

    async def blow(self) -> None:
        """Ask until it is over."""
        callers = [self._again_and_again(_posts(one)) for one in self._objects]
        callers += [self._again_and_again(_counts(one)) for one in self.counters for _ in range(2)]
        await asyncio.gather(*callers)

    async def _again_and_again(self, asks: Iterator[Ask]) -> None:
        with closing(Line(self._port)) as line:
            while await self._is_on(line):
                await self._ask(line, next(asks))

    async def _ask(self, line: Line, ask: Ask) -> None:
        try:
            answer = await line.post(ask.path, ask.body)
        except NoAnswer:
            self.unanswered += 1
            return
        event = ask.event_of(answer)
        if event is None:
            self.refused.append(answer)
        else:
            self.acknowledged[event] += 1

    async def _is_on(self, line: Line) -> bool:
        """Whether to ask again, once somebody listens and some time has passed."""
        while not self.is_over:
            await asyncio.sleep(self._dice.random() / 20)
            if await line.connect():
                return not self.is_over
        return False


def _posts(name: str) -> Iterator[Ask]:
    """An object is saved again and again. What was cut off is not sent again."""
    for number in count(1):
        saved = {"className": "Event", "objectId": name, "number": number}
        path = "/triggers/Event/afterSave"
        yield Ask(path, {"object": saved}, f"Event:{name}", number)


def _counts(name: str) -> Iterator[Ask]:
    """A counter counts, and its answer says how far it has got."""
    while True:
        yield Ask("/functions/count", {"params": {"id": name}}, f"Counter:{name}")
