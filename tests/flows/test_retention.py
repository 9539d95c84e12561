"""What is old is forgotten, and nothing that is still needed."""

from dataclasses import replace
from typing import Any

import pytest
from sqlalchemy import text

from tests.store.moving import RECORD
from tests.store.opened import make_tables, opened
from tornado_cc.core import clock
from tornado_cc.flows import Retention
from tornado_cc.settings import JournalSettings
from tornado_cc.store import Store
from tornado_cc.store.ids import ulid_of
from tornado_cc.store.lanes import NewDelivery
from tornado_cc.store.outbox import End

DAY = 86_400


@pytest.fixture
async def store(store_url: str) -> Any:
    await make_tables(store_url)
    async with opened(store_url) as store:
        yield store


async def deliver(store: Store, state: str, request_id: str) -> None:
    """One delivery that has ended."""
    new = NewDelivery(kind="hook", plugin="p", target="t", payload="{}", request_id=request_id)
    await store.outbox.add([new])
    (claimed,) = await store.outbox.claim("w", 1, 30)
    await store.outbox.end("w", [End(claimed=claimed, state=state, failures=[])])


async def age(store: Store, days: float) -> None:
    """Make everything that has ended older."""

    def write(connection: Any) -> None:
        connection.execute(
            text("UPDATE deliveries SET ended_at = ended_at - :ms"), {"ms": int(days * DAY * 1000)}
        )

    await store.engine.write(write, 10)


async def test_requests_stay_as_long_as_their_deliveries(store: Store) -> None:
    now = clock.utc_now().timestamp()
    ids = {days: ulid_of(now - days * DAY) for days in (1, 8, 9, 31)}
    await store.requests.keep([replace(RECORD, id=one) for one in ids.values()])
    await deliver(store, "dead", ids[8])
    await deliver(store, "done", ids[9])
    retention = Retention(store, JournalSettings())

    assert await retention.prune() == 1
    assert [one.id for one in await store.requests.find()] == [ids[1], ids[8], ids[9]]
    await age(store, 8)
    # The done one goes, with its request; the dead one stays, with its.
    assert await retention.prune() == 2
    assert [one.id for one in await store.requests.find()] == [ids[1], ids[8]]
    await age(store, 23)
    assert await retention.prune() == 2
    assert [one.id for one in await store.requests.find()] == [ids[1]]
    assert await store.deliveries.find() == []


async def test_it_works_by_itself_from_the_start(store: Store) -> None:
    await store.requests.keep([replace(RECORD, id=ulid_of(0))])
    retention = Retention(store, JournalSettings())
    retention.start()
    while await store.requests.find():
        pass
    await retention.close()
