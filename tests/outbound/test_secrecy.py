"""Credentials and query of an address are shown nowhere, whatever goes wrong."""

import asyncio
import logging
import traceback
from collections.abc import Iterator
from pathlib import Path

import orjson
import pytest

from tests.canary import talkative_server
from tests.outbound.conftest import Opened, Wired
from tests.outbound.wire import Reply, answer, hang, reset, say
from tests.serving import read_answer, write_conf
from tornado_cc.outbound import OutboundError

# Tracebacks quote lines of this file, so the tests themselves must not spell it.
SECRET = "CANARY"
NONSENSE = say(b"nonsense\r\n\r\n")
CHUNKS = say(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n")
LOST = answer(b"", "Location: ftp://CANARY:CANARY@x/?CANARY", status="302 Found")
REFUSED = answer(b"CANARY", "Set-Cookie: CANARY=1", status="403 Forbidden")
REPLIES: dict[str, Reply] = {
    "reset": reset,
    "nonsense": NONSENSE,
    "chunks": CHUNKS,
    "hang": hang,
    "lost": LOST,
    "refused": REFUSED,
}
SENSELESS = [
    "http://CANARY:CANARY@x:81/?CANARY",
    "http://user:CANARY/a",
    "http://user:CANARY/x@example.org/",
    "http://user:CANARY#x@example.org/",
    "http://user:CANARY@[x/",
    "http://user:CANARY@ex\u2100mple.org/",
    "http://user:CANARY@a..b/?CANARY",
    "http://user:CANARY@example.org/?CANARY=\udcff",
    "ftp://user:CANARY@example.org/?CANARY",
    "user:CANARY@example.org",
    "mailto:CANARY@example.org",
    "http://user:CANARY@exam ple/",
    b"http://user:CANARY@example.org/",
    {"url": "CANARY"},
]


def told(error: BaseException | None) -> Iterator[str]:
    """Everything an error and those behind it say, to people and to programs."""
    seen: set[int] = set()
    while error is not None and id(error) not in seen:
        seen.add(id(error))
        yield from (str(error), repr(error), repr(error.args), repr(vars(error)))
        yield "".join(traceback.format_exception(error))
        yield logging.Formatter().formatException((type(error), error, error.__traceback__))
        error = error.__cause__ or error.__context__


@pytest.mark.parametrize("reply", REPLIES.values(), ids=REPLIES)
async def test_no_failure_of_a_request_tells_them(
    opened: Opened, wired: Wired, reply: Reply
) -> None:
    client, wire = await opened(timeout=0.3), await wired(reply)
    url = f"http://{SECRET}-user:{SECRET}-password@{wire.host}/path?token={SECRET}"
    headers = {"X-Key": SECRET}
    with pytest.raises(OutboundError) as caught:
        await client.request(url, headers=headers, body=SECRET, follow_redirects=True)
    assert caught.value.url == f"{wire.url}path"
    for text in told(caught.value):
        assert SECRET not in text


@pytest.mark.parametrize("url", SENSELESS)
async def test_no_refused_address_tells_them(opened: Opened, url: str) -> None:
    client = await opened()
    with pytest.raises(OutboundError) as caught:
        await client.request(url)
    for text in told(caught.value):
        assert SECRET not in text


CONF = """
[server]
mode = development

[log]
format = json
level = debug

[outbound]
timeout = 0.3

[dialect:parse]
webhook_key = test-key
"""
ASKING = """
    import asyncio
    import logging
    from tornado_cc import OutboundError, Plugin

    plugin = Plugin("asking")

    def told(call, error):
        logging.getLogger("shop").error("asked %s %r", error, error, exc_info=error)
        call.log.warning("asked", extra={"error": error, "cause": error.cause, "args_": error.args})
        raise error

    @plugin.cloud_function("ask")
    async def ask(call):
        try:
            return (await call.http.request(call.params["url"], follow_redirects=True)).text
        except OutboundError as error:
            told(call, error)

    @plugin.cloud_function("askInThread")
    def ask_in_thread(call):
        try:
            return call.http.request(call.params["url"], follow_redirects=True).text
        except OutboundError as error:
            told(call, error)

    @plugin.cloud_function("askWithout")
    async def ask_without(call):
        asyncio.create_task(call.http.request(call.params["url"]))
        raise ValueError(await asyncio.gather(
            call.http.request(call.params["url"]), return_exceptions=True))
"""


async def test_a_server_at_level_debug_logs_none_of_them(tmp_path: Path, wired: Wired) -> None:
    conf = write_conf(tmp_path, CONF, {"asking": ASKING})
    log = tmp_path / "log"
    with talkative_server(conf, log) as port:
        answers = [await _ask(port, wired, name) for name in ("ask", "askInThread", "askWithout")]
    written = log.read_text()
    assert "TimeoutExpired" in written
    assert "ResponseError" in written
    assert "CANARY" not in written
    assert "CANARY" not in str(answers)


async def _ask(port: int, wired: Wired, name: str) -> list[bytes]:
    answers = []
    for reply in REPLIES.values():
        wire = await wired(reply)
        url = f"http://CANARY-user:CANARY-password@{wire.host}/path?token=CANARY"
        body = orjson.dumps({"params": {"url": url}})
        head = (
            f"POST /webhooks/functions/{name} HTTP/1.1\r\nHost: x\r\n"
            f"X-Parse-Webhook-Key: test-key\r\nContent-Length: {len(body)}\r\n\r\n"
        )
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        writer.write(head.encode() + body)
        answers.append((await read_answer(reader)).body)
        writer.close()
    return answers
