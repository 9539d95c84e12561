"""Requests of plugins in a whole server: whom they reach, who is left alone, and who is told."""

import asyncio
from typing import Any

import pytest

from tests.outbound.internal import Canary, canary
from tests.receiver import Receiver, receiver
from tests.server.scraping import scrape
from tests.serving import KEY, PARSE, Serve, Served

__all__ = ["canary", "receiver"]

ASKING = """
    from tornado_cc import AddressRefused, CircuitOpen, OutboundError, Plugin

    plugin = Plugin("asking")

    @plugin.on_start
    async def start(app):
        app.log.info("app.http is %s", type(app.http).__name__)

    async def ask(call):
        try:
            return (await call.http.request(call.params["url"])).text
        except OutboundError as error:
            return f"{type(error).__name__}: {error.problem}"

    @plugin.cloud_function("ask")
    async def ask_soon(call):
        return await ask(call)

    @plugin.cloud_function("askPlainly")
    def ask_plainly(call):
        try:
            return call.http.request(call.params["url"]).text
        except OutboundError as error:
            return f"{type(error).__name__}: {error.problem}"

    @plugin.cloud_function("send")
    async def send(call):
        return await call.webhooks.send("shop", {"a": 1})
"""
PRODUCTION = """
[server]
mode = production
[dialect:parse]
webhook_key = Zx8-q41-aa
"""
PRODUCTION_KEY = {"X-Parse-Webhook-Key": "Zx8-q41-aa"}


async def ask(served: Served, url: str, name: str = "ask", key: Any = KEY) -> Any:
    return (await served.webhook(f"/functions/{name}", {"params": {"url": url}}, key))["success"]


async def status(served: Served) -> Any:
    answer = await served.request("GET", "/status", port=served.admin_port)
    assert (answer.status, answer.header("Cache-Control")) == (200, "no-store")
    return answer.json()


@pytest.mark.parametrize("name", ["ask", "askPlainly"])
async def test_in_production_no_plugin_reaches_this_machine(
    serve: Serve, canary: Canary, name: str
) -> None:
    served = await serve(PRODUCTION, {"asking": ASKING})
    for host in ("127.0.0.1", "localhost", "[::1]", "0x7f.1"):
        said = await ask(served, f"http://{host}:{canary.port}/", name, PRODUCTION_KEY)
        assert said.startswith(("AddressRefused: not allowed", "RequestError: the URL's host"))
    assert not canary.was_reached()
    refusals = served.logged("address refused")
    assert {vars(one)["plugin"] for one in refusals} == {"asking"}
    assert {vars(one)["kind"] for one in refusals} == {"loopback"}


async def test_in_production_it_reaches_what_is_allowed(serve: Serve, receiver: Receiver) -> None:
    place = receiver.origin.removeprefix("http://")
    conf = f"{PRODUCTION}\n[outbound]\nallow = {place}\n"
    served = await serve(conf, {"asking": ASKING})
    assert await ask(served, receiver.at("/a"), key=PRODUCTION_KEY) == ""
    assert len(receiver.of("/a")) == 1


async def test_a_webhooks_receiver_is_reached_and_is_no_way_in_for_plugins(
    serve: Serve, receiver: Receiver
) -> None:
    conf = f"{PRODUCTION}\n[webhook:shop]\nurl = {receiver.at('/hooks')}\nsecret = s3-kl9-zz\n"
    served = await serve(conf, {"asking": ASKING})
    await served.webhook("/functions/send", {}, PRODUCTION_KEY)
    await receiver.until_got(1)
    said = await ask(served, receiver.at("/inside"), key=PRODUCTION_KEY)
    assert said.startswith("AddressRefused")
    assert receiver.of("/inside") == []


async def test_a_plugin_is_held_to_its_hosts(serve: Serve, receiver: Receiver) -> None:
    conf = f"{PARSE}\n[plugin:asking]\nhosts = 127.0.0.1:8443, api.example.com\n"
    served = await serve(conf, {"asking": ASKING})
    said = await ask(served, receiver.at("/a"))
    assert said == "AddressRefused: not allowed: it is not among the hosts of [plugin:asking]"
    assert receiver.got == []


async def test_a_host_that_keeps_failing_shows_in_the_status_and_in_the_metrics(
    serve: Serve, receiver: Receiver
) -> None:
    place = receiver.origin.removeprefix("http://")
    conf = f"{PARSE}\n[plugin:asking]\nhosts = {place}\n[outbound]\nbreaker_failures = 2\n"
    served = await serve(conf, {"asking": ASKING})
    assert await status(served) == {"status": "ready", "breakers": []}
    receiver.will_say("/a", 500, 500)
    for _ in range(2):
        assert await ask(served, receiver.at("/a")) == "HttpError: answered 500"
    assert (await ask(served, receiver.at("/a"))).startswith("CircuitOpen: not asked")
    (held,) = (await status(served))["breakers"]
    assert 0 < held.pop("retry_after") <= 30
    assert held == {"host": place, "state": "open", "failures": 2}
    figures = await scrape(served)
    assert figures.value("breakers_open", host=place) == 1
    assert figures.value("breaker_changes_total", host=place, state="open") == 1
    assert figures.value("breaker_changes_total", host=place, state="closed") == 0


async def test_it_is_asked_again_and_the_figures_say_so(serve: Serve, receiver: Receiver) -> None:
    conf = f"{PARSE}\n[outbound]\nbreaker_failures = 1\nbreaker_pause = 0.2\n"
    served = await serve(conf, {"asking": ASKING})
    receiver.will_say("/a", 500)
    await ask(served, receiver.at("/a"))
    async with asyncio.timeout(10):
        while await ask(served, receiver.at("/a")) != "":
            await asyncio.sleep(0.05)
    assert (await status(served))["breakers"] == []
    figures = await scrape(served)
    # No host that a caller may choose becomes a label.
    assert figures.labels("host") == {"other"}
    assert figures.value("breakers_open", host="other") == 0
    for state in ("open", "half-open", "closed"):
        assert figures.value("breaker_changes_total", host="other", state=state) == 1


async def test_webhooks_are_tried_again_whatever_the_breaker_says(
    serve: Serve, receiver: Receiver
) -> None:
    conf = (
        f"{PARSE}\n[outbound]\nbreaker_failures = 1\n"
        f"[webhook:shop]\nurl = {receiver.at('/hooks')}\n"
        "[deliveries]\nretry = 1s, 1s, 1s\npoll = 0.05\n"
    )
    served = await serve(conf, {"asking": ASKING})
    receiver.will_say("/hooks", 500, 500)
    await served.webhook("/functions/send", {})
    await receiver.until_got(3)
    await served.until_idle()
    assert (await status(served))["breakers"] == []


async def test_status_says_what_readyz_says(serve: Serve) -> None:
    served = await serve()
    await served.server.drain()
    assert await status(served) == {"status": "draining", "breakers": []}
