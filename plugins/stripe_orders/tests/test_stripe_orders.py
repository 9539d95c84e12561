"""Stripe tells of orders, often more than once; each brings its coins once."""

import asyncio
import json
import time
from typing import Any

import pytest
from stripe import WebhookSignature

from tests.serving import Answer, Serve, Served
from tests.store.opened import make_tables

SECRET = "whsec_stripe-signing-secret"
CONF = f"""
[source:stripe]
scheme = stripe
secret = {SECRET}

[hooks]
deadline = 60
"""
FIRED = "on_callback source.stripe (stripe_orders)"


async def started(serve: Serve, more: str = "", enable: str = "stripe_orders") -> Served:
    served = await serve(CONF + more, enable=enable)
    await served.know("ann", "ben")
    return served


def event(event_id: str = "evt_1", **session: Any) -> dict[str, Any]:
    """An event that a session is paid, as Stripe sends it."""
    of_type = session.pop("of_type", "checkout.session.completed")
    given = {
        "id": "cs_test_1",
        "object": "checkout.session",
        "client_reference_id": "ann",
        "payment_status": "paid",
        "metadata": {"coins": "500"},
        **session,
    }
    return {"id": event_id, "object": "event", "type": of_type, "data": {"object": given}}


async def tell(served: Served, body: Any, *, secret: str = SECRET) -> Answer:
    """Send an event, signed now by Stripe's own library."""
    text = json.dumps(body, indent=2)
    signature = WebhookSignature.generate_signature_header(text, secret, int(time.time()))
    headers = {"Stripe-Signature": signature, "Content-Type": "application/json"}
    return await served.request("POST", "/in/stripe", headers, text.encode())


async def wallets(served: Served) -> dict[str, int]:
    """The coins of each player as they are stored."""
    return {one["objectId"]: one["coins"] for one in await served.store.objects.find("Wallet")}


async def test_a_paid_order_brings_its_coins(serve: Serve) -> None:
    served = await started(serve)
    answer = await tell(served, event())
    assert (answer.status, answer.json()) == (200, {"order": "cs_test_1"})
    await tell(served, event("evt_2", id="cs_test_2", metadata={"coins": "20"}))
    await tell(served, event("evt_3", id="cs_test_3", client_reference_id="ben"))
    assert await wallets(served) == {"ann": 520, "ben": 500}
    assert served.fired == [FIRED] * 3
    orders = [vars(line)["order"] for line in served.logged("order fulfilled")]
    assert orders == ["cs_test_1", "cs_test_2", "cs_test_3"]


async def test_an_event_that_comes_again_and_another_of_the_same_order_bring_nothing(
    serve: Serve,
) -> None:
    served = await started(serve)
    first = await tell(served, event())
    again = await tell(served, event())
    assert (again.body, again.header("Idempotent-Replayed")) == (first.body, "true")
    assert served.fired == [FIRED]
    other = event("evt_2", of_type="checkout.session.async_payment_succeeded")
    assert (await tell(served, other)).status == 200
    assert await wallets(served) == {"ann": 500}
    assert len(served.logged("order fulfilled")) == 1


async def test_many_events_of_many_orders_at_once_bring_each_order_once(
    serve: Serve, store_url: str
) -> None:
    await make_tables(store_url)
    served = await started(serve, f"[store]\nurl = {store_url}\n")
    told = [
        event(f"evt_{number}", id=f"cs_{number % 10}", metadata={"coins": "7"})
        for number in range(60)
    ]
    answers = await asyncio.gather(*(tell(served, one) for one in told))
    assert {one.status for one in answers} == {200}
    assert await wallets(served) == {"ann": 70}


async def test_an_order_that_is_not_paid_yet_brings_its_coins_when_it_is(serve: Serve) -> None:
    served = await started(serve)
    assert (await tell(served, event(payment_status="unpaid"))).status == 200
    assert await wallets(served) == {}
    await tell(served, event("evt_2", of_type="checkout.session.async_payment_succeeded"))
    assert await wallets(served) == {"ann": 500}


@pytest.mark.parametrize("of_type", ["invoice.paid", "checkout.session.expired", None, 7])
async def test_other_events_are_taken_and_passed_over(serve: Serve, of_type: object) -> None:
    served = await started(serve)
    answer = await tell(served, event(of_type=of_type))
    assert (answer.status, answer.body) == (200, b"")
    assert await wallets(served) == {}


@pytest.mark.parametrize(
    ("session", "words"),
    [
        ({"id": None}, "The session has no id"),
        ({"id": "cs_/"}, "The session has no id"),
        (
            {"client_reference_id": None},
            "The session has no client_reference_id, which is the player's id",
        ),
        ({"metadata": {}}, "The session has no metadata coins, a whole number"),
        ({"metadata": None}, "The session has no metadata coins, a whole number"),
        ({"metadata": {"coins": 5}}, "The session has no metadata coins, a whole number"),
        ({"metadata": {"coins": "-5"}}, "The session has no metadata coins, a whole number"),
        ({"metadata": {"coins": "0"}}, "An order brings 1 to 1000000 coins"),
        ({"metadata": {"coins": "1000001"}}, "An order brings 1 to 1000000 coins"),
    ],
)
async def test_an_order_that_nobody_can_fulfil_is_refused(
    serve: Serve, session: dict[str, Any], words: str
) -> None:
    served = await started(serve)
    answer = await tell(served, event(**session))
    assert (answer.status, answer.json()) == (400, {"error": words})
    assert await wallets(served) == {}


@pytest.mark.parametrize("data", [None, [], {"object": 1}])
async def test_an_event_without_a_session_is_refused(serve: Serve, data: object) -> None:
    served = await started(serve)
    answer = await tell(served, {**event(), "data": data})
    assert (answer.status, answer.json()) == (400, {"error": "The event has no session"})


async def test_an_order_for_somebody_unknown_is_kept_until_they_are_known(serve: Serve) -> None:
    served = await started(serve)
    answer = await tell(served, event(client_reference_id="eve"))
    assert (answer.status, answer.header("Retry-After")) == (400, "3600")
    await served.know("eve")
    assert (await tell(served, event(client_reference_id="eve"))).status == 200
    assert await wallets(served) == {"eve": 500}


async def test_an_event_that_stripe_has_not_signed_brings_nothing(serve: Serve) -> None:
    served = await started(serve)
    assert (await tell(served, event(), secret="whsec_of-somebody-else")).status == 401
    assert served.fired == []
    assert await wallets(served) == {}


async def test_the_coins_are_those_that_the_plugin_wallet_spends(serve: Serve) -> None:
    gamesparks = """
[dialect:gamesparks]
api_key = KEY
server_secret = SEC
[credential:wallet]
secret = WAL
"""
    served = await started(serve, gamesparks, "stripe_orders, wallet")
    path = "/callback/KEY/wallet/WAL/ann"
    await served.request("GET", f"{path}?add=5&reference=a")
    await tell(served, event())
    answer = await served.request("GET", f"{path}?spend=105&reference=b")
    assert answer.json() == {"coins": 400}
    await tell(served, event("evt_2", id="cs_test_2"))
    assert await wallets(served) == {"ann": 900}
