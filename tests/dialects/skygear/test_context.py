"""Who calls, for code that was not handed the call."""

import asyncio
from typing import Any

import pytest

from tests.dialects.skygear.served import SKYGEAR, TOKENS, plugin
from tests.serving import Serve
from tornado_cc.skygear import current_context, current_request_id, current_user_id

PLUGIN = plugin("""
SEEN = []
MEETING = asyncio.Barrier(2)
THREADS = threading.Barrier(2)

def facts():
    return {"user": current_user_id(), "id": current_request_id(), "context": current_context()}

@plugin.handler("plain", key_required=True)
def plain(request):
    return facts()

@plugin.handler("async", key_required=True)
async def awaited(request):
    await asyncio.sleep(0)
    return facts()

@plugin.handler("meet")
async def meet(request):
    await asyncio.wait_for(MEETING.wait(), 10)
    return facts()

@plugin.handler("meet_in_threads")
def meet_in_threads(request):
    THREADS.wait(10)
    return facts()

@plugin.handler("thread")
def thread(request):
    found = []
    other = threading.Thread(target=lambda: found.append(facts()))
    other.start()
    other.join()
    return found[0]

@plugin.handler("later")
def later(request):
    def look():
        answered.wait(10)
        SEEN.append(facts())
    threading.Thread(target=look).start()

answered = threading.Event()

@plugin.handler("seen")
async def seen(request):
    answered.set()
    while not SEEN:
        await asyncio.sleep(0.001)
    return SEEN

@plugin.handler("http")
async def http(request):
    return type(request.call.http).__name__, request.call.plugin

@plugin.handler("http_blocking")
def http_blocking(request):
    return type(request.call.http).__name__, request.call.plugin
""")

NOTHING: dict[str, Any] = {"user": None, "id": None, "context": {}}


def token(value: str) -> dict[str, str]:
    return {"X-Skygear-Access-Token": value}


@pytest.mark.parametrize("path", ["/plain", "/async"])
async def test_a_handler_knows_user_key_and_request(serve: Serve, path: str) -> None:
    served = await serve(SKYGEAR, PLUGIN)
    await served.know(tokens=TOKENS)
    headers = token("good-token") | {"X-Skygear-API-Key": "client-key"}
    answer = await served.request("GET", path, headers)
    request_id = answer.header("X-Skygear-Request-Id")
    assert answer.json() == {
        "user": "user-42",
        "id": request_id,
        "context": {
            "user_id": "user-42",
            "access_key_type": "client",
            "request_id": request_id,
            "request_tag": "plugin",
        },
    }


@pytest.mark.parametrize("path", ["/plain", "/async"])
async def test_the_master_key_is_named_and_nobody_is_nobody(serve: Serve, path: str) -> None:
    served = await serve(SKYGEAR, PLUGIN)
    answer = await served.request("GET", path, {"X-Skygear-API-Key": "master-key"})
    context = answer.json()["context"]
    assert (context["user_id"], context["access_key_type"]) == (None, "master")


@pytest.mark.parametrize("path", ["/meet", "/meet_in_threads"])
async def test_two_calls_at_once_never_see_each_others_user(serve: Serve, path: str) -> None:
    served = await serve(SKYGEAR, PLUGIN)
    await served.know(tokens=TOKENS)
    answers = await asyncio.gather(
        served.request("GET", path, token("good-token")),
        served.request("GET", path, token("other-token")),
    )
    assert [answer.json()["user"] for answer in answers] == ["user-42", "user-7"]
    ids = [answer.json()["id"] for answer in answers]
    assert ids == [answer.header("X-Skygear-Request-Id") for answer in answers]
    assert len(set(ids)) == 2


async def test_another_thread_belongs_to_nobody(serve: Serve) -> None:
    served = await serve(SKYGEAR, PLUGIN)
    await served.know(tokens=TOKENS)
    assert (await served.request("GET", "/thread", token("good-token"))).json() == NOTHING


async def test_after_the_call_there_is_nobody(serve: Serve) -> None:
    served = await serve(SKYGEAR, PLUGIN)
    await served.know(tokens=TOKENS)
    await served.request("GET", "/later", token("good-token"))
    assert (await served.request("GET", "/seen")).json() == [NOTHING]


async def test_outside_of_every_call_there_is_nobody(serve: Serve) -> None:
    served = await serve(SKYGEAR, PLUGIN)
    await served.know(tokens=TOKENS)
    await served.request("GET", "/whoever", token("good-token"))
    assert (current_user_id(), current_request_id(), current_context()) == (None, None, {})


async def test_a_threads_next_call_knows_nothing_of_the_last(serve: Serve) -> None:
    served = await serve(f"{SKYGEAR}\n[hooks]\nthreads = 1\n", PLUGIN)
    await served.know(tokens=TOKENS)
    key = {"X-Skygear-API-Key": "client-key"}
    first = await served.request("GET", "/plain", key | token("good-token"))
    second = await served.request("GET", "/plain", key)
    assert (first.json()["user"], second.json()["user"]) == ("user-42", None)


@pytest.mark.parametrize("path", ["/http", "/http_blocking"])
async def test_the_request_leads_to_the_call_and_the_way_out(serve: Serve, path: str) -> None:
    served = await serve(SKYGEAR, PLUGIN)
    kind, name = (await served.request("GET", path)).json()
    assert kind == ("Blocking" if path == "/http_blocking" else "BoundHttp")
    assert name == "mine"
