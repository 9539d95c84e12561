"""A server in the test's own process, on a real socket, and a client that sends raw bytes."""

import asyncio
import logging
import os
import textwrap
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Protocol

import h11
import orjson
import pytest

from tornado_cc.core import clock
from tornado_cc.hooks.eager import STANDBY
from tornado_cc.server import Server, build
from tornado_cc.store import Store, tables
from tornado_cc.store.ids import hashed

PARSE = """
[dialect:parse]
webhook_key = test-key
"""
WIRE = "TORNADO_CC__SERVER__WIRE"
"""The variable by which a whole test run is made on another wire than the default one."""
KEY = {"X-Parse-Webhook-Key": "test-key"}


@dataclass(frozen=True)
class Answer:
    """One HTTP response, parsed by h11, which raises for every breach of the protocol."""

    status: int
    headers: list[tuple[str, str]]
    body: bytes

    def json(self) -> Any:
        return orjson.loads(self.body)

    def header(self, name: str) -> str | None:
        return next((value for key, value in self.headers if key == name.lower()), None)


@dataclass
class Served:
    """A running server, what its hooks did and what it logged."""

    server: Server
    conf: Path = Path()
    records: list[logging.LogRecord] = field(default_factory=list)

    @property
    def port(self) -> int:
        return int(self.server.addresses[0].rpartition(":")[2])

    @property
    def admin_port(self) -> int:
        """Where it tells how it is."""
        return int(self.server.admin_addresses[0].rpartition(":")[2])

    @property
    def store(self) -> Store:
        """What it keeps."""
        return self.server.store

    @property
    def fired(self) -> list[str]:
        """The hooks fired so far, in order, each as `hook claim (plugin)`."""
        return [
            _fired(record)
            for record in self.records
            if record.name == "tornado_cc.hooks"
            and record.getMessage() in ("hook fired", "hook failed")
        ]

    def logged(self, message: str) -> list[logging.LogRecord]:
        """The records with this message."""
        return [record for record in self.records if record.getMessage() == message]

    @property
    def errors(self) -> set[str]:
        """What was logged as one. The loop is the test's as well, and may be blocked by it."""
        found = {one.getMessage() for one in self.records if one.levelname == "ERROR"}
        return found - {"the event loop is blocked"}

    async def know(self, *players: str, tokens: Mapping[str, str] | None = None) -> None:
        """Make players with these ids, and users whose tokens a specification has fixed.

        `tokens` maps a token to the id of its user.
        """
        for player_id in {*players, *(tokens or {}).values()}:
            await self.store.players.create(player_id)
        new = [
            {"token_hash": hashed(token), "user_id": user_id, "created_at": clock.now()}
            for token, user_id in (tokens or {}).items()
        ]
        if new:
            insert = tables.sessions.insert()
            await self.store.engine.write(lambda connection: connection.execute(insert, new), 10)

    async def again(self) -> None:
        """Start another server on the same conf, once this one has stopped."""
        self.server = Server(build(self.conf, outside()))
        await self.server.start()

    async def until_fired(self, count: int) -> list[str]:
        """Wait until as many hooks have fired: after-hooks run when the answer is long out."""
        async with asyncio.timeout(10):
            while len(self.fired) < count:
                await asyncio.sleep(0.005)
        return self.fired

    async def until_idle(self) -> None:
        """Wait until nothing is left to run that could run now."""
        async with asyncio.timeout(10):
            while await self._is_busy():
                await asyncio.sleep(0.005)

    async def until_running(self, count: int) -> None:
        """Wait until so many deliveries run."""
        async with asyncio.timeout(10):
            while (await self.store.deliveries.depth()).by_state["running"] < count:
                await asyncio.sleep(0.005)

    async def _is_busy(self) -> bool:
        depth = await self.store.deliveries.depth()
        return bool(depth.by_state["running"]) or depth.oldest is not None

    async def send(self, raw: bytes, *, method: str = "POST", port: int = 0) -> Answer:
        """Send raw bytes on a connection of their own and read one response."""
        reader, writer = await asyncio.open_connection("127.0.0.1", port or self.port)
        try:
            writer.write(raw)
            return await read_answer(reader, method)
        finally:
            writer.close()

    async def request(
        self,
        method: str,
        path: str,
        headers: Mapping[str, str] | None = None,
        body: bytes = b"",
        *,
        port: int = 0,
    ) -> Answer:
        """Send a plain request with a Content-Length."""
        lines = [f"{method} {path} HTTP/1.1", "Host: localhost", f"Content-Length: {len(body)}"]
        lines += [f"{name}: {value}" for name, value in (headers or {}).items()]
        head = "\r\n".join(lines).encode("latin-1")
        return await self.send(head + b"\r\n\r\n" + body, method=method, port=port)

    async def webhook(self, path: str, body: Any, headers: Mapping[str, str] = KEY) -> Any:
        """Post a Parse webhook below /webhooks and return its JSON answer."""
        answer = await self.request("POST", f"/webhooks{path}", headers, orjson.dumps(body))
        assert answer.status == 200
        return answer.json()


def working() -> set[asyncio.Task[Any]]:
    """All tasks but those that wait for work."""
    return {one for one in asyncio.all_tasks() if one.get_name() != STANDBY}


async def read_answer(reader: asyncio.StreamReader, method: str = "POST") -> Answer:
    """One response off a connection, strictly."""
    connection = h11.Connection(h11.CLIENT)
    connection.send(h11.Request(method=method, target="/", headers=[("Host", "localhost")]))
    connection.send(h11.EndOfMessage())
    status, headers, body = 0, [], b""
    async with asyncio.timeout(20):
        while True:
            event = connection.next_event()
            if event is h11.NEED_DATA:
                connection.receive_data(await reader.read(65536))
            elif isinstance(event, h11.Response):
                status = event.status_code
                headers = [
                    (name.decode(), value.decode("latin-1")) for name, value in event.headers
                ]
            elif isinstance(event, h11.Data):
                body += bytes(event.data)
            elif isinstance(event, h11.EndOfMessage):
                return Answer(status, headers, body)
            elif isinstance(event, h11.ConnectionClosed):
                raise ConnectionError("closed before an answer")


class Serve(Protocol):
    """The fixture: start a server from conf text and one-file plugins by name."""

    def __call__(
        self,
        conf: str = PARSE,
        plugins: Mapping[str, str] | None = None,
        enable: str = "",
    ) -> Awaitable[Served]: ...


@pytest.fixture
async def serve(tmp_path: Path) -> AsyncIterator[Serve]:
    """Start servers that are stopped at the end of the test.

    `conf` is ini text without [server] bind and [plugins]; `plugins` maps the name of a one-file
    plugin to its source; `enable` names installed plugins, none by default. Unless given, [admin]
    is on any free port.
    """
    stops: list[Callable[[], Awaitable[None]]] = []

    async def start(
        conf: str = PARSE,
        plugins: Mapping[str, str] | None = None,
        enable: str = "",
    ) -> Served:
        folder = tmp_path / str(len(stops))
        path = write_conf(folder, conf, plugins or {}, enable)
        served = Served(Server(build(path, outside())), path)
        handler = _Collector(served.records)
        root = logging.getLogger("tornado_cc")
        root.addHandler(handler)
        root.setLevel(logging.DEBUG)

        async def stop() -> None:
            await served.server.stop()
            root.removeHandler(handler)

        stops.append(stop)
        await served.server.start()
        return served

    yield start
    for stop in stops:
        await stop()


def outside() -> dict[str, str]:
    """What is set from outside for every server of a test run: the wire, if anything."""
    return {name: os.environ[name] for name in (WIRE,) if name in os.environ}


def write_conf(folder: Path, conf: str, plugins: Mapping[str, str], enable: str = "") -> Path:
    """A conf file and a folder of one-file plugins beside it."""
    files = folder / "plugins.d"
    files.mkdir(parents=True)
    for name, source in plugins.items():
        (files / f"{name}.py").write_text(textwrap.dedent(source))
    enabled = [*plugins, *enable.replace(",", " ").split()]
    # Without a name, every installed plugin would be loaded.
    chosen = f"enable = {', '.join(enabled)}" if enabled else "enable = none\noptional = none"
    text = textwrap.dedent(conf)
    if "[server]" in text:
        text = text.replace("[server]", "[server]\nbind = 127.0.0.1:0")
    else:
        text += "\n[server]\nbind = 127.0.0.1:0\n"
    if "[admin]" not in text:
        text += "\n[admin]\nbind = 127.0.0.1:0\n"
    if "[store]" not in text:
        text += f"\n[store]\nurl = sqlite:///{folder}/store.db\n"
    path = folder / "test.ini"
    path.write_text(f"{text}\n[plugins]\ndir = plugins.d\n{chosen}\n")
    return path


class _Collector(logging.Handler):
    def __init__(self, records: list[logging.LogRecord]) -> None:
        super().__init__(logging.DEBUG)
        self._records = records

    def emit(self, record: logging.LogRecord) -> None:
        self._records.append(record)


def _fired(record: logging.LogRecord) -> str:
    facts = vars(record)
    return " ".join(filter(None, (facts["hook"], facts["claim"], f"({facts['plugin']})")))
