"""A third party as they are: an aiohttp server that redirects, compresses and sets cookies."""

import asyncio
import gzip
import json
import zlib

from aiohttp import web

BOMB = 64 << 20
"""What the compressed answer of `/bomb` unpacks to."""


class Party:
    """What it serves, and what it was asked."""

    def __init__(self) -> None:
        self.asked: list[str] = []
        self.app = web.Application(middlewares=[self._note])
        self.app.add_routes(
            [
                web.route("*", "/echo", _echo),
                web.route("*", "/moved/{status}", _moved),
                web.route("*", "/hops/{left}", _hops),
                web.route("*", "/status/{status}", _status),
                web.get("/loop", _loop),
                web.get("/nowhere", _nowhere),
                web.get("/slow", _slow),
                web.get("/cookies", _cookies),
                web.get("/packed/{coding}", _packed),
                web.get("/bomb/{coding}", _bomb),
            ]
        )

    @web.middleware
    async def _note(
        self,
        request: web.Request,
        handler: "web.Handler",  # type: ignore[name-defined]
    ) -> web.StreamResponse:
        self.asked.append(f"{request.method} {request.path_qs}")
        response: web.StreamResponse = await handler(request)
        return response


async def _echo(request: web.Request) -> web.Response:
    heard = {
        "method": request.method,
        "host": request.host,
        "path": request.path_qs,
        "headers": {name.lower(): value for name, value in request.headers.items()},
        "body": (await request.read()).decode(),
    }
    return web.json_response(heard)


async def _moved(request: web.Request) -> web.Response:
    location = request.query.get("to", "/echo")
    status = int(request.match_info["status"])
    return web.Response(status=status, headers={"Location": location}, text="moved")


async def _hops(request: web.Request) -> web.Response:
    left = int(request.match_info["left"])
    if left == 0:
        return web.Response(text="arrived")
    return web.Response(status=302, headers={"Location": f"{left - 1}"})


async def _status(request: web.Request) -> web.Response:
    status = int(request.match_info["status"])
    if status == 204:
        return web.Response(status=204)
    return web.Response(
        status=status,
        text=json.dumps({"error": status}),
        content_type="text/plain",
        headers={"Set-Cookie": "why=because", "X-Reason": "mine"},
    )


async def _loop(request: web.Request) -> web.Response:
    return web.Response(status=302, headers={"Location": "/loop"})


async def _nowhere(request: web.Request) -> web.Response:
    return web.Response(status=302, text="no Location")


async def _slow(request: web.Request) -> web.Response:
    await asyncio.sleep(float(request.query.get("seconds", "60")))
    return web.Response(text="at last")


async def _cookies(request: web.Request) -> web.Response:
    response = web.Response(text=request.headers.get("Cookie", ""))
    response.headers.add("Set-Cookie", "a=1; Path=/; HttpOnly")
    response.headers.add("Set-Cookie", "b=2")
    response.headers.add("X-Twice", "one")
    response.headers.add("X-Twice", "two")
    return response


def _pack(coding: str, data: bytes) -> bytes:
    return gzip.compress(data) if coding == "gzip" else zlib.compress(data)


async def _packed(request: web.Request) -> web.Response:
    coding = request.match_info["coding"]
    body = _pack(coding, b'{"packed": true}')
    return web.Response(body=body, headers={"Content-Encoding": coding})


async def _bomb(request: web.Request) -> web.Response:
    coding = request.match_info["coding"]
    return web.Response(body=_pack(coding, bytes(BOMB)), headers={"Content-Encoding": coding})
