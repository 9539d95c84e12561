"""One session for a worker: connections are shared, and closed at stop."""

import asyncio

from tests.outbound.conftest import Opened, Served, Wired
from tests.outbound.wire import Wire, answer, hang
from tests.serving import PARSE, Serve
from tornado_cc.core import clock
from tornado_cc.outbound import HttpClient, TimeoutExpired

ASKING = """
    from tornado_cc import Plugin

    plugin = Plugin("asking")

    @plugin.cloud_function("ask")
    async def ask(call):
        return (await call.http.request(call.params["url"])).text
"""


async def test_one_connection_serves_one_request_after_another(
    client: HttpClient, wire: Wire
) -> None:
    for _ in range(5):
        await client.bound(clock.monotonic() + 5).request(wire.url)
    assert (wire.connections, len(wire.received)) == (1, 5)


async def test_requests_at_the_same_time_do_not_wait_for_one_another(
    client: HttpClient, party: Served
) -> None:
    requests = [client.request(party.at("/slow?seconds=0.3")) for _ in range(20)]
    async with asyncio.timeout(2):
        responses = await asyncio.gather(*requests)
    assert {response.text for response in responses} == {"at last"}


async def test_the_hooks_of_a_server_share_a_connection_that_closes_at_stop(
    serve: Serve, wired: Wired
) -> None:
    wire = await wired(answer(b"asked"))
    served = await serve(PARSE, {"asking": ASKING})
    for _ in range(3):
        body = {"params": {"url": wire.url}}
        assert await served.webhook("/functions/ask", body) == {"success": "asked"}
    assert (wire.connections, wire.closed) == (1, 0)
    await served.server.stop()
    async with asyncio.timeout(5):
        while wire.closed == 0:
            await asyncio.sleep(0.01)


async def test_parses_own_option_name_works_too(client: HttpClient, party: Served) -> None:
    bound = client.bound(clock.monotonic() + 5)
    response = await bound.request(party.at("/hops/1"), followRedirects=True)
    assert response.text == "arrived"


async def test_a_slow_third_party_holds_up_no_other(opened: Opened, wired: Wired) -> None:
    client, slow, quick = await opened(connections_per_host=10), await wired(hang), await wired()
    waiting = [asyncio.create_task(client.request(slow.url, timeout=1.5)) for _ in range(30)]
    await asyncio.sleep(0.5)
    assert slow.connections == 10
    assert (await client.request(quick.url, timeout=1)).text == "ok"
    ended = await asyncio.gather(*waiting, return_exceptions=True)
    assert all(isinstance(one, TimeoutExpired) for one in ended)
