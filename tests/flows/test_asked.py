"""What a webhook costs the database, before any hook asks it for anything."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest
from sqlalchemy import Connection, event
from sqlalchemy.engine import Engine

from tests.serving import PARSE, Serve, Served
from tests.store.opened import make_tables

PLUGIN = """
    from tornado_cc import Plugin
    plugin = Plugin("quiet")

    @plugin.cloud_function("hello")
    async def hello(call):
        return "Hello"
"""
_OWN_LOOKS = [["versions"], ["deliveries"], ["schedules"], ["requests"], ["receipts"]]
FIRED = "cloud_function hello (quiet)"


@contextmanager
def transactions() -> Iterator[list[list[str]]]:
    """The transactions on any database while the block lasts, each with the tables it reads.

    What the server looks after by itself, such as what is due and what is old, is none of them.
    """
    begun: dict[Connection, list[str]] = {}
    found: list[list[str]] = []

    def begin(connection: Connection) -> None:
        begun[connection] = []
        found.append(begun[connection])

    def execute(connection: Connection, _: Any, statement: str, *__: Any) -> None:
        if not statement.startswith("BEGIN"):
            begun[connection].append(statement.partition("FROM ")[2].split()[0])

    listeners = (("begin", begin), ("before_cursor_execute", execute))
    for name, listener in listeners:
        event.listen(Engine, name, listener)
    try:
        yield found
    finally:
        for name, listener in listeners:
            event.remove(Engine, name, listener)
        found[:] = [one for one in found if one not in _OWN_LOOKS]


async def prepared(serve: Serve, url: str) -> Served:
    """A server that knows ann, and has answered once."""
    await make_tables(url)
    served = await serve(f"{PARSE}\n[store]\nurl = {url}\n", {"quiet": PLUGIN})
    await served.know("ann")
    assert await hello(served) == {"success": "Hello"}
    return served


async def hello(served: Served, **more: Any) -> Any:
    return await served.webhook("/functions/hello", {"params": {}, "functionName": "hello", **more})


@pytest.mark.parametrize("user", [{}, {"user": None}, {"master": True}], ids=repr)
async def test_a_function_without_a_user_asks_the_database_nothing(
    serve: Serve, store_url: str, user: dict[str, Any]
) -> None:
    served = await prepared(serve, store_url)
    with transactions() as found:
        assert await hello(served, **user) == {"success": "Hello"}
    assert found == []
    assert served.fired == [FIRED] * 2


@pytest.mark.parametrize(
    ("user_id", "read"), [("ann", ["users", "player_data"]), ("nobody", ["users"])]
)
async def test_a_function_with_a_user_asks_in_one_transaction(
    serve: Serve, store_url: str, user_id: str, read: list[str]
) -> None:
    served = await prepared(serve, store_url)
    with transactions() as found:
        assert await hello(served, user={"objectId": user_id}) == {"success": "Hello"}
    assert found == [read]
    assert served.fired == [FIRED] * 2
