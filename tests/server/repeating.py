"""A server whose hooks answer differently each time, and senders who repeat themselves."""

import asyncio
from collections.abc import Mapping
from typing import Any

from tests.dialects.skygear.served import TOKENS
from tests.serving import Answer, Serve, Served

CONF = """
[server]
bad_credentials_per_minute = 1000
[dialect:gamesparks]
api_key = KEY
server_secret = SECRET-of-the-server
[credential:shop]
secret = SECRET-of-the-shop
[dialect:skygear]
api_key = client-key
master_key = master-key
{more}
"""
DEFAULT = "/callback/KEY/SECRET-of-the-server/"
SHOP = "/callback/KEY/shop/SECRET-of-the-shop/"
CLIENT = {"X-Skygear-API-Key": "client-key"}
MASTER = {"X-Skygear-API-Key": "master-key"}
TOKEN = {"X-Skygear-Access-Token": "good-token"}
OTHER_TOKEN = {"X-Skygear-Access-Token": "other-token"}
PLUGIN = """
import asyncio, gzip, uuid
from pathlib import Path
from tornado_cc import CallbackCall, Plugin, Refusal
from tornado_cc.skygear import Request, Response, SkygearException

plugin = Plugin("till")

async def until(path):
    while not Path(path).exists():
        await asyncio.sleep(0.005)

@plugin.on_callback(credential="server")
@plugin.on_callback(credential="shop")
async def callback(call: CallbackCall) -> object:
    call.script_data["run"] = uuid.uuid4().hex
    call.script_data["id"] = call.idempotency_key
    if "until" in call.data:
        await until(call.data["until"])
    if "seconds" in call.data:
        await asyncio.sleep(float(call.data["seconds"]))
    if "status" in call.data:
        call.script_data["RESPONSE_STATUS"] = int(call.data["status"])
    if "say" in call.data:
        call.script_data["said"] = call.data["say"]
    match call.data.get("do"):
        case "raise":
            raise ValueError("no")
        case "hang":
            await asyncio.sleep(60)
        case "refuse":
            raise Refusal("Say please " + uuid.uuid4().hex)
        case "log in":
            await call.store.users.log_in("nobody", "a password")
        case "later":
            raise Refusal("Not now", retry_after=7)
        case "header":
            call.script_data["RESPONSE_HEADERS"] = {call.data["name"]: call.data["value"]}
        case "raw":
            call.script_data["RESPONSE_STATUS"] = 201
            kind = "text/plain;charset=" + call.data["charset"]
            call.script_data["RESPONSE_HEADERS"] = {
                "Content-Type": kind, "X-Many": ["a", "b"], "X-Run": uuid.uuid4().hex
            }
            return "\\xe4\\0" + call.data.get("say", "")
        case "large":
            return uuid.uuid4().hex.rjust(int(call.data["size"]))

@plugin.handler("buy", method=("GET", "POST", "PUT"))
@plugin.handler("buy/", method=("POST", "DELETE"))
@plugin.handler("sell", method=("POST",))
async def buy(request: Request) -> object:
    run = uuid.uuid4().hex
    match request.args.get("do"):
        case "code":
            raise SkygearException("no " + run, int(request.args["code"]))
        case "refuse":
            raise Refusal("no " + run)
        case "raise":
            raise ValueError("no")
        case "gzip":
            body = gzip.compress(b"client-key")
            return Response(body, headers={"Content-Encoding": "gzip"})
        case "cookie":
            response = Response(run)
            response.set_cookie("session", "opaque")
            return response
        case "status":
            return Response(run, status=int(request.args["status"]))
        case "until":
            await until(request.args["path"])
    return {"run": run, "body": request.get_data(as_text=True)}

@plugin.handler("plain", method=("POST",))
def plain(request: Request) -> str:
    return uuid.uuid4().hex
"""
PLUGINS = {"till": PLUGIN}
HEADER = "Idempotency-Key"
FIRED = "on_callback server (till)"


async def started(serve: Serve, more: str = "", conf: str = CONF) -> Served:
    served = await serve(conf.format(more=more), PLUGINS)
    await served.know("ann", "ben", tokens=TOKENS)
    return served


async def ask(
    served: Served,
    path: str = DEFAULT,
    headers: Mapping[str, str] | None = None,
    *,
    key: str | None = "order-17",
    method: str = "POST",
    body: bytes = b"",
) -> Answer:
    """One request, with an id unless told otherwise."""
    sent = {**({} if key is None else {HEADER: key}), **(headers or {})}
    return await served.request(method, path, sent, body)


def lines(answer: Answer) -> list[tuple[str, str]]:
    """The headers that the server does not make anew for each answer."""
    return [pair for pair in answer.headers if pair[0] not in ("date", "idempotent-replayed")]


def is_repeat(first: Answer, second: Answer) -> bool:
    """Whether the second is the first again, to the byte, and says so; else it says nothing."""
    said = second.header("Idempotent-Replayed")
    alike = (first.status, lines(first), first.body) == (second.status, lines(second), second.body)
    assert (said == "true") is alike
    return alike


async def ran_again(served: Served, first: str, second: str = "", **how: Any) -> Answer:
    """The answer to a repeat, which ran the hook although the first had the same id."""
    await ask(served, first, **how)
    before = len(served.fired)
    answer = await ask(served, second or first, **how)
    assert len(served.fired) == before + 1
    assert answer.header("Idempotent-Replayed") is None
    return answer


async def until_running(served: Served, count: int = 1) -> None:
    """Wait until so many requests are being answered."""
    async with asyncio.timeout(20):
        while len(served.server.gate.running) < count:
            await asyncio.sleep(0.01)
