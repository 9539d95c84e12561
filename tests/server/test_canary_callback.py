"""The secrets of a callback stand in its URL, and still nothing the server writes holds them."""

import asyncio
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import quote

import pytest

from tests.canary import check, send_malformed, spellings, talkative_server
from tests.serving import Answer, read_answer, write_conf
from tornado_cc.server import build

CONF = """
[server]
max_body = 100

[log]
format = {format}
level = debug

[hooks]
deadline = 0.3

[dialect:gamesparks]
api_key = CANARY-api key/é1
server_secret = CANARY-server"secret+2

[credential:slow]
secret = CANARY-slow-3

[credential:off]
secret = CANARY-off-4
callbacks = off
"""
LEAKY = """
    import asyncio, sys, warnings
    from tornado_cc import Plugin

    plugin = Plugin("leaky")

    @plugin.on_callback(credential="server")
    async def leak(call):
        if "quiet" in call.data:
            return {"RESPONSE_STATUS": int(call.data["quiet"])}
        call.log.debug("%s %r %s", call, call.request, call.request.headers)
        call.log.info("%s %s", call.request.path, call.request.query)
        call.log.info("parts %r", call.request.path.split("/"), extra={"path": call.request.path})
        warnings.warn(call.request.path)
        async def stray():
            raise RuntimeError(call.request.path)
        task = asyncio.create_task(stray())
        await asyncio.sleep(0.01)
        del task
        raise ValueError(call.request.path, call.request.query)

    @plugin.on_callback(credential="slow")
    def slow(call):
        if "exit" in call.data:
            sys.exit(call.request.path)
        import time
        time.sleep(0.5)
"""
API_KEY, SERVER, SLOW, OFF = (
    "CANARY-api key/é1",
    'CANARY-server"secret+2',
    "CANARY-slow-3",
    "CANARY-off-4",
)
GUESSES = ("CANARY-guess-5", "CANARY-query-6", "CANARY-player-7", "CANARY-user-8", "CANARY-body-9")
CANARIES = (API_KEY, SERVER, SLOW, OFF, *GUESSES)
KEY, SECRET = quote(API_KEY, safe=""), quote(SERVER, safe="")
RIGHT = f"/callback/{KEY}/{SECRET}/"
BODY = b"CANARY-body-9"

ANSWERED = [
    (500, "GET", RIGHT),
    (500, "GET", f"{RIGHT}?secret=CANARY-query-6&token=CANARY-query-6"),
    (500, "POST", f"/callback/{KEY}/server/{SECRET}/"),
    (500, "GET", f"http://CANARY-user-8@localhost{RIGHT}"),
    (500, "HEAD", RIGHT),
    (500, "GET", f"/callback/{KEY}/slow/{SLOW}/"),
    (500, "GET", f"/callback/{KEY}/slow/{SLOW}/?exit"),
    (500, "GET", f"{RIGHT}CANARY-player-7?quiet=9&x=CANARY-query-6"),
    (200, "GET", f"{RIGHT}CANARY-player-7?quiet=200&x=CANARY-query-6"),
    (405, "PUT", f"{RIGHT}CANARY-player-7"),
    (405, "PROPFIND", RIGHT),
    (403, "GET", f"/callback/{KEY}/CANARY-guess-5/"),
    (403, "GET", f"/callback/CANARY-guess-5/{SECRET}/CANARY-player-7"),
    (403, "GET", f"/callback/{KEY}/CANARY-guess-5/{SECRET}/p"),
    (403, "GET", f"/callback/{KEY}/slow/CANARY-guess-5/?secret={SECRET}"),
    (403, "POST", f"/callback/{KEY}/slow/{SECRET}/"),
    (403, "GET", f"/callback/{KEY}/off/{OFF}/"),
    (404, "GET", f"/callback/{KEY}/{SECRET}"),
    (404, "GET", f"{RIGHT}a/b/c"),
    (404, "GET", f"/callbak/{KEY}/{SECRET}/?token=CANARY-query-6"),
    (404, "GET", f"/Callback/{KEY}/{SECRET}/"),
    (404, "GET", f"//callback/{KEY}/{SECRET}/"),
    (404, "GET", f"/callback//{KEY}/{SECRET}/"),
    (404, "GET", f"/%63allback/{KEY}/{SECRET}/"),
    (404, "GET", f"/callback%2F{KEY}%2F{SECRET}%2F"),
    (404, "GET", f"/healthz/..{RIGHT}"),
    (404, "GET", f"https://localhost:1/callbak/{KEY}/{SECRET}/"),
    (404, "GET", f"ftp://localhost{RIGHT}"),
    (431, "GET", f"{RIGHT}?{'x' * 20_000}"),
]
MALFORMED = [
    f"GET {RIGHT} HTTP/9.9\r\nHost: x\r\n\r\n",
    f"GET {RIGHT}\r\n\r\n",
    f"GET {RIGHT} CANARY-guess-5 HTTP/1.1\r\nHost: x\r\n\r\n",
    f"GET {RIGHT}\0 HTTP/1.1\r\nHost: x\r\n\r\n",
    f"CANARY-guess-5 {RIGHT} HTTP/1.1\r\nHost: x\r\n\r\n",
    f"{RIGHT} GET HTTP/1.1\r\nHost: x\r\n\r\n",
    f"GET {RIGHT} HTTP/1.1\r\nHost: x\r\nReferer {RIGHT}\r\n\r\n",
    f"GET {RIGHT} HTTP/1.1\r\nHost: {SECRET} {KEY}\r\n\r\n",
    f"POST {RIGHT} HTTP/1.1\r\nHost: x\r\nContent-Length: {SECRET}\r\n\r\n",
    f"POST {RIGHT} HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: CANARY-guess-5\r\n\r\n",
    f"POST {RIGHT} HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\nCANARY-body-9\r\n",
]


async def send(port: int, method: str, target: str, body: bytes = b"") -> Answer:
    head = f"{method} {target} HTTP/1.1\r\nHost: x\r\nContent-Length: {len(body)}\r\n\r\n"
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    writer.write(head.encode() + body)
    try:
        return await read_answer(reader, "HEAD" if method == "HEAD" else "GET")
    finally:
        writer.close()


async def misbehave(port: int) -> Iterator[bytes]:
    """Everything that could go wrong on a callback; returns what the server answered."""
    answers = []
    for status, method, target in ANSWERED:
        answer = await send(port, method, target, BODY if method == "POST" else b"")
        assert answer.status == status, f"{method} {target}"
        answers.append(answer)
    answers.append(await send(port, "POST", RIGHT, BODY * 10))
    assert answers[-1].status == 413
    await hang_up(port)
    raw = [await send_malformed(port, one.encode()) for one in MALFORMED]
    return iter([*(answer.body + str(answer.headers).encode() for answer in answers), *raw])


async def hang_up(port: int) -> None:
    """Leave before the answer, and in the middle of a request."""
    for raw in (f"GET /callback/{KEY}/slow/{SLOW}/ HTTP/1.1\r\nHost: x\r\n\r\n", f"GET {RIGHT}"):
        _, writer = await asyncio.open_connection("127.0.0.1", port)
        writer.write(raw.encode())
        await writer.drain()
        writer.close()


@pytest.mark.parametrize("form", ["json", "human"])
def test_no_secret_of_a_callback_is_ever_written(tmp_path: Path, form: str) -> None:
    conf = write_conf(tmp_path, CONF.format(format=form), {"leaky": LEAKY})
    log = tmp_path / "log"
    with talkative_server(conf, log) as port:
        answers = list(asyncio.run(misbehave(port)))
    written = log.read_text()
    for sign in ("hook fired", "hook failed", "call refused", "malformed", "[redacted]", "/*/*/*"):
        assert sign in written.replace("Malformed", "malformed"), (
            f"the run should have logged {sign}"
        )
    check(written, answers, CANARIES)


def test_nothing_made_of_the_conf_shows_a_secret(tmp_path: Path) -> None:
    built = build(write_conf(tmp_path, CONF.format(format="json"), {"leaky": LEAKY}), {})
    configuration = built.configuration
    shown = [
        f"{one!r} {one}"
        for one in (built, configuration, *built.dialects, *configuration.further.values())
    ]
    for canary in CANARIES:
        assert not [text for text in shown if any(one in text for one in spellings(canary))]
