"""Mail: promised by a hook, handed over by the outbox, to a mail server on a real socket."""

import asyncio
import base64
from typing import Any

import pytest

from tests.mailserver import MailBox
from tests.receiver import closed_port
from tests.serving import PARSE, Serve, Served
from tornado_cc.store.deliveries import Delivery

SENDING = """
import base64
from tornado_cc import Plugin, Refusal

plugin = Plugin("sending")

@plugin.cloud_function("send")
async def send(call):
    try:
        return await call.mail.send(**call.params)
    except ValueError as error:
        raise Refusal(str(error))

@plugin.cloud_function("sendAsParse")
async def send_as_parse(call):
    try:
        return await call.mail.send(dict(call.params))
    except ValueError as error:
        raise Refusal(str(error))

@plugin.cloud_function("sendPlainly")
def send_plainly(call):
    return call.mail.send(**call.params)

@plugin.cloud_function("sendFile")
async def send_file(call):
    content = base64.b64decode(call.params["content"])
    file = {"name": "a.bin", "type": "application/octet-stream", "content": content}
    try:
        return await call.mail.send(to="b@example.com", text="x", attachments=[file])
    except ValueError as error:
        raise Refusal(str(error))

@plugin.cloud_function("about")
async def about(call):
    return [call.mail.is_on, repr(call.mail)]

@plugin.cloud_function("save")
async def save(call):
    return await call.store.objects("Order").create(call.params)

@plugin.before_save("Order")
async def tell(call):
    await call.mail.send(to="b@example.com", subject="async", text=str(call.object["total"]))
    if call.object["total"] < 0:
        raise Refusal("An order costs something")

@plugin.before_save("Order")
def tell_plainly(call):
    call.mail.send(to="b@example.com", subject="plain", text=str(call.object["total"]))
"""
HI = {"to": "b@example.com", "subject": "Hi", "text": "Hello"}


def conf(url: str, *, retry: str = "1h", more: str = "", deliveries: str = "") -> str:
    return (
        f"{PARSE}\n[mail]\nurl = {url}\nsender = Shop <shop@example.com>\n{more}\n"
        f"[deliveries]\nretry = {retry}\njitter = 0\npoll = 0.05\n{deliveries}\n"
    )


async def sending(serve: Serve, url: str, **options: Any) -> Served:
    return await serve(conf(url, **options), plugins={"sending": SENDING})


async def ask(served: Served, function: str = "send", **params: Any) -> dict[str, Any]:
    answer: dict[str, Any] = await served.webhook(f"/functions/{function}", {"params": params})
    return answer


async def send(served: Served, function: str = "send", **params: Any) -> str:
    """Have a mail sent, and return the id of its delivery."""
    return str((await ask(served, function, **{**HI, **params}))["success"])


async def refused(served: Served, function: str = "send", **params: Any) -> str:
    """The words with which it is not sent."""
    answer = await ask(served, function, **params)
    assert await served.store.deliveries.find() == []
    return str(answer["error"])


async def ended(served: Served, delivery_id: str, attempts: int = 1) -> Delivery:
    """A delivery, once so many attempts have ended."""
    async with asyncio.timeout(15):
        while True:
            one = await served.store.deliveries.get(delivery_id)
            assert one is not None
            if one.state == "done" or (one.state != "running" and len(one.failures) >= attempts):
                return one
            await asyncio.sleep(0.005)


def errors(delivery: Delivery) -> list[str]:
    return [failure["error"] for failure in delivery.failures]


async def test_it_arrives_and_is_done(serve: Serve, mail_box: MailBox) -> None:
    served = await sending(serve, mail_box.at())
    delivery_id = await send(served, subject="Zoë", cc=["c@example.com"])
    (letter,) = await mail_box.until_got(1)
    assert (letter.sender, letter.recipients) == (
        "shop@example.com",
        ["b@example.com", "c@example.com"],
    )
    message = letter.message
    assert (message["From"], message["To"]) == ("Shop <shop@example.com>", "b@example.com")
    assert (message["Subject"], letter.text.strip()) == ("Zoë", "Hello")
    assert message["Message-ID"] == f"<{delivery_id.lower()}@example.com>"
    done = await ended(served, delivery_id)
    facts = (done.state, done.kind, done.plugin, done.target, done.lane, done.attempts)
    assert facts == ("done", "mail", "sending", "mail", None, 1)


async def test_parse_names_its_options_so(serve: Serve, mail_box: MailBox) -> None:
    served = await sending(serve, mail_box.at())
    said = {"from": "Example <test@example.com>", "to": "contact@example.com", "subject": "Test"}
    await ask(served, "sendAsParse", **said, text="This email is a test.", replyTo="r@example.com")
    await ask(served, "send", **said, text="This email is a test.", replyTo="r@example.com")
    for letter in await mail_box.until_got(2):
        assert letter.message["From"] == "Example <test@example.com>"
        assert letter.message["Reply-To"] == "r@example.com"


async def test_a_plain_function_sends_without_await(serve: Serve, mail_box: MailBox) -> None:
    served = await sending(serve, mail_box.at())
    await send(served, "sendPlainly")
    await mail_box.until_got(1)


async def test_a_plugin_may_mail_that_it_has_started(serve: Serve, mail_box: MailBox) -> None:
    source = """
    from tornado_cc import Plugin

    plugin = Plugin("telling")

    @plugin.on_start
    async def started(app):
        await app.mail.send(to="b@example.com", subject="started", text=app.plugin)
    """
    await serve(conf(mail_box.at()), plugins={"telling": source})
    (letter,) = await mail_box.until_got(1)
    assert letter.text.strip() == "telling"


async def test_in_a_before_hook_it_goes_with_the_object_or_not_at_all(
    serve: Serve, mail_box: MailBox
) -> None:
    served = await sending(serve, mail_box.at())
    assert "error" in await ask(served, "save", total=-1)
    assert await served.store.deliveries.find() == []
    assert "success" in await ask(served, "save", total=5)
    letters = await mail_box.until_got(2)
    assert {one.message["Subject"] for one in letters} == {"async", "plain"}
    assert {one.text.strip() for one in letters} == {"5"}


async def test_it_is_tried_again_as_the_same_mail(serve: Serve, mail_box: MailBox) -> None:
    served = await sending(serve, mail_box.at(), retry="1s, 1s, 1s")
    mail_box.will_say("RCPT b@example.com", "450 try later")
    mail_box.will_say("DATA", "drop")
    delivery_id = await send(served)
    (letter,) = await mail_box.until_got(1)
    done = await ended(served, delivery_id)
    assert (done.state, done.attempts) == ("done", 3)
    assert errors(done)[0] == "the server refused b@example.com: 450 try later"
    assert errors(done)[1].startswith("the connection broke")
    assert letter.message["Message-ID"] == f"<{delivery_id.lower()}@example.com>"


async def test_one_that_is_refused_for_good_is_dead_at_once_and_can_be_redriven(
    serve: Serve, mail_box: MailBox
) -> None:
    served = await sending(serve, mail_box.at())
    mail_box.will_say("RCPT b@example.com", "550 5.1.1 who is b? We know test-key")
    dead = await ended(served, await send(served))
    assert (dead.state, dead.attempts) == ("dead", 1)
    assert errors(dead) == [
        "the server refused b@example.com: 550 5.1.1 who is b? We know [redacted]"
    ]
    assert mail_box.got == []
    assert await served.store.deliveries.redrive(kind="mail", notice=lambda count: None) == 1
    await mail_box.until_got(1)


async def test_a_silent_server_holds_up_nothing_else(serve: Serve, mail_box: MailBox) -> None:
    served = await sending(serve, mail_box.at(), more="timeout = 1", deliveries="concurrency = 2")
    mail_box.will_say("MAIL", *["wait"] * 6)
    ids = [await send(served) for _ in range(6)]
    failed = [await ended(served, one) for one in ids]
    said = {error for one in failed for error in errors(one)}
    not_sent = "not sent: the mail server gave no answer before, and is being asked again"
    assert said == {"no answer within 1 s", not_sent}


async def test_what_is_promised_survives_a_restart(serve: Serve, mail_box: MailBox) -> None:
    served = await serve(
        conf(f"smtp://127.0.0.1:{closed_port()}", retry="1s, 1s, 1s, 1s"),
        plugins={"sending": SENDING},
    )
    delivery_id = await send(served)
    failed = await ended(served, delivery_id)
    assert errors(failed)[0].startswith("no connection: ")
    await served.server.stop()
    served.conf.write_text(
        served.conf.read_text().replace("[mail]\nurl = ", f"[mail]\nurl = {mail_box.at()}\n#")
    )
    await served.again()
    await mail_box.until_got(1)
    assert (await ended(served, delivery_id)).state == "done"


async def test_without_a_section_for_it_the_call_says_so(serve: Serve) -> None:
    served = await serve(plugins={"sending": SENDING})
    assert await refused(served, **HI) == (
        "mail cannot be sent: the conf says nowhere where to; set [mail] url"
    )
    assert await ask(served, "about") == {"success": [False, "<Mail>"]}


async def test_a_mail_that_waits_when_the_section_goes_fails(
    serve: Serve, mail_box: MailBox
) -> None:
    mail_box.will_say("MAIL", "450 no")
    served = await sending(serve, mail_box.at(), retry="1s, 1h")
    delivery_id = await send(served)
    await ended(served, delivery_id)
    await served.server.stop()
    served.conf.write_text(served.conf.read_text().replace("\nurl = smtp:", "\n# smtp:"))
    await served.again()
    failed = await ended(served, delivery_id, 2)
    assert errors(failed)[1] == "the conf has no [mail] url now"


@pytest.mark.parametrize(
    ("params", "words"),
    [
        ({"to": "b"}, "to: 'b' is no mail address; write it as"),
        ({**HI, "subject": "a\nBcc: c@d.de"}, "subject has a line break"),
        ({**HI, "body": "x"}, "there is no option 'body'; there are from, to, cc, bcc, reply_to"),
        ({**HI, "from": "a@b.de", "from_": "a@b.de"}, "from is given twice"),
        ({**HI, "to": ["b@c.de"] * 3 + [f"b{n}@c.de" for n in range(51)]}, "it goes to 52 addr"),
        ({**HI, "text": "x" * 2000}, "it has 2,000 bytes, and [mail] max_size is 1,024"),
        ({**HI, "text": "your key is test-key"}, "it holds a secret of the settings"),
        ({**HI, "subject": "r:" + "0" * 32}, "it holds a secret of the settings, or a session's"),
        ({**HI, "html": "x=tcc_" + "a" * 43}, "it holds a secret of the settings, or a session's"),
    ],
)
async def test_what_cannot_be_sent_is_refused_at_the_call(
    serve: Serve, mail_box: MailBox, params: dict[str, Any], words: str
) -> None:
    served = await sending(serve, mail_box.at(), more="max_size = 1 KiB")
    assert (await refused(served, **params)).startswith(f"mail cannot be sent: {words}")


async def test_an_attachment_with_a_secret_is_refused_too(serve: Serve, mail_box: MailBox) -> None:
    served = await sending(serve, mail_box.at())
    content = base64.b64encode(b"\xff\0 test-key").decode()
    error = await refused(served, "sendFile", content=content)
    assert error.startswith("mail cannot be sent: it holds a secret")
    assert "success" in await ask(served, "sendFile", content="AAD/")
    (letter,) = await mail_box.until_got(1)
    (file,) = letter.message.iter_attachments()
    assert file.get_content() == b"\0\0\xff"


async def test_without_a_sender_a_mail_has_to_say_whom_it_is_from(
    serve: Serve, mail_box: MailBox
) -> None:
    text = conf(mail_box.at()).replace("sender =", "# sender")
    served = await serve(text, plugins={"sending": SENDING})
    assert await refused(served, **HI) == (
        "mail cannot be sent: it has no from, and the conf no [mail] sender"
    )


@pytest.mark.parametrize(
    ("mode", "text"), [("development", "Hello"), ("production", "(5 characters)")]
)
async def test_the_console_shows_what_a_mail_says_in_development_only(
    serve: Serve, mode: str, text: str
) -> None:
    key = "Zx8-k9s2-41Lm"
    said = conf("console:").replace("test-key", key) + f"[server]\nmode = {mode}\n"
    served = await serve(said, plugins={"sending": SENDING})
    body = {"params": {**HI, "bcc": "hidden@example.com"}}
    await served.webhook("/functions/send", body, {"X-Parse-Webhook-Key": key})
    async with asyncio.timeout(10):
        while not (lines := served.logged("mail")):
            await asyncio.sleep(0.01)
    facts = vars(lines[0])
    assert (facts["from"], facts["to"]) == ("Shop <shop@example.com>", "b@example.com")
    assert (facts["bcc"], facts["subject"], facts["text"]) == ("hidden@example.com", "Hi", text)


CARRYING = """
import asyncio
from tornado_cc import Plugin, Refusal

plugin = Plugin("carrying")
seen = []

@plugin.send_mail
{async_}def carry(call):
    seen.append([call.attempt, call.delivery_id, dict(call.message)])
    said = call.message["subject"]
    if said == "never":
        raise Refusal("the service does not know test-key")
    if said == "fails" and call.attempt == 1:
        raise RuntimeError("no")
    if said == "again":
        {await_}call.mail.send(to="b@example.com", text="x")

@plugin.cloud_function("seen")
async def what_was_seen(call):
    return seen
"""


@pytest.mark.parametrize(("async_", "await_"), [("async ", "await "), ("", "")])
async def test_a_plugin_may_hand_mail_over(serve: Serve, async_: str, await_: str) -> None:
    carrying = CARRYING.format(async_=async_, await_=await_)
    served = await serve(
        conf("plugin:carrying", retry="1s"), plugins={"sending": SENDING, "carrying": carrying}
    )
    file = {"name": "a.txt", "type": "text/plain", "content": "YWJj"}
    delivery_id = await send(served, bcc="c@example.com", attachments=[file])
    assert (await ended(served, delivery_id)).state == "done"
    ((attempt, seen_id, message),) = (await ask(served, "seen"))["success"]
    assert (attempt, seen_id) == (1, delivery_id)
    assert message == {
        "from": {"name": "Shop", "address": "shop@example.com"},
        "to": [{"name": "", "address": "b@example.com"}],
        "cc": [],
        "bcc": [{"name": "", "address": "c@example.com"}],
        "reply_to": [],
        "subject": "Hi",
        "text": "Hello",
        "html": None,
        "attachments": [file],
    }
    dead = await ended(served, await send(served, subject="never"))
    assert (dead.state, dead.attempts) == ("dead", 1)
    assert errors(dead) == ["the service does not know [redacted]"]
    done = await ended(served, await send(served, subject="fails"), 2)
    assert (done.state, done.attempts) == ("done", 2)
    failed = await ended(served, await send(served, subject="again"))
    assert "by what is sending one, it would never end" in errors(failed)[0]
    assert "send_mail carrying (carrying)" in served.fired
