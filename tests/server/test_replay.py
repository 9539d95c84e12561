"""A recorded request once more: what is run, what it is answered, and how that differs."""

import pytest

from tests.server.replaying import again, changed, function, recorded, recording, said
from tests.serving import Serve
from tornado_cc.server import StartError
from tornado_cc.server.replay import NotReplayable

SHOP = """
from tornado_cc import Plugin, Refusal
from tornado_cc.skygear import current_user_id

plugin = Plugin("shop")

@plugin.cloud_function("greet")
def greet(call):
    return "Hello " + call.params["name"]

@plugin.cloud_function("fail")
def fail(call):
    raise ValueError("no")

@plugin.cloud_function("tell")
def tell(call):
    return {"token": "tell-no-one", "name": "open"}

@plugin.cloud_function("store")
async def store(call):
    return (await call.store.objects("Note").create({"text": "kept"}))["text"]

@plugin.after_save("Note")
async def noted(call):
    await call.store.objects("Log").create({"of": call.object["objectId"]})

@plugin.before_save("Review")
async def keep_it_short(call):
    call.object["text"] = call.object["text"][:5]

@plugin.on_callback
async def callback(call):
    call.script_data["name"] = call.data["name"]
    if call.player is not None:
        call.player.private_data["calls"] = call.player.private_data.get("calls", 0) + 1
        call.script_data["calls"] = call.player.private_data["calls"]

@plugin.handler("me", user_required=True)
def me(request):
    return {"user_id": current_user_id()}
"""
PLUGINS = {"shop": SHOP}


async def test_a_function_is_answered_alike_as_long_as_its_code_is_the_same(serve: Serve) -> None:
    served = await recording(serve, PLUGINS)
    record = await function(served, "greet", {"name": "Ann"})
    replayed = await again(served, record)
    assert (said(replayed), replayed.is_same) == ({"success": "Hello Ann"}, True)
    assert (replayed.ran, replayed.notes) == (None, None)


async def test_code_that_was_changed_shows_in_the_answer(serve: Serve) -> None:
    served = await recording(serve, PLUGINS)
    record = await function(served, "greet", {"name": "Ann"})
    changed(served, "shop", "Hello ", "Good-bye ")
    replayed = await again(served, record)
    assert (said(replayed), replayed.is_same) == ({"success": "Good-bye Ann"}, False)
    assert replayed.stored is not None
    assert replayed.stored.body == b'{"success":"Hello Ann"}'
    # The server beside it goes on with the code that it has.
    answer = await served.webhook("/functions/greet", {"params": {"name": "Ben"}})
    assert answer == {"success": "Hello Ben"}


async def test_a_replay_is_not_recorded(serve: Serve) -> None:
    served = await recording(serve, PLUGINS)
    record = await function(served, "greet", {"name": "Ann"})
    for _ in range(2):
        await again(served, record)
    assert await served.store.requests.find() == [record]


async def test_a_failure_differs_by_its_id_only_and_that_is_no_difference(serve: Serve) -> None:
    served = await recording(serve, PLUGINS)
    record = await function(served, "fail")
    replayed = await again(served, record)
    assert (said(replayed)["error"], replayed.is_same) == (
        f"internal error (id {record.error_id})",
        True,
    )


async def test_what_is_secret_in_an_answer_is_masked_and_no_difference(serve: Serve) -> None:
    served = await recording(serve, PLUGINS)
    record = await function(served, "tell")
    replayed = await again(served, record)
    assert said(replayed) == {"success": {"token": "[redacted]", "name": "open"}}
    assert replayed.is_same


async def test_a_before_save_is_asked_again(serve: Serve) -> None:
    served = await recording(serve, PLUGINS)
    review = {"className": "Review", "text": "very long"}
    body = {"triggerName": "beforeSave", "object": review}
    assert await served.webhook("/triggers/Review/beforeSave", body) == {
        "success": {"text": "very "}
    }
    record = await recorded(served)
    assert (await again(served, record)).is_same
    changed(served, "shop", "[:5]", "[:4]")
    assert said(await again(served, record)) == {"success": {"text": "very"}}


async def test_a_callback_is_replayed_without_the_secret_of_its_url(serve: Serve) -> None:
    served = await recording(serve, PLUGINS)
    await served.know("ann")
    path = "/callback/KEY-of-gamesparks/SECRET-of-the-server/ann?name=Coin"
    answer = await served.request("POST", path)
    assert answer.json() == {"name": "Coin", "calls": 1}
    record = await recorded(served)
    assert record.path == "/callback/[redacted]/[redacted]/ann"
    replayed = await again(served, record)
    # It runs in the name of the player, whose data it finds as they are now.
    assert (said(replayed), replayed.is_same) == ({"name": "Coin", "calls": 2}, False)


async def test_an_endpoint_is_replayed_in_the_name_of_the_user_whose_token_is_not_kept(
    serve: Serve,
) -> None:
    served = await recording(serve, PLUGINS)
    await served.know(tokens={"good-token": "ann"})
    headers = {"X-Skygear-API-Key": "KEY-of-skygear", "X-Skygear-Access-Token": "good-token"}
    answer = await served.request("GET", "/sky/me", headers)
    assert answer.json() == {"user_id": "ann"}
    record = await recorded(served)
    assert "good-token" not in repr(record.headers)
    await served.store.users.revoke_all("ann")
    replayed = await again(served, record)
    assert (said(replayed), replayed.is_same) == ({"user_id": "ann"}, True)


async def test_what_a_replay_stores_is_stored_and_its_after_hooks_run_in_the_server(
    serve: Serve,
) -> None:
    served = await recording(serve, PLUGINS)
    record = await function(served, "store")
    await again(served, record)
    await served.until_idle()
    assert await served.store.objects.count("Note") == 2
    assert await served.store.objects.count("Log") == 2
    deliveries = await served.store.deliveries.find(request_id=record.id)
    assert [one.state for one in deliveries] == ["done", "done"]


AFTER = """
from tornado_cc import Plugin, Refusal

plugin = Plugin("after")

@plugin.after_save("Review")
async def counts(call):
    call.object["text"] = "changed"
    await call.store.objects("Count").create({"of": call.object["objectId"]})

@plugin.after_save("Review")
def fails(call):
    raise ValueError("of " + call.object["text"])

@plugin.after_save("Review")
async def refuses(call):
    raise Refusal("too late")
"""


async def test_the_hooks_of_an_after_event_run_one_after_another_and_without_the_outbox(
    serve: Serve,
) -> None:
    served = await recording(serve, {"after": AFTER})
    review = {"className": "Review", "objectId": "r1", "text": "nice"}
    body = {"triggerName": "afterSave", "object": review}
    await served.webhook("/triggers/Review/afterSave", body)
    record = await recorded(served)
    await served.until_fired(3)
    await served.until_idle()
    before = await served.store.deliveries.find()
    assert len(before) == 3
    replayed = await again(served, record)
    assert (replayed.answer, replayed.is_same) == (None, None)
    assert replayed.ran is not None
    # An opinion about what has happened is no failure; a change to the object is nobody else's.
    assert [(one.target.split(".")[-1], one.error) for one in replayed.ran] == [
        ("counts", None),
        ("fails", "raised ValueError: of nice"),
        ("refuses", None),
    ]
    assert replayed.ran[1].error_id
    assert await served.store.deliveries.find() == before
    assert await served.store.objects.count("Count") == 2


async def test_an_after_event_that_no_plugin_wants_any_more_runs_nothing(serve: Serve) -> None:
    served = await recording(serve, {"after": AFTER})
    body = {"triggerName": "afterSave", "object": {"className": "Review", "objectId": "r1"}}
    await served.webhook("/triggers/Review/afterSave", body)
    record = await recorded(served)
    (served.conf.parent / "plugins.d" / "after.py").write_text(
        "from tornado_cc import Plugin\nplugin = Plugin('after')\n"
        "@plugin.cloud_function('other')\ndef other(call): ...\n"
    )
    assert (await again(served, record)).ran == []


async def test_what_was_not_kept_whole_is_replayed_only_by_force(serve: Serve) -> None:
    served = await recording(serve, PLUGINS)
    record = await function(served, "greet", {"name": "Ann", "password": "hidden"})
    assert record.not_replayable == "a secret was taken out of it"
    with pytest.raises(NotReplayable, match="a secret was taken out of it; --force"):
        await again(served, record)
    replayed = await again(served, record, force=True)
    assert said(replayed) == {"success": "Hello Ann"}


async def test_a_request_with_bad_credentials_is_replayed_only_by_force(serve: Serve) -> None:
    served = await recording(serve, PLUGINS)
    headers = {"X-Parse-Webhook-Key": "wrong"}
    await served.webhook("/functions/greet", {"params": {"name": "Ann"}}, headers)
    record = await recorded(served)
    with pytest.raises(NotReplayable, match="its credentials were refused"):
        await again(served, record)
    replayed = await again(served, record, force=True)
    assert said(replayed) == {"success": "Hello Ann"}


async def test_a_malformed_request_is_refused_again(serve: Serve) -> None:
    served = await recording(serve, PLUGINS)
    await served.webhook("/functions/greet", [])
    replayed = await again(served, await recorded(served))
    assert (said(replayed), replayed.is_same) == ({"error": "The body is not a JSON object"}, True)


async def test_a_request_nobody_knows_is_said(serve: Serve) -> None:
    served = await recording(serve, PLUGINS)
    record = await function(served, "greet", {"name": "Ann"})
    record.id = "nosuch"
    with pytest.raises(NotReplayable, match="there is no request nosuch"):
        await again(served, record)


async def test_a_dialect_that_is_off_now_replays_nothing(serve: Serve) -> None:
    served = await recording(serve, PLUGINS)
    await served.request("GET", "/callback/KEY-of-gamesparks/SECRET-of-the-server/?name=a")
    record = await recorded(served)
    text = served.conf.read_text()
    before, _, rest = text.partition("[dialect:gamesparks]")
    served.conf.write_text(before + rest[rest.index("[dialect:skygear]") :])
    with pytest.raises(NotReplayable, match="came to gamesparks, which is not on here"):
        await again(served, record)


async def test_a_plugin_that_cannot_start_replays_nothing(serve: Serve) -> None:
    served = await recording(serve, PLUGINS)
    record = await function(served, "greet", {"name": "Ann"})
    failing = "@plugin.on_start\ndef start(app): raise ValueError('no')\n\n@plugin.cloud_function"
    changed(served, "shop", '@plugin.cloud_function("greet")', f'{failing}("greet")')
    with pytest.raises(StartError, match=r"plugin shop: on_start .* raised ValueError"):
        await again(served, record)


async def test_a_hook_that_raises_in_the_answer_is_a_failure_as_in_the_server(serve: Serve) -> None:
    served = await recording(serve, PLUGINS)
    record = await function(served, "greet", {"name": "Ann"})
    changed(served, "shop", 'return "Hello " + call.params["name"]', "return object()")
    replayed = await again(served, record)
    assert said(replayed)["error"].startswith("internal error (id ")
    assert replayed.is_same is False
