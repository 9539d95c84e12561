"""Neither log nor database has the password of a mail server, or what a mail must not say."""

import asyncio
from pathlib import Path
from urllib.parse import quote

import orjson
import pytest

from tests.canary import check, talkative_server
from tests.mailserver import MailServers, authenticator
from tests.server.test_canary_webhooks import dump
from tests.serving import Answer, read_answer, write_conf

USER, PASSWORD, KEY = "CANARY-user-0123456789", 'CANARY/p@ss"é', "CANARY-key-42"
CANARIES = (USER, PASSWORD, KEY, "CANARY-body")
CONF = """
[server]
mode = development

[log]
format = {format}
level = debug

[dialect:parse]
webhook_key = test-key

[mail]
url = {url}
sender = Shop <shop@example.com>
timeout = 2

[plugin:talking]
key = CANARY-key-42

[deliveries]
retry = 1s
poll = 0.05
"""
TALKING = """
    import base64
    from tornado_cc import Plugin, SecretText, Settings

    class Own(Settings):
        key: SecretText

    plugin = Plugin("talking", settings=Own)

    @plugin.cloud_function("talk")
    async def talk(call):
        call.log.info("%r %s", call.mail, call.mail)
        for n in range(3):
            await call.mail.send(to="b@example.com", subject=f"n {n}", text="fine")
        key = call.settings.key.reveal()
        file = {"name": "a", "type": "text/plain", "content": f"é {key}".encode()}
        for wrong in ({"subject": key}, {"text": f"x{key}x"}, {"html": key},
                      {"to": {"name": key, "address": "b@example.com"}}, {"attachments": [file]}):
            try:
                await call.mail.send(**{"to": "b@example.com", "text": "x", **wrong})
            except ValueError as error:
                call.log.warning("refused", exc_info=error, extra={"error": error})
            else:
                raise AssertionError("a secret was let through")
        raise ValueError(call.mail)
"""


async def talk(port: int) -> list[bytes]:
    """Have mail sent, and tried to be; returns what the server answered."""
    body = orjson.dumps({"params": {}})
    head = (
        "POST /webhooks/functions/talk HTTP/1.1\r\nHost: x\r\nX-Parse-Webhook-Key: test-key\r\n"
        f"Content-Length: {len(body)}\r\n\r\n"
    )
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    writer.write(head.encode() + body)
    try:
        answer: Answer = await read_answer(reader)
        return [answer.body]
    finally:
        writer.close()


@pytest.mark.parametrize("form", ["json", "human"])
async def test_no_password_of_a_mail_server_is_ever_written(
    tmp_path: Path, form: str, mail_servers: MailServers
) -> None:
    box = await mail_servers.start(
        auth_required=True, auth_require_tls=False, authenticator=authenticator
    )
    url = box.at(credentials=f"{quote(USER)}:{quote(PASSWORD, safe='')}@")
    conf = write_conf(tmp_path, CONF.format(format=form, url=url), {"talking": TALKING})
    log = tmp_path / "log"
    with talkative_server(conf, log) as port:
        answers = await asyncio.to_thread(lambda: asyncio.run(talk(port)))
        async with asyncio.timeout(20):
            while "delivery is dead" not in log.read_text():
                await asyncio.sleep(0.05)
    written = log.read_text()
    for sign in ("the log-in was refused: it answered 535", "it holds a secret", "<Mail>"):
        assert sign in written, f"the run should have logged {sign}"
    check(f"{written}\n{dump(tmp_path)}", answers, CANARIES)
    assert box.got == []
