"""The plain form of the hook: asked for every path that no endpoint has."""

from tests.dialects.skygear.served import SKYGEAR, TOKENS
from tests.serving import Serve

PLAIN = """
from tornado_cc import hookimpl
from tornado_cc.skygear import Response, current_user_id

@hookimpl
async def http_endpoint(call):
    assert not call.matched
    if call.web.path == "/nothing":
        return None
    if call.web.path == "/raising":
        raise LookupError("lost")
    return {"path": call.claim, "user": current_user_id(), "body": call.web.get_data(as_text=True)}
"""
DECLARED = """
from tornado_cc import Plugin

plugin = Plugin("declared")

@plugin.handler("mine")
def mine(request):
    return None
"""


async def test_it_answers_for_paths_and_methods_nobody_declared(serve: Serve) -> None:
    served = await serve(SKYGEAR, {"plain": PLAIN, "declared": DECLARED})
    await served.know(tokens=TOKENS)
    token = {"X-Skygear-Access-Token": "good-token"}
    answer = await served.request("PATCH", "/any/%E4%BD%A0", token, b"body")
    assert answer.json() == {"path": ["/any/你", "PATCH"], "user": "user-42", "body": "body"}
    assert served.fired == ["http_endpoint (plain)"]


async def test_its_none_means_that_it_is_not_asked_for(serve: Serve) -> None:
    served = await serve(SKYGEAR, {"plain": PLAIN})
    answer = await served.request("GET", "/nothing")
    assert (answer.status, answer.json()) == (200, {"result": {"status": "OK"}})


async def test_what_is_declared_is_not_its_business(serve: Serve) -> None:
    served = await serve(SKYGEAR, {"plain": PLAIN, "declared": DECLARED})
    assert (await served.request("GET", "/mine")).body == b"null"
    assert (await served.request("DELETE", "/mine")).status == 404
    assert served.fired == ["http_endpoint /mine.GET (declared)"]


async def test_its_exception_is_an_error(serve: Serve) -> None:
    served = await serve(SKYGEAR, {"plain": PLAIN})
    answer = await served.request("GET", "/raising")
    assert (answer.status, answer.json()["error"]["message"]) == (500, "lost")
