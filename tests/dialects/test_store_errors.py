"""How each dialect spells what the store refuses a hook, when the hook lets it pass."""

import pytest

from tests.dialects.skygear.served import SKYGEAR
from tests.serving import KEY, Serve

CONF = f"""
[dialect:gamesparks]
api_key = key
server_secret = secret
[dialect:parse]
webhook_key = test-key
{SKYGEAR}
"""
PLUGIN = """
from tornado_cc import Plugin

plugin = Plugin("mine")

async def fail(store):
    things = store.objects("Thing")
    {statement}

@plugin.on_callback
async def callback(call):
    await fail(call.store)

@plugin.cloud_function("no")
async def function(call):
    await fail(call.store)

@plugin.handler("no")
async def endpoint(request):
    await fail(request.call.store)
"""
TWICE = 'await things.create({}, object_id="x"); await things.create({}, object_id="x")'


@pytest.mark.parametrize(
    ("statement", "parse", "skygear"),
    [
        ('await things.get("x")', 101, (404, "ResourceNotFound")),
        ('await things.find({"a": {"$foo": 1}})', 102, (400, "InvalidArgument")),
        ('await things.create({"a b": 1})', 105, (400, "InvalidArgument")),
        ('await things.create({"a": {"__type": "Foo"}})', 107, (400, "InvalidArgument")),
        (TWICE, 137, (409, "Duplicated")),
        ('await store.users.log_in("ann", "x")', 101, (401, "InvalidCredentials")),
    ],
)
async def test_an_error_of_the_store_has_the_code_that_the_callers_dialect_has_for_it(
    serve: Serve, statement: str, parse: int, skygear: tuple[int, str]
) -> None:
    served = await serve(CONF, {"mine": PLUGIN.replace("{statement}", statement)})

    answer = await served.request("POST", "/webhooks/functions/no", KEY, b"{}")
    error = answer.json()["error"]
    assert (answer.status, error["code"]) == (200, parse)

    callback = await served.request("GET", "/callback/key/secret/")
    assert (callback.status, callback.json()) == (400, {"error": {"script": error["message"]}})

    endpoint = await served.request("GET", "/no")
    said = endpoint.json()["error"]
    assert (endpoint.status, said["name"], said["message"]) == (*skygear, error["message"])
    assert served.fired == [
        "cloud_function no (mine)",
        "on_callback * (mine)",
        "http_endpoint /no.GET (mine)",
    ]
