"""Neither log nor database has a secret that events are signed with, or a signature."""

import asyncio
import time
from base64 import b64encode
from pathlib import Path

import pytest

from tests.canary import check, talkative_server
from tests.dialects.sources.signing import github, shop, standard, stripe
from tests.server.test_canary_webhooks import dump
from tests.serving import Answer, read_answer, write_conf

STRIPE, OLD = 'CANARY/stripe"é-secret', "CANARY-previous-secret-0"
KEY = f"whsec_{b64encode(b'CANARY-key-0123456789-24').decode()}"
SHOP = "CANARY-of-the-shop-012"
CANARIES = (STRIPE, OLD, KEY, SHOP)
CONF = f"""
[server]
mode = development
[log]
format = {{format}}
level = debug
[journal]
record = all
[source:stripe]
scheme = stripe
secret = {STRIPE}
previous_secret = {OLD}
[source:standard]
scheme = standardwebhooks
secret = {KEY}
[source:shop]
scheme = hmac
secret = {SHOP}
signature_header = X-Shop-Hmac
encoding = base64
[source:github]
scheme = github
secret = {OLD}
"""
LEAKY = """
    from tornado_cc import Plugin
    plugin = Plugin("leaky")

    @plugin.on_callback(source="*")
    async def leak(call):
        call.log.info("%r %r %s", call, call.request.headers, dict(call.request.headers))
        raise ValueError(dict(call.request.headers))
"""


def requests() -> list[tuple[str, dict[str, str], bytes]]:
    """Good events and bad ones of each kind: name, headers, body."""
    now, body = int(time.time()), b'{"id":"evt_1", "said":"no secret"}'
    return [
        ("stripe", stripe(body, secret=STRIPE, at=now), body),
        ("stripe", stripe(body, secret=OLD, at=now), body),
        ("stripe", stripe(body, secret=STRIPE, at=now - 900), body),
        ("stripe", stripe(b"other", secret=STRIPE, at=now), body),
        ("stripe", stripe(body, secret=SHOP, at=now), body),
        ("standard", standard(body, secret=KEY, at=now), body),
        ("standard", {**standard(body, secret=KEY, at=now), "webhook-id": ""}, body),
        ("shop", shop(body, secret=SHOP), body),
        ("shop", shop(body.strip(b"}"), secret=SHOP), body),
        ("github", github(body, secret=OLD), body),
        ("github", {}, body),
    ]


async def post(port: int, name: str, headers: dict[str, str], body: bytes) -> Answer:
    lines = "".join(f"{key}: {value}\r\n" for key, value in headers.items())
    head = f"POST /in/{name} HTTP/1.1\r\nHost: x\r\n{lines}Content-Length: {len(body)}\r\n\r\n"
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    writer.write(head.encode() + body)
    try:
        return await read_answer(reader)
    finally:
        writer.close()


async def misbehave(port: int) -> list[Answer]:
    return [await post(port, *one) for one in requests()]


@pytest.mark.parametrize("form", ["json", "human"])
def test_no_secret_and_no_signature_is_ever_written(tmp_path: Path, form: str) -> None:
    conf = write_conf(tmp_path, CONF.format(format=form), {"leaky": LEAKY})
    log = tmp_path / "log"
    with talkative_server(conf, log) as port:
        answers = asyncio.run(misbehave(port))
    assert [one.status for one in answers] == [
        500,
        500,
        401,
        401,
        401,
        500,
        400,
        500,
        401,
        500,
        401,
    ]
    written = f"{log.read_text()}\n{dump(tmp_path)}"
    signs = ("hook failed", "call refused", "clock off", "wrong secret", "credentials should be")
    for sign in (*signs, "[redacted]"):
        assert sign in written, f"the run should have written {sign}"
    check(written, [one.body for one in answers], CANARIES)
    for _, headers, _ in requests():
        for name, value in headers.items():
            if "signature" in name.lower() or "hmac" in name.lower():
                assert value.rpartition("v1=")[2].rpartition(",")[2] not in written
