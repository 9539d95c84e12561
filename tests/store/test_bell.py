"""The bell: workers of other processes are told, also after the connection was lost."""

import asyncio

from tests.postgres import Cluster
from tests.store.opened import make_tables, opened


async def rung(heard: asyncio.Event) -> None:
    async with asyncio.timeout(20):
        await heard.wait()
    heard.clear()


async def test_whoever_listens_is_woken_by_another_and_once_when_it_begins(
    postgres_url: str,
) -> None:
    await make_tables(postgres_url)
    async with opened(postgres_url) as one, opened(postgres_url) as other:
        heard = asyncio.Event()
        one.bell.listen(heard.set)
        other.bell.listen(lambda: None)
        await rung(heard)
        other.bell.ring()
        await rung(heard)
        await one.bell.close()
        await other.bell.close()


async def test_a_lost_connection_is_made_anew(own_cluster: Cluster) -> None:
    with own_cluster.database() as url:
        await make_tables(url)
        async with opened(url) as store:
            heard = asyncio.Event()
            store.bell.listen(heard.set)
            await rung(heard)
            own_cluster.stop()
            await asyncio.sleep(0.1)
            own_cluster.start()
            # It looks whether it missed anything.
            await rung(heard)
            store.bell.ring()
            await rung(heard)
            await store.bell.close()
