"""A server that records everything, and its requests once more."""

import asyncio
import os
import socket
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import orjson

from tests.serving import Serve, Served
from tests.store.opened import make_tables
from tornado_cc.core.record import Record
from tornado_cc.server import build
from tornado_cc.server.replay import Replayed, replay
from tornado_cc.store.tables import metadata

CONF = """
[journal]
record = all
[dialect:parse]
webhook_key = test-key
[dialect:gamesparks]
api_key = KEY-of-gamesparks
server_secret = SECRET-of-the-server
[dialect:skygear]
mount = /sky
api_key = KEY-of-skygear
"""


async def recording(serve: Serve, plugins: Mapping[str, str], store_url: str = "") -> Served:
    """A server that records every request, on a database of its own or on this one."""
    conf = CONF
    if store_url:
        await make_tables(store_url)
        conf += f"[store]\nurl = {store_url}\n"
    return await serve(conf, plugins)


async def recorded(served: Served, count: int = 1) -> Record:
    """The last request, once so many are recorded with what came of them."""
    async with asyncio.timeout(10):
        while True:
            found = await served.store.requests.find()
            if len(found) == count and found[0].status is not None:
                return found[0]
            await asyncio.sleep(0.01)


async def function(served: Served, name: str, params: Any = None) -> Record:
    """What is recorded of the call of a function, of a server that was not asked before."""
    await served.webhook(f"/functions/{name}", {"params": params or {}})
    return await recorded(served)


async def again(
    served: Served, record: Record, *, dry_run: bool = False, force: bool = False
) -> Replayed:
    """What a replay of a request comes to, beside the server, with the plugins as they are now."""
    built = build(served.conf, {})
    # In a task of its own, as what is run leaves its mark on the context.
    return await asyncio.create_task(replay(built, record.id, dry_run=dry_run, force=force))


def said(replayed: Replayed) -> Any:
    """The JSON that was answered."""
    assert replayed.answer is not None
    return orjson.loads(replayed.answer.body)


def changed(served: Served, plugin: str, before: str, after: str, count: int = 1) -> None:
    """Change the code of a one-file plugin in so many places."""
    path = served.conf.parent / "plugins.d" / f"{plugin}.py"
    source = path.read_text()
    assert source.count(before) == count
    path.write_text(source.replace(before, after))
    # Python takes a file of the same size and second for the one it has compiled.
    changed_at = path.stat().st_mtime + 10
    os.utime(path, (changed_at, changed_at))


async def rows(served: Served) -> dict[str, list[Any]]:
    """Every row of every table."""

    def read(connection: Any) -> dict[str, list[Any]]:
        return {
            table.name: sorted(map(repr, connection.execute(table.select())))
            for table in metadata.sorted_tables
        }

    return await served.store.engine.read(read, 10)


@dataclass
class Canary:
    """A port on which nobody is to call."""

    port: int
    calls: int = 0


@contextmanager
def canary() -> Iterator[Canary]:
    """A listener that counts who connects."""
    with socket.create_server(("127.0.0.1", 0)) as listening:
        one = Canary(listening.getsockname()[1])
        listening.settimeout(0.05)
        stop = threading.Event()

        def listen() -> None:
            while not stop.is_set():
                try:
                    connection, _ = listening.accept()
                except TimeoutError:
                    continue
                connection.close()
                one.calls += 1

        thread = threading.Thread(target=listen)
        thread.start()
        try:
            yield one
        finally:
            stop.set()
            thread.join()
