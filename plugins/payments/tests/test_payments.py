"""A payment service calls back, and is asked whether it really did."""

import asyncio
import socket
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass, field
from typing import Any

import pytest
from aiohttp import web
from aiohttp.test_utils import TestServer

from tests.serving import Answer, Serve, Served
from tornado_cc.core import clock

KEY = "verify-key-4711"
PAID = {"status": "paid", "player": "p1"}
LATER = "The payment could not be verified; please send it again"
DENIED = "The payment service does not confirm this payment"
INCOMPLETE = "A callback needs one transaction and a player"
CONF = """
[dialect:gamesparks]
api_key = KEY
server_secret = SEC

[credential:payments]
secret = PAY

[outbound]
timeout = 0.3

[plugin:payments]
verify_url = {url}
verify_key = {key}
"""

Answering = Callable[[web.Request], Awaitable[web.StreamResponse]]


@dataclass
class Service:
    """The payment service: what it answers, and what it was asked."""

    server: TestServer | None = None
    answer: Answering | None = None
    asked: list[dict[str, Any]] = field(default_factory=list)

    @property
    def url(self) -> str:
        assert self.server is not None
        return str(self.server.make_url("/verify"))

    async def heard(self, request: web.Request) -> web.StreamResponse:
        self.asked.append(
            {
                "query": dict(request.query),
                "method": request.method,
                "key": request.headers.get("Authorization"),
            }
        )
        assert self.answer is not None
        return await self.answer(request)


@pytest.fixture
async def service() -> AsyncIterator[Service]:
    service = Service()
    app = web.Application()
    app.router.add_route("*", "/verify", service.heard)
    service.server = TestServer(app)
    await service.server.start_server()
    yield service
    await service.server.close()


def saying(value: Any, status: int = 200) -> Answering:
    async def answer(request: web.Request) -> web.StreamResponse:
        return web.json_response(value, status=status)

    return answer


async def started(serve: Serve, url: str, key: str = KEY) -> Served:
    served = await serve(CONF.format(url=url, key=key), enable="payments")
    await served.know("p1")
    return served


async def call_back(served: Served, rest: str = "p1?transaction=t-1") -> Answer:
    return await served.request("GET", f"/callback/KEY/payments/PAY/{rest}")


def refused(answer: Answer, words: str) -> None:
    assert (answer.status, answer.json()) == (400, {"error": {"script": words}})


def check_secrecy(served: Served, answer: Answer) -> None:
    """The key is in no answer and in no record, whatever it carries."""
    assert KEY.encode() not in answer.body + str(answer.headers).encode()
    for record in served.records:
        assert KEY not in f"{vars(record)} {record.exc_info}"


async def test_a_payment_the_service_confirms_is_granted(serve: Serve, service: Service) -> None:
    service.answer = saying(PAID)
    served = await started(serve, service.url)
    answer = await call_back(served, "p1?transaction=t%261%20%E4%BD%A0")
    assert (answer.status, answer.body) == (200, b"OK")
    asked = {"query": {"transaction": "t&1 你"}, "method": "GET", "key": f"Bearer {KEY}"}
    assert service.asked == [asked]
    (granted,) = served.logged("payment granted")
    assert vars(granted)["transaction"] == "t&1 你"
    check_secrecy(served, answer)


@pytest.mark.parametrize(
    "said",
    [
        {"status": "open", "player": "p1"},
        {"status": "paid", "player": "p2"},
        {"status": "paid"},
        {"status": ["paid"], "player": "p1"},
        {},
        [PAID],
        "paid",
        None,
    ],
)
async def test_a_payment_it_does_not_confirm_is_not(
    said: Any, serve: Serve, service: Service
) -> None:
    service.answer = saying(said)
    served = await started(serve, service.url)
    answer = await call_back(served)
    refused(answer, DENIED)
    assert served.logged("payment granted") == []
    check_secrecy(served, answer)


@pytest.mark.parametrize("status", [400, 401, 404, 500, 503])
async def test_a_service_that_answers_with_an_error_is_to_ask_again(
    status: int, serve: Serve, service: Service
) -> None:
    service.answer = saying(PAID, status)
    served = await started(serve, service.url)
    answer = await call_back(served)
    refused(answer, LATER)
    (warned,) = served.logged("payment not verified")
    assert str(status) in vars(warned)["cause"]
    check_secrecy(served, answer)


async def test_a_callback_with_an_id_is_verified_again_and_granted_once(
    serve: Serve, service: Service
) -> None:
    service.answer = saying(PAID, 503)
    served = await started(serve, service.url)

    async def call_back_with_id() -> Answer:
        path = "/callback/KEY/payments/PAY/p1?transaction=t-1"
        return await served.request("POST", path, {"Idempotency-Key": "t-1"})

    first = await call_back_with_id()
    refused(first, LATER)
    assert first.header("Retry-After") == "60"
    service.answer = saying(PAID)
    answers = [await call_back_with_id() for _ in range(3)]
    assert [(one.status, one.body) for one in answers] == [(200, b"OK")] * 3
    assert len(service.asked) == 2
    assert len(served.logged("payment granted")) == 1


async def test_a_service_that_keeps_failing_is_not_asked_until_it_has_had_a_rest(
    serve: Serve, service: Service
) -> None:
    service.answer = saying(PAID, 503)
    served = await started(serve, service.url)

    async def call_back_as(transaction: str) -> Answer:
        path = f"/callback/KEY/payments/PAY/p1?transaction={transaction}"
        return await served.request("POST", path, {"Idempotency-Key": transaction})

    for number in range(5):
        assert (await call_back_as(f"t-{number}")).header("Retry-After") == "60"
    for number in range(5, 10):
        answer = await call_back_as(f"t-{number}")
        refused(answer, LATER)
        # As long as the service is left alone, [outbound] breaker_pause.
        assert 20 <= int(answer.header("Retry-After") or 0) <= 30
    assert len(service.asked) == 5
    assert len(served.logged("payment not verified")) == 5
    assert len(served.logged("circuit opened")) == 1
    check_secrecy(served, answer)


async def test_a_rest_is_over_when_the_service_answers_again(
    serve: Serve, service: Service, monkeypatch: pytest.MonkeyPatch
) -> None:
    service.answer = saying(PAID, 503)
    served = await started(serve, service.url)
    for _ in range(6):
        refused(await call_back(served), LATER)
    service.answer = saying(PAID)
    genuine = clock.monotonic
    monkeypatch.setattr(clock, "monotonic", lambda: genuine() + 31)
    for _ in range(2):
        assert (await call_back(served)).body == b"OK"
    assert len(service.asked) == 7


async def test_an_answer_that_is_not_json_confirms_nothing(serve: Serve, service: Service) -> None:
    async def answering(request: web.Request) -> web.StreamResponse:
        return web.Response(text="status=paid&player=p1", content_type="text/html")

    service.answer = answering
    served = await started(serve, service.url)
    answer = await call_back(served)
    refused(answer, DENIED)
    check_secrecy(served, answer)


async def test_a_redirect_is_not_followed_and_confirms_nothing(
    serve: Serve, service: Service
) -> None:
    async def answering(request: web.Request) -> web.StreamResponse:
        raise web.HTTPFound("/verify?again")

    service.answer = answering
    served = await started(serve, service.url)
    refused(await call_back(served), DENIED)
    assert len(service.asked) == 1


async def test_a_slow_service_is_given_up(serve: Serve, service: Service) -> None:
    async def answering(request: web.Request) -> web.StreamResponse:
        await asyncio.sleep(1)
        return web.json_response(PAID)

    service.answer = answering
    served = await started(serve, service.url)
    answer = await call_back(served)
    refused(answer, LATER)
    check_secrecy(served, answer)


async def test_a_service_that_hangs_up_is_to_ask_again(serve: Serve, service: Service) -> None:
    async def answering(request: web.Request) -> web.StreamResponse:
        assert request.transport is not None
        request.transport.close()
        return web.Response()

    service.answer = answering
    served = await started(serve, service.url)
    answer = await call_back(served)
    refused(answer, LATER)
    check_secrecy(served, answer)


async def test_a_service_that_is_not_there_is_to_ask_again(serve: Serve) -> None:
    with socket.socket() as unheard:
        unheard.bind(("127.0.0.1", 0))
        served = await started(serve, f"http://127.0.0.1:{unheard.getsockname()[1]}/verify")
        answer = await call_back(served)
    refused(answer, LATER)
    check_secrecy(served, answer)


@pytest.mark.parametrize(
    "rest",
    [
        "p1",
        "p1?transaction=",
        "p1?transaction=a&transaction=b",
        "?transaction=t-1",
        "nobody?transaction=t-1",
    ],
)
async def test_a_callback_without_its_parts_asks_nobody(
    rest: str, serve: Serve, service: Service
) -> None:
    served = await started(serve, service.url)
    refused(await call_back(served, rest), INCOMPLETE)
    assert service.asked == []


async def test_nothing_is_granted_before_it_is_set_up(serve: Serve) -> None:
    served = await started(serve, "", "")
    answer = await call_back(served)
    refused(answer, "Payments are not set up: set verify_url and verify_key in [plugin:payments]")
    assert served.logged("payment granted") == []


async def test_a_wrong_secret_asks_nobody(serve: Serve, service: Service) -> None:
    served = await started(serve, service.url)
    answer = await served.request("GET", "/callback/KEY/payments/SEC/p1?transaction=t-1")
    assert answer.status == 403
    assert service.asked == []
