"""Deliveries in every state, put into a database without a server."""

from pathlib import Path
from typing import Any

from tests.cli.running import write_conf
from tests.store.opened import make_tables, opened
from tornado_cc.core.record import Record
from tornado_cc.store import Store
from tornado_cc.store.lanes import NewDelivery
from tornado_cc.store.outbox import End

ERROR = "raised ValueError: \x1b[31m[bold]no\nbody" + "x" * 100
PAYLOAD = '{"object":{"objectId":"a1","text":"\\u001b[31m[red]"}}'
LEASE = 600.0


def new(target: str, **values: Any) -> NewDelivery:
    """A delivery of the plugin reviews."""
    given = {"kind": "hook", "plugin": "reviews", "payload": PAYLOAD, **values}
    return NewDelivery(target=target, **given)


def record(request_id: str = "01JZX3W8Q1000000000000000A", **values: Any) -> Record:
    """A recorded request."""
    given: dict[str, Any] = {
        "received_at": "2025-07-12T08:00:00.000Z",
        "dialect": "parse",
        "method": "POST",
        "route": "/webhooks/functions/{name}",
        "path": "/webhooks/functions/hello",
        "query": "",
        "headers": [["host", "localhost"]],
        "body": b'{"params":{}}',
        "size": 13,
        "remote": "127.0.0.1",
        "hook": "cloud_function hello",
        "plugins": "greeter 1.0",
        "outcome": "replied",
        "status": 200,
        "ms": 1.5,
        "answer": b'{"success":"Hello"}',
        **values,
    }
    return Record(id=request_id, **given)


async def finish(store: Store, target: str, state: str, *, delay: float = 0, **values: Any) -> str:
    """Add a delivery that is claimed once, and ended in this state; its id.

    One that is not done has failed. Nothing else may be due.
    """
    (delivery_id,) = await store.outbox.add([new(target, **values)])
    (claimed,) = await store.outbox.claim("worker", 1, LEASE)
    failure = {"attempt": 1, "at": "2025-07-12T08:00:00.000Z", "error": ERROR, "error_id": "e1"}
    failures = [] if state == "done" else [failure]
    end = End(claimed=claimed, state=state, failures=failures, delay=delay, version="1.0")
    await store.outbox.end("worker", [end])
    return delivery_id


async def fill(url: str) -> dict[str, str]:
    """Deliveries in every state, by it: the id of each, in the order they were added."""
    await make_tables(url)
    async with opened(url, command=True) as store:
        found = {
            "done": await finish(store, "done", "done"),
            "dead": await finish(store, "dead", "dead", request_id=record().id),
            "retried": await finish(store, "retried", "ready", delay=600, kind="job"),
        }
        lane = "reviews running|Review:a\x1b1"
        await store.outbox.add([new("running", lane=lane, plugin="other")], record())
        (running,) = await store.outbox.claim("worker", 1, LEASE)
        waiting, gone, ready = await store.outbox.add(
            [new("waiting", lane=lane), new("gone"), new("ready", delay=300)]
        )
        await store.deliveries.discard(gone)
        return {
            **found,
            "running": running.id,
            "waiting": waiting,
            "discarded": gone,
            "ready": ready,
        }


def conf_on(folder: Path, url: str) -> Path:
    """A conf whose store is this database."""
    return write_conf(folder, f"[server]\n[store]\nurl = {url}\n")
