"""Posts about to be stored or removed, as a Parse Server asks for leave."""

import asyncio
import socket
from collections.abc import AsyncIterator
from typing import Any

import pytest
from aiohttp import web
from aiohttp.test_utils import TestServer

from tests.serving import PARSE, Serve, Served

CONF = f"{PARSE}\n[plugin:bloggers]\npaid_up = matt, lValKpphWN\n"
UNCHECKED = {"error": "Your account could not be checked. Please try again."}
OUTSTANDING = {
    "error": "You have outstanding charges on your account."
    " Please update your credit card information before proceeding."
}

triggers = pytest.mark.parametrize("trigger", ["beforeSave", "beforeDelete"])


async def ask(served: Served, trigger: str, **caller: Any) -> Any:
    post = {"className": "Post", "objectId": "jsUd72Sd2l"}
    return await served.webhook("", {"triggerName": trigger, "object": post, **caller})


@triggers
async def test_a_user_who_has_paid_may_go_on(serve: Serve, trigger: str) -> None:
    served = await serve(CONF, enable="bloggers")
    assert await ask(served, trigger, user={"objectId": "lValKpphWN"}) == {}
    hook = {"beforeSave": "before_save", "beforeDelete": "before_delete"}[trigger]
    assert served.fired == [f"{hook} Post (bloggers)"]


@triggers
@pytest.mark.parametrize("user", [{"objectId": "stranger"}, {"username": "matt"}, {}])
async def test_a_user_who_has_not_paid_is_refused(
    serve: Serve, trigger: str, user: dict[str, Any]
) -> None:
    served = await serve(CONF, enable="bloggers")
    assert await ask(served, trigger, user=user, master=False) == OUTSTANDING


@triggers
async def test_nobody_has_paid_while_the_setting_is_empty(serve: Serve, trigger: str) -> None:
    served = await serve(enable="bloggers")
    assert await ask(served, trigger, user={"objectId": "lValKpphWN"}) == OUTSTANDING


@triggers
async def test_somebody_who_is_not_logged_in_is_refused(serve: Serve, trigger: str) -> None:
    served = await serve(CONF, enable="bloggers")
    answer = await ask(served, trigger, master=False)
    assert answer == {"error": "Please log in before proceeding."}


@triggers
async def test_the_master_key_may_do_anything(serve: Serve, trigger: str) -> None:
    served = await serve(CONF, enable="bloggers")
    assert await ask(served, trigger, master=True) == {}


class Billing:
    """A billing service: what it was asked, and what it answers to each user."""

    def __init__(self) -> None:
        self.url = ""
        self.asked: list[dict[str, str]] = []
        self.app = web.Application()
        self.app.router.add_get("/bills", self._answer)

    async def _answer(self, request: web.Request) -> web.Response:
        self.asked.append(dict(request.query))
        user = request.query["user"]
        if user == "slow":
            await asyncio.sleep(60)
        answers = {
            "paid": '{"paid_up": true}',
            "owing": '{"paid_up": false}',
            "nonsense": "<p>maintenance</p>",
            "empty": "",
            "a list": "[true]",
            "no word of it": "{}",
            "a word for it": '{"paid_up": "yes"}',
        }
        known = answers.get(user)
        return web.Response(text=known, status=200 if known is not None else 500)


@pytest.fixture
async def billing() -> AsyncIterator[Billing]:
    service = Billing()
    async with TestServer(service.app, host="127.0.0.1") as server:
        service.url = f"http://127.0.0.1:{server.port}/bills"
        yield service


async def asking(serve: Serve, url: str) -> Served:
    return await serve(f"{CONF}billing_url = {url}\n[outbound]\ntimeout = 0.3\n", enable="bloggers")


@triggers
@pytest.mark.parametrize(("user", "answer"), [("paid", {}), ("owing", OUTSTANDING)])
async def test_the_billing_service_decides_about_everybody_else(
    serve: Serve, billing: Billing, trigger: str, user: str, answer: dict[str, str]
) -> None:
    served = await asking(serve, billing.url)
    assert await ask(served, trigger, user={"objectId": user}) == answer
    assert billing.asked == [{"user": user}]


@pytest.mark.parametrize("caller", [{"user": {"objectId": "matt"}}, {"master": True}])
async def test_the_billing_service_is_not_asked_needlessly(
    serve: Serve, billing: Billing, caller: dict[str, Any]
) -> None:
    served = await asking(serve, billing.url)
    assert await ask(served, "beforeSave", **caller) == {}
    assert billing.asked == []


@pytest.mark.parametrize(
    "user", ["failing", "slow", "nonsense", "empty", "a list", "no word of it", "a word for it"]
)
async def test_an_answer_that_says_nothing_stops_the_post_and_blames_nobody(
    serve: Serve, billing: Billing, user: str
) -> None:
    served = await asking(serve, billing.url)
    assert await ask(served, "beforeSave", user={"objectId": user}) == UNCHECKED


async def test_a_billing_service_out_of_reach_stops_the_post(serve: Serve) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        url = f"http://CANARY@127.0.0.1:{taken.getsockname()[1]}/?key=CANARY"
        served = await asking(serve, url)
        assert await ask(served, "beforeSave", user={"objectId": "u1"}) == UNCHECKED
    (warning,) = served.logged("billing service not asked")
    assert "ClientConnectorError" in vars(warning)["cause"]
    assert "CANARY" not in str(vars(warning))


async def test_a_user_id_of_any_letters_is_asked_about_as_it_is(
    serve: Serve, billing: Billing
) -> None:
    served = await asking(serve, f"{billing.url}?key=a%26b")
    await ask(served, "beforeSave", user={"objectId": "a&user=paid é"})
    assert billing.asked == [{"key": "a&b", "user": "a&user=paid é"}]
