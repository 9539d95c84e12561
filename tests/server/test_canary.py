"""Nothing the server writes holds a secret, in any spelling, whatever goes wrong."""

import asyncio
from pathlib import Path

import orjson
import pytest

from tests.canary import check, send_malformed, talkative_server
from tests.serving import Answer, read_answer, write_conf

CONF = """
[server]
mode = development

[log]
format = {format}
level = debug

[hooks]
deadline = 0.3

[dialect:parse]
webhook_key = CANARY-key-é"1

[plugin:leaky]
api_key = CANARY-plugin/2
"""
LEAKY = """
    import asyncio, sys, warnings
    from tornado_cc import Plugin, SecretText, Settings

    class Mine(Settings):
        api_key: SecretText

    plugin = Plugin("leaky", settings=Mine)

    @plugin.on_start
    async def start(app):
        app.log.info("settings %s %r %s", app.settings, app.settings, app.settings.api_key)

    @plugin.cloud_function("leak")
    async def leak(call):
        call.log.debug("%s %r %s", call, call.request, call.request.headers)
        call.log.info("user %s body %r", call.user, call.request.body)
        call.log.info("key %s", call.settings.api_key.reveal())
        warnings.warn(str(call.user))
        async def stray():
            raise RuntimeError(call.user["sessionToken"])
        task = asyncio.create_task(stray())
        await asyncio.sleep(0.01)
        del task
        raise ValueError(dict(call.user), call.request.headers["x-parse-session-token"])

    @plugin.cloud_function("leakInThread")
    def leak_in_thread(call):
        sys.exit(call.user["sessionToken"])

    @plugin.cloud_function("slow")
    async def slow(call):
        await asyncio.sleep(5)

    @plugin.cloud_function("unspeakable")
    async def unspeakable(call):
        return {call.user["sessionToken"]: {1, 2}}

    @plugin.before_save("_User")
    async def save(call):
        raise KeyError(call.object["password"])

    @plugin.after_save("_User")
    async def saved(call):
        raise KeyError(call.object["authData"]["site"]["access_token"])
"""
KEY = 'CANARY-key-é"1'
HEADERS = "X-Parse-Session-Token: CANARY-header-3\r\nAuthorization: Bearer CANARY-bearer-4\r\n"
USER = {"objectId": "u1", "username": "matt", "sessionToken": "CANARY token+5"}
SAVED = {
    "className": "_User",
    "username": "matt",
    "password": "CANARY-password-6ü",
    "authData": {"site": {"access_token": "CANARY-auth-7"}},
}
CANARIES = (
    KEY,
    "CANARY-plugin/2",
    "CANARY-header-3",
    "CANARY-bearer-4",
    "CANARY token+5",
    "CANARY-password-6ü",
    "CANARY-auth-7",
    "CANARY-path-8",
    "CANARY-wrong-9",
    "CANARY-query-10",
    "CANARY-malformed-11",
)


async def post(port: int, path: str, body: object, *, key: str = KEY, extra: str = "") -> Answer:
    data = body if isinstance(body, bytes) else orjson.dumps(body)
    head = (
        f"POST {path} HTTP/1.1\r\nHost: x\r\nX-Parse-Webhook-Key: {key}\r\n{HEADERS}{extra}"
        f"Content-Length: {len(data)}\r\n\r\n"
    )
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    writer.write(head.encode() + data)
    try:
        return await read_answer(reader)
    finally:
        writer.close()


async def misbehave(port: int) -> list[bytes]:
    """Everything that could go wrong with a secret at hand; returns what the server answered."""
    said = {"params": {"password": "CANARY-password-6ü"}, "user": USER}
    saved = {"object": SAVED, "user": USER, "headers": {"x-parse-master-key": "CANARY-header-3"}}
    functions = ("leak", "leakInThread", "slow", "unspeakable", "CANARY-path-8")
    answers = [await post(port, f"/webhooks/functions/{name}", said) for name in functions]
    answers += [
        await post(port, "/webhooks/triggers/_User/beforeSave", saved),
        await post(port, "/webhooks/triggers/_User/afterSave", saved),
        await post(port, "/webhooks/functions/leak", said, key="CANARY-wrong-9"),
        await post(port, "/webhooks/functions/leak?token=CANARY-query-10", said),
        await post(port, "/webhooks/functions/leak", b'{"user": "CANARY token+5'),
        await post(port, "/CANARY-path-8/CANARY-query-10", b""),
        await post(port, "/webhooks/functions/leak", said, extra=f"X-Long: {'x' * 20000}\r\n"),
    ]
    malformed = [
        await send_malformed(port, raw)
        for raw in (
            b"POST /CANARY-path-8 HTTP/9.9\r\nHost: x\r\n\r\n",
            b"CANARY-malformed-11\r\n\r\n",
            b"GET / HTTP/1.1\r\nCANARY-malformed-11 no colon\r\n\r\n",
            b"POST /webhooks HTTP/1.1\r\nHost: x\r\nContent-Length: CANARY-malformed-11\r\n\r\n",
            b"POST /webhooks HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: CANARY-malformed-11\r\n\r\n",
            b"POST /webhooks HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\nCANARY-malformed-11\r\n",
        )
    ]
    return [answer.body for answer in answers] + malformed


@pytest.mark.parametrize("form", ["json", "human"])
def test_no_secret_is_ever_written(tmp_path: Path, form: str) -> None:
    conf = write_conf(tmp_path, CONF.format(format=form), {"leaky": LEAKY})
    log = tmp_path / "log"
    with talkative_server(conf, log) as port:
        answers = asyncio.run(misbehave(port))
    written = log.read_text()
    for sign in ("hook fired", "hook failed", "call refused", "malformed", "[redacted]"):
        assert sign in written.replace("Malformed", "malformed"), (
            f"the run should have logged {sign}"
        )
    check(written, answers, CANARIES)
