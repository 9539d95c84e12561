"""All three dialects in one conf and one process: none shadows another."""

import pytest

from tests.serving import Serve, Served

CONF = """
[dialect:parse]
webhook_key = test-key
[dialect:gamesparks]
api_key = KEY
server_secret = SEC
[dialect:skygear]
api_key = client-key
"""
ALL = """
    from tornado_cc import Plugin, Refusal
    plugin = Plugin("all")

    @plugin.cloud_function("hello")
    async def hello(call):
        return call.dialect

    @plugin.before_save("Review")
    async def save(call):
        raise Refusal("no")

    @plugin.on_callback
    async def callback(call):
        call.script_data["dialect"] = call.dialect

    @plugin.handler("endpoint/")
    async def endpoint(request):
        return {"path": request.path}
"""
WEBHOOK = {"X-Parse-Webhook-Key": "test-key"}


@pytest.fixture
async def served(serve: Serve) -> Served:
    return await serve(CONF, {"all": ALL})


async def test_each_caller_is_answered_in_its_own_dialect(served: Served) -> None:
    assert await served.webhook("/functions/hello", {}) == {"success": "parse"}
    callback = await served.request("GET", "/callback/KEY/SEC/")
    assert callback.json() == {"dialect": "gamesparks"}
    endpoint = await served.request("GET", "/endpoint/a")
    assert endpoint.json() == {"path": "/endpoint/a"}
    assert served.fired == [
        "cloud_function hello (all)",
        "on_callback * (all)",
        "http_endpoint /endpoint/.GET (all)",
    ]


@pytest.mark.parametrize(
    "path",
    [
        "/webhook/triggers/Review/beforeSave",
        "/webhooks/trigger/Review/beforeSave",
        "/Webhooks/triggers/Review/beforeSave",
        "/webhooks//triggers/Review/beforeSave",
        "//webhooks/triggers/Review/beforeSave",
        "/x/../webhooks/triggers/Review/beforeSave",
        "/%77ebhooks/triggers/Review/beforeSave",
        "/webhooksx",
        "/",
        "/endpoint",
        "/triggers/Review/beforeSave",
    ],
)
async def test_a_mistyped_webhook_is_never_leave_to_save(served: Served, path: str) -> None:
    """A Parse Server takes any 200 without `error` for leave; 4xx and 3xx it takes for an error."""
    body = b'{"triggerName": "beforeSave", "object": {"className": "Review"}}'
    answer = await served.request("POST", path, WEBHOOK, body)
    assert answer.status != 200 or answer.json().get("error")
    assert served.fired == []


async def test_health_pages_answer_beside_a_dialect_that_takes_every_path(served: Served) -> None:
    assert (await served.request("GET", "/healthz")).json() == {"status": "ok"}
    assert (await served.request("GET", "/readyz")).json() == {"status": "ready"}
    answer = await served.request("POST", "/healthz")
    assert (answer.status, answer.header("Allow")) == (405, "GET, HEAD")


async def test_an_unknown_path_is_404_beside_other_dialects(served: Served) -> None:
    answer = await served.request("GET", "/nowhere")
    assert answer.status == 404
    assert answer.json()["error"]["message"] == "route unmatched"


async def test_a_mistyped_callback_is_no_endpoint(served: Served) -> None:
    for path in ("/callback", "/callback/KEY/SEC", "//callback/KEY/SEC/", "/callback/KEY/NO/"):
        answer = await served.request("GET", path)
        assert answer.status in (403, 404), path
    assert served.fired == []
