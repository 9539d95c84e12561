"""Outgoing webhooks: promised by a hook, sent by the outbox, to a receiver on a real socket."""

import asyncio
from collections.abc import Mapping
from datetime import timedelta
from email.utils import format_datetime
from typing import Any

import pytest
from standardwebhooks import Webhook

from tests.receiver import Receiver, Says, closed_port
from tests.serving import PARSE, Serve, Served
from tornado_cc.core import clock
from tornado_cc.store import moments
from tornado_cc.store.deliveries import Delivery

KEY = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"
SENDING = """
import json
from tornado_cc import Plugin, Refusal

plugin = Plugin("sending")

@plugin.cloud_function("send")
async def send(call):
    try:
        return await call.webhooks.send(**call.params)
    except ValueError as error:
        raise Refusal(str(error))

@plugin.cloud_function("sendPlainly")
def send_plainly(call):
    try:
        return call.webhooks.send(**call.params)
    except ValueError as error:
        raise Refusal(str(error))

@plugin.cloud_function("sendWrongly")
async def send_wrongly(call):
    wrong = {'"bytes"': b"x", '"large"': "x" * (1 << 20), '"number"': 1}
    params = {name: wrong.get(json.dumps(one), one) for name, one in call.params.items()}
    try:
        return await call.webhooks.send(**params)
    except ValueError as error:
        raise Refusal(str(error))

@plugin.cloud_function("names")
async def names(call):
    return [call.webhooks.names, repr(call.webhooks)]

@plugin.cloud_function("save")
async def save(call):
    return await call.store.objects("Order").create(call.params)

@plugin.before_save("Order")
async def tell(call):
    await call.webhooks.send("shop", {"total": call.object["total"]})
    if call.object["total"] < 0:
        raise Refusal("An order costs something")

@plugin.before_save("Order")
def tell_plainly(call):
    call.webhooks.send("shop", {"plainly": call.object["total"]})
"""


def conf(receiver: Receiver, *, retry: str = "1h", secret: str = "", timeout: float = 5) -> str:
    """Two receivers, `shop` and `crew`, of which the first may get what is signed."""
    signed = f"secret = {secret}" if secret else ""
    return (
        f"{PARSE}\n[webhook:shop]\nurl = {receiver.at('/shop')}\ntimeout = {timeout}\n{signed}\n"
        f"[webhook:crew]\nurl = {receiver.at('/crew')}\n"
        f"[deliveries]\nretry = {retry}\njitter = 0\npoll = 0.05\n"
    )


async def sending(serve: Serve, receiver: Receiver, **options: Any) -> Served:
    return await serve(conf(receiver, **options), plugins={"sending": SENDING})


async def send(served: Served, name: str = "shop", function: str = "send", **params: Any) -> str:
    """Have a webhook sent, and return the id of its delivery."""
    said = {"name": name, "payload": {"n": 1}, **params}
    answer = await served.webhook(f"/functions/{function}", {"params": said})
    return str(answer["success"])


async def refused(served: Served, function: str = "sendWrongly", **params: Any) -> str:
    """The words with which it is not sent."""
    said = {"name": "shop", "payload": {"n": 1}, **params}
    answer = await served.webhook(f"/functions/{function}", {"params": said})
    assert await served.store.deliveries.find() == []
    return str(answer["error"])


async def ended(served: Served, delivery_id: str) -> Delivery:
    """A delivery, once its attempt has ended."""
    async with asyncio.timeout(10):
        while True:
            one = await served.store.deliveries.get(delivery_id)
            assert one is not None
            if one.state != "running" and (one.failures or one.state == "done"):
                return one
            await asyncio.sleep(0.005)


def errors(delivery: Delivery) -> list[str]:
    return [failure["error"] for failure in delivery.failures]


async def test_it_arrives_signed_as_the_standard_has_it(serve: Serve, receiver: Receiver) -> None:
    served = await sending(serve, receiver, secret=KEY)
    delivery_id = await send(served, payload={"name": "Zoë", "n": [1, 2.5, None]})
    (got,) = await receiver.until_got(1)
    assert Webhook(KEY).verify(got.body, dict(got.headers)) == {"name": "Zoë", "n": [1, 2.5, None]}
    assert (got.path, got.headers["webhook-id"]) == ("/shop", delivery_id)
    assert got.headers["content-type"] == "application/json"
    assert got.headers["user-agent"] == "tornado_cc"
    done = await ended(served, delivery_id)
    assert (done.state, done.kind, done.plugin, done.target, done.lane) == (
        "done",
        "webhook",
        "sending",
        "shop",
        None,
    )


async def test_without_a_secret_it_is_not_signed(serve: Serve, receiver: Receiver) -> None:
    served = await sending(serve, receiver)
    await send(served, payload=[1, "two"])
    (got,) = await receiver.until_got(1)
    assert got.json() == [1, "two"]
    assert "webhook-signature" not in got.headers
    assert abs(int(got.headers["webhook-timestamp"]) - clock.utc_now().timestamp()) < 30


async def test_an_event_has_a_type_a_time_and_data(serve: Serve, receiver: Receiver) -> None:
    served = await sending(serve, receiver)
    before = clock.now()
    await send(served, event="order.paid")
    (got,) = await receiver.until_got(1)
    event = got.json()
    assert list(event) == ["type", "timestamp", "data"]
    assert (event["type"], event["data"]) == ("order.paid", {"n": 1})
    assert before <= event["timestamp"] <= clock.now()


async def test_a_plain_function_sends_without_await(serve: Serve, receiver: Receiver) -> None:
    served = await sending(serve, receiver)
    delivery_id = await send(served, function="sendPlainly")
    (got,) = await receiver.until_got(1)
    assert got.headers["webhook-id"] == delivery_id


async def test_a_plugin_may_tell_that_it_has_started(serve: Serve, receiver: Receiver) -> None:
    source = """
    from tornado_cc import Plugin

    plugin = Plugin("telling")

    @plugin.on_start
    async def started(app):
        await app.webhooks.send("crew", {"started": app.plugin})
    """
    await serve(conf(receiver), plugins={"telling": source})
    (got,) = await receiver.until_got(1)
    assert (got.path, got.json()) == ("/crew", {"started": "telling"})


async def test_it_is_kept_with_the_request_that_led_to_it(serve: Serve, receiver: Receiver) -> None:
    text = f"{conf(receiver)}[journal]\nrecord = all\n"
    served = await serve(text, plugins={"sending": SENDING})
    sent = await served.store.deliveries.get(await send(served))
    assert sent is not None
    assert sent.request_id is not None
    record = await served.store.requests.get(sent.request_id)
    assert record is not None
    assert record.hook == "cloud_function send"


async def test_a_hook_can_ask_which_webhooks_there_are(serve: Serve, receiver: Receiver) -> None:
    served = await sending(serve, receiver)
    answer = await served.webhook("/functions/names", {})
    assert answer == {"success": [["shop", "crew"], "<Webhooks>"]}


@pytest.mark.parametrize("status", [200, 202, 204, 299])
async def test_any_success_is_one(serve: Serve, receiver: Receiver, status: int) -> None:
    served = await sending(serve, receiver)
    receiver.will_say("/shop", status)
    done = await ended(served, await send(served))
    assert (done.state, done.attempts) == ("done", 1)


async def test_every_attempt_has_the_same_id_and_body_and_a_signature_of_its_own(
    serve: Serve, receiver: Receiver
) -> None:
    served = await sending(serve, receiver, secret=KEY, retry="1s, 1s, 1s")
    receiver.will_say("/shop", 500, 404)
    delivery_id = await send(served, event="order.paid")
    attempts = await receiver.until_got(3)
    assert {one.headers["webhook-id"] for one in attempts} == {delivery_id}
    assert len({one.body for one in attempts}) == 1
    for one in attempts:
        Webhook(KEY).verify(one.body, dict(one.headers))
    times = [int(one.headers["webhook-timestamp"]) for one in attempts]
    assert times == sorted(set(times))
    done = await ended(served, delivery_id)
    assert (done.state, done.attempts) == ("done", 3)
    assert errors(done) == ["answered 500", "answered 404"]


@pytest.mark.parametrize("status", [429, 503, 502])
@pytest.mark.parametrize(
    ("asked", "waited"),
    [
        ("7000", 7000),
        ("0", 3600),
        ("99999999999", 86_400),
        ("a date", 7000),
        ("Wed, 21 Oct 2015 07:28:00 GMT", 3600),
        ("soon", 3600),
    ],
)
async def test_a_receiver_is_left_alone_for_at_least_as_long_as_it_asks(
    serve: Serve, receiver: Receiver, status: int, asked: str, waited: int
) -> None:
    served = await sending(serve, receiver)
    if asked == "a date":
        asked = format_datetime(clock.utc_now() + timedelta(seconds=7000), usegmt=True)
    receiver.will_say("/shop", Says(status, {"Retry-After": asked}), 500)
    failed = await ended(served, await send(served))
    assert errors(failed)[0] == f"answered {status}"
    assert failed.state == "ready"
    wait = (failed.due_at - moments.of(clock.utc_now())) / 1000
    assert waited - 120 < wait <= waited


async def test_a_receiver_that_is_gone_is_sent_it_no_more(serve: Serve, receiver: Receiver) -> None:
    served = await sending(serve, receiver)
    receiver.will_say("/shop", Says(410, {"Retry-After": "1"}))
    dead = await ended(served, await send(served))
    assert (dead.state, dead.attempts) == ("dead", 1)
    assert errors(dead) == ["answered 410: the receiver wants no more of them"]


async def test_a_redirect_is_not_followed(serve: Serve, receiver: Receiver) -> None:
    served = await sending(serve, receiver)
    receiver.will_say("/shop", Says(302, {"Location": "/crew"}))
    failed = await ended(served, await send(served))
    assert (failed.state, errors(failed)) == (
        "ready",
        ["answered 302: redirects are not followed"],
    )
    assert receiver.of("/crew") == []


async def test_a_receiver_that_does_not_answer_in_time_gets_it_again(
    serve: Serve, receiver: Receiver
) -> None:
    served = await sending(serve, receiver, timeout=0.3, retry="1s")
    receiver.will_say("/shop", Says(0))
    delivery_id = await send(served)
    assert errors(await ended(served, delivery_id)) == ["no answer within 0.3 s"]
    await receiver.until_got(2)


async def test_a_silent_receiver_holds_up_no_other(serve: Serve, receiver: Receiver) -> None:
    text = conf(receiver, timeout=1).replace("poll", "concurrency = 2\npoll")
    served = await serve(text, plugins={"sending": SENDING})
    receiver.will_say("/shop", *[Says(0)] * 6)
    silent = [await send(served) for _ in range(6)]
    await send(served, name="crew")
    failed = [await ended(served, one) for one in silent]
    # Whoever is not sent waits for its next attempt as one that has failed.
    assert {one.state for one in failed} == {"ready"}
    words = [error for one in failed for error in errors(one)]
    not_sent = "not sent: the receiver gave no answer before, and is being asked again"
    assert set(words) == {"no answer within 1 s", not_sent}
    assert len(receiver.of("/shop")) == words.count("no answer within 1 s")
    await served.until_idle()
    assert len(receiver.of("/crew")) == 1


async def test_a_receiver_that_answers_again_gets_everything(
    serve: Serve, receiver: Receiver
) -> None:
    served = await sending(serve, receiver, timeout=0.3, retry="1s, 1s, 1s, 1s")
    receiver.will_say("/shop", *[Says(0)] * 3)
    sent = [await send(served) for _ in range(6)]
    async with asyncio.timeout(20):
        for one in sent:
            while (await ended(served, one)).state != "done":
                await asyncio.sleep(0.01)
    assert {one.headers["webhook-id"] for one in receiver.got} == set(sent)


async def test_a_receiver_that_does_not_listen_is_told_of_without_the_path(
    serve: Serve,
) -> None:
    nobody = Receiver()
    nobody.origin = f"http://127.0.0.1:{closed_port()}"
    served = await sending(serve, nobody)
    failed = await ended(served, await send(served))
    assert failed.state == "ready"
    (error,) = errors(failed)
    assert error.startswith("no connection: ")
    assert "shop" not in error


async def test_what_was_never_taken_is_dead_until_it_is_redriven(
    serve: Serve, receiver: Receiver
) -> None:
    served = await sending(serve, receiver, retry="1s")
    receiver.will_say("/shop", 500, 500)
    delivery_id = await send(served)
    await receiver.until_got(2)
    async with asyncio.timeout(10):
        while (await ended(served, delivery_id)).state != "dead":
            await asyncio.sleep(0.005)
    (line,) = served.logged("delivery is dead, `deliveries` shows and redrives it")
    assert vars(line)["cause"] == "answered 500"
    assert await served.store.deliveries.redrive(kind="webhook") == 1
    attempts = await receiver.until_got(3)
    assert {one.headers["webhook-id"] for one in attempts} == {delivery_id}
    await served.until_idle()
    assert (await ended(served, delivery_id)).state == "done"


async def test_those_with_one_key_arrive_in_order_and_hold_up_no_other(
    serve: Serve, receiver: Receiver
) -> None:
    served = await sending(serve, receiver)
    receiver.will_say("/shop", 500)
    first = await send(served, payload="a1", key="a")
    await ended(served, first)
    await send(served, payload="a2", key="a")
    for params in (
        {"payload": "b1", "key": "b"},
        {"payload": "none"},
        {"name": "crew", "payload": "crew a1", "key": "a"},
    ):
        await send(served, **params)
    await receiver.until_got(4)
    await served.until_idle()
    told = [one.json() for one in receiver.got]
    assert told[0] == "a1"
    assert sorted(told[1:]) == ["b1", "crew a1", "none"]
    await served.store.deliveries.retry(first)
    await receiver.until_got(6)
    assert [one.json() for one in receiver.got[4:]] == ["a1", "a2"]


async def test_a_restart_loses_nothing(serve: Serve, receiver: Receiver) -> None:
    served = await sending(serve, receiver, retry="1s", secret=KEY)
    receiver.will_say("/shop", 503)
    delivery_id = await send(served)
    await ended(served, delivery_id)
    await served.server.stop()
    assert len(receiver.got) == 1
    await served.again()
    again = (await receiver.until_got(2))[1]
    Webhook(KEY).verify(again.body, dict(again.headers))
    assert again.headers["webhook-id"] == delivery_id
    await served.until_idle()
    assert (await ended(served, delivery_id)).state == "done"


async def test_a_stop_in_the_middle_of_an_attempt_is_one_more_attempt(
    serve: Serve, receiver: Receiver
) -> None:
    drain = "[server]\ndrain_timeout = 0.1\n"
    served = await serve(f"{conf(receiver)}{drain}", plugins={"sending": SENDING})
    receiver.will_say("/shop", Says(0))
    delivery_id = await send(served)
    await receiver.until_got(1)
    await served.server.stop()
    await served.again()
    assert [one.headers["webhook-id"] for one in await receiver.until_got(2)] == [delivery_id] * 2


async def test_an_unknown_name_is_an_error_at_once(serve: Serve, receiver: Receiver) -> None:
    served = await sending(serve, receiver)
    for function in ("send", "sendPlainly"):
        assert await refused(served, function, name="shoop") == (
            "there is no webhook 'shoop'; a section [webhook:NAME] makes one. Known: shop, crew"
        )


async def test_a_receiver_that_is_taken_out_of_the_conf_gets_it_once_it_is_back(
    serve: Serve, receiver: Receiver
) -> None:
    served = await sending(serve, receiver)
    receiver.will_say("/shop", 500)
    delivery_id = await send(served)
    await ended(served, delivery_id)
    await served.server.stop()
    text = served.conf.read_text()
    served.conf.write_text(text.replace("[webhook:shop]", "[webhook:other]"))
    await served.again()
    await served.store.deliveries.retry(delivery_id)
    async with asyncio.timeout(10):
        while len(failed := errors(await ended(served, delivery_id))) < 2:
            await asyncio.sleep(0.005)
    assert failed == ["answered 500", "the conf has no section [webhook:shop] now"]
    await served.server.stop()
    served.conf.write_text(text.replace("retry = 1h", "retry = 1h, 1h, 1h"))
    await served.again()
    await served.store.deliveries.retry(delivery_id)
    assert len(await receiver.until_got(2)) == 2


async def test_what_is_sent_before_a_save_is_sent_with_it_or_not_at_all(
    serve: Serve, receiver: Receiver
) -> None:
    served = await sending(serve, receiver)
    refusal = await served.webhook("/functions/save", {"params": {"total": -1}})
    assert refusal == {"error": "An order costs something"}
    failure = await served.webhook(
        "/functions/save", {"params": {"total": 3, "objectId": "not a field"}}
    )
    assert "error" in failure
    assert await served.store.deliveries.find() == []
    answer = await served.webhook("/functions/save", {"params": {"total": 5}})
    assert answer["success"]["total"] == 5
    await receiver.until_got(2)
    told: list[Mapping[str, Any]] = [one.json() for one in receiver.got]
    assert sorted(told, key=str) == [{"plainly": 5}, {"total": 5}]


@pytest.mark.parametrize(
    ("params", "problem"),
    [
        ({"payload": "bytes"}, "its payload: value is a bytes, which JSON cannot carry"),
        ({"payload": "large"}, "its payload is larger than 1 MiB"),
        ({"payload": {"password": "x"}}, "its payload holds a secret"),
        ({"payload": {"deep": ["r:" + "a" * 32]}}, "its payload holds a secret"),
        ({"payload": ["test-key"]}, "its payload holds a secret"),
        ({"payload": ["MfKQ", KEY]}, "its payload holds a secret"),
        ({"event": "test-key"}, "its payload holds a secret"),
        ({"event": ""}, "an event is a text, not ''"),
        ({"event": "number"}, "an event is a text, not 1"),
        ({"key": "number"}, "a key is a text, not 1"),
        ({"key": f"for {KEY}"}, "its key is a secret, which the database must not have"),
    ],
)
async def test_what_cannot_be_kept_is_refused_at_once(
    serve: Serve, receiver: Receiver, params: dict[str, Any], problem: str
) -> None:
    served = await sending(serve, receiver, secret=KEY)
    words = await refused(served, **params)
    assert words.startswith(f"webhook shop cannot be sent: {problem}")
    assert KEY not in words
    assert receiver.got == []
