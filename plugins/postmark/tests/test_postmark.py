"""Mail by Postmark: what it is given, and what its answers do."""

import asyncio
from typing import Any

import orjson
import pytest

from tests.receiver import Receiver, Says
from tests.serving import PARSE, Serve, Served
from tornado_cc.store.deliveries import Delivery

SENDING = """
from tornado_cc import Plugin

plugin = Plugin("sending")

@plugin.cloud_function("send")
async def send(call):
    return await call.mail.send(**call.params)
"""
MAIL: dict[str, Any] = {
    "to": [{"name": 'Ann "A" \\', "address": "ann@example.com"}, "bob@example.com"],
    "subject": "Hi",
    "text": "Hello",
}
TOKEN = "CANARY-token-7"


async def sending(serve: Serve, receiver: Receiver, token: str = f"token = {TOKEN}") -> Served:
    conf = (
        f"{PARSE}\n[mail]\nurl = plugin:postmark\nsender = Shop <shop@example.com>\n"
        f"[plugin:postmark]\nurl = {receiver.at('/email')}\n{token}\n"
        "[deliveries]\nretry = 1h\npoll = 0.05\n"
    )
    return await serve(conf, plugins={"sending": SENDING}, enable="postmark")


async def send(served: Served, **options: Any) -> Delivery:
    """Have a mail sent; its delivery, once an attempt has ended."""
    answer = await served.webhook("/functions/send", {"params": {**MAIL, **options}})
    async with asyncio.timeout(10):
        while True:
            one = await served.store.deliveries.get(answer["success"])
            assert one is not None
            if one.state == "done" or one.failures:
                return one
            await asyncio.sleep(0.005)


def said(code: int, message: str) -> Says:
    """An answer of Postmark that it does not take a mail."""
    body = orjson.dumps({"ErrorCode": code, "Message": message})
    return Says(422, {"Content-Type": "application/json"}, body)


async def test_postmark_is_given_the_mail_in_its_own_terms(
    serve: Serve, receiver: Receiver
) -> None:
    served = await sending(serve, receiver)
    receiver.will_say("/email", Says(200, body=b'{"ErrorCode": 0}'))
    file = {"name": "a.txt", "type": "text/plain", "content": "YWJj"}
    done = await send(served, bcc="c@example.com", attachments=[file])
    assert done.state == "done"
    (got,) = receiver.got
    assert got.headers["x-postmark-server-token"] == TOKEN
    assert got.json() == {
        "From": '"Shop" <shop@example.com>',
        "To": '"Ann \\"A\\" \\\\" <ann@example.com>, bob@example.com',
        "Bcc": "c@example.com",
        "Subject": "Hi",
        "TextBody": "Hello",
        "Attachments": [{"Name": "a.txt", "ContentType": "text/plain", "Content": "YWJj"}],
        "MessageStream": "outbound",
        "Metadata": {"delivery": done.id},
    }


@pytest.mark.parametrize("code", [300, 406])
async def test_a_mail_that_postmark_never_takes_is_a_dead_letter(
    serve: Serve, receiver: Receiver, code: int
) -> None:
    served = await sending(serve, receiver)
    receiver.will_say("/email", said(code, f"not to bob, {TOKEN}"))
    dead = await send(served)
    assert (dead.state, dead.attempts) == ("dead", 1)
    assert [one["error"] for one in dead.failures] == [
        "Postmark does not take it: not to bob, [redacted]"
    ]


@pytest.mark.parametrize("answer", [said(405, "no credits"), Says(401), Says(500), Says(422)])
async def test_what_can_be_mended_is_tried_again(
    serve: Serve, receiver: Receiver, answer: Says
) -> None:
    served = await sending(serve, receiver)
    receiver.will_say("/email", answer)
    assert (await send(served)).state == "ready"


async def test_without_a_token_no_mail_is_handed_over(serve: Serve, receiver: Receiver) -> None:
    served = await sending(serve, receiver, token="")
    failed = await send(served)
    assert failed.state == "ready"
    assert "[plugin:postmark] token is not set" in failed.failures[0]["error"]
    assert receiver.got == []
