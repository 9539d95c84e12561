"""Neither log nor database has a receiver's address or the key its webhooks are signed with."""

import asyncio
import base64
import sqlite3
from pathlib import Path
from urllib.parse import quote

import orjson
import pytest

from tests.canary import check, talkative_server
from tests.receiver import Receiver, Says, closed_port
from tests.serving import Answer, read_answer, write_conf

USER, PASSWORD = "CANARY-user-0123456789", 'CANARY/pass"é'
PATH, QUERY = "CANARY-path-0123456789", "CANARY-query-0123456789"
KEY = f"whsec_{base64.b64encode(b'CANARY-key-0123456789-24').decode()}"
TEXT = "CANARY-text-é 7"
CANARIES = (USER, PASSWORD, PATH, QUERY, KEY, TEXT, "CANARY-answer-8")
CONF = """
[server]
mode = development

[log]
format = {format}
level = debug

[dialect:parse]
webhook_key = test-key

[webhook:signed]
url = {url}
secret = {key}
timeout = 0.5

[webhook:plain]
url = {url}&second=1
secret = {text}
timeout = 0.5

[webhook:nobody]
url = {nowhere}
secret = {key}

[deliveries]
retry = 1s
poll = 0.05
"""
TALKING = """
    import asyncio
    from tornado_cc import Plugin

    plugin = Plugin("talking")

    @plugin.cloud_function("talk")
    async def talk(call):
        call.log.info("%r %s %r", call.webhooks, call.webhooks, call.webhooks.names)
        call.log.info("told %s %r", call.params["wrong"], call.request.body)
        for name in call.webhooks.names:
            for n in range(4):
                await call.webhooks.send(name, {"n": n}, key=str(n % 2), event="talk")
        for wrong in call.params["wrong"]:
            try:
                await call.webhooks.send("signed", wrong)
            except ValueError as error:
                call.log.warning("refused", exc_info=error, extra={"error": error})
            asyncio.create_task(call.webhooks.send("nowhere", wrong))
        await asyncio.sleep(0)
        raise ValueError(call.webhooks)

    @plugin.cloud_function("talkPlainly")
    def talk_plainly(call):
        call.log.info("%r", vars(type(call.webhooks)))
        return call.webhooks.send("signed", call.params["wrong"][0])
"""


async def talk(port: int) -> list[bytes]:
    """Send webhooks, and try to send what is secret; returns what the server answered."""
    wrong = [[KEY], {"to": PATH}, {"x": QUERY}, f"{PASSWORD} {TEXT}"]
    answers = [
        await _post(port, name, {"params": {"wrong": wrong}}) for name in ("talk", "talkPlainly")
    ]
    return [one.body for one in answers]


async def _post(port: int, name: str, body: object) -> Answer:
    data = orjson.dumps(body)
    head = (
        f"POST /webhooks/functions/{name} HTTP/1.1\r\nHost: x\r\nX-Parse-Webhook-Key: test-key\r\n"
        f"Content-Length: {len(data)}\r\n\r\n"
    )
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    writer.write(head.encode() + data)
    try:
        return await read_answer(reader)
    finally:
        writer.close()


@pytest.mark.parametrize("form", ["json", "human"])
async def test_no_address_and_no_key_is_ever_written(
    tmp_path: Path, form: str, receiver: Receiver
) -> None:
    path = f"/{PATH}"
    location = {"Location": f"/CANARY-answer-8?{QUERY}", "X-Why": "CANARY-answer-8"}
    body = b"CANARY-answer-8 does not know you"
    receiver.will_say(path, Says(302, location), Says(500, location, body), Says(0))
    receiver.will_say(path, Says(410, body=body), Says(401, body=body), Says(200, body=body))
    credentials = f"{quote(USER)}:{quote(PASSWORD, safe='')}@"
    there = f"{credentials}{receiver.origin.removeprefix('http://')}{path}?key={QUERY}"
    nowhere = f"http://{credentials}127.0.0.1:{closed_port()}{path}?key={QUERY}"
    text = CONF.format(format=form, url=f"http://{there}", nowhere=nowhere, key=KEY, text=TEXT)
    conf = write_conf(tmp_path, text, {"talking": TALKING})
    log = tmp_path / "log"
    with talkative_server(conf, log) as port:
        answers = await asyncio.to_thread(lambda: asyncio.run(talk(port)))
        async with asyncio.timeout(20):
            while "delivery is dead" not in log.read_text() or len(receiver.got) < 9:
                await asyncio.sleep(0.05)
    written = log.read_text()
    for sign in ("answered 302", "answered 410", "no connection", "no answer", "[redacted]"):
        assert sign in written, f"the run should have logged {sign}"
    check(f"{written}\n{dump(tmp_path)}", answers, CANARIES)
    assert "v1," not in written
    signed = {one.headers["webhook-signature"] for one in receiver.got}
    assert not any(one.partition(",")[2] in written for one in signed)


def dump(folder: Path) -> str:
    """Everything in the database, and whatever else its files hold."""
    (file,) = folder.glob("*.db")
    connection = sqlite3.connect(file)
    statements = "\n".join(connection.iterdump())
    connection.close()
    raw = b"".join(path.read_bytes() for path in sorted(folder.glob("*.db*")))
    return statements + raw.decode("utf-8", "replace")
