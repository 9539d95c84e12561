"""Somebody else's service on the loopback: slow, broken, moved, compressed, fond of cookies."""

from __future__ import annotations

import asyncio
import contextlib
import gzip
import socket
import struct
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field

from aiohttp import web


@dataclass
class ThirdParty:
    """What it was asked, and who has paid."""

    url: str = ""
    paid_up: set[str] = field(default_factory=set)
    asked: list[str] = field(default_factory=list)

    def app(self) -> web.Application:
        """Everything it serves."""
        app = web.Application()
        app.add_routes(
            [
                web.get("/billing", self._bill),
                web.get("/slow", _answer_slowly),
                web.get("/reset", _reset),
                web.get("/moved", _move),
                web.get("/packed", _pack),
                web.get("/cookies", _set_cookies),
                web.get("/refusing", _refuse),
                web.post("/echo", _echo),
            ]
        )
        return app

    async def _bill(self, request: web.Request) -> web.Response:
        self.asked.append(request.query["user"])
        return web.json_response({"paid_up": request.query["user"] in self.paid_up})


async def _answer_slowly(request: web.Request) -> web.Response:
    await asyncio.sleep(60)
    return web.Response()


async def _reset(request: web.Request) -> web.Response:
    transport = request.transport
    assert transport is not None
    linger = struct.pack("ii", 1, 0)
    transport.get_extra_info("socket").setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, linger)
    transport.abort()
    return web.Response()


async def _move(request: web.Request) -> web.Response:
    return web.Response(status=302, headers={"Location": "/packed"})


async def _pack(request: web.Request) -> web.Response:
    body = gzip.compress('{"rate": 1.25, "currency": "€"}'.encode())
    return web.Response(body=body, headers={"Content-Encoding": "gzip"})


async def _set_cookies(request: web.Request) -> web.Response:
    response = web.json_response({"cookie": request.headers.get("Cookie")})
    response.headers.add("Set-Cookie", "a=1; HttpOnly")
    response.headers.add("Set-Cookie", "b=2")
    return response


async def _refuse(request: web.Request) -> web.Response:
    return web.json_response({"why": "no credit"}, status=402)


async def _echo(request: web.Request) -> web.Response:
    return web.json_response(
        {
            "type": request.headers.get("Content-Type"),
            "query": request.rel_url.raw_query_string,
            "body": await request.text(),
        }
    )


@contextlib.contextmanager
def third_party() -> Iterator[ThirdParty]:
    """Run it in a thread of its own for as long as the block lasts."""
    service, ready = ThirdParty(), threading.Event()
    loop, stopping = asyncio.new_event_loop(), asyncio.Event()

    async def serve() -> None:
        runner = web.AppRunner(service.app(), shutdown_timeout=1)
        await runner.setup()
        await web.TCPSite(runner, "127.0.0.1", 0).start()
        service.url = f"http://127.0.0.1:{runner.addresses[0][1]}"
        ready.set()
        await stopping.wait()
        await runner.cleanup()

    thread = threading.Thread(target=loop.run_until_complete, args=[serve()])
    thread.start()
    try:
        assert ready.wait(10)
        yield service
    finally:
        loop.call_soon_threadsafe(stopping.set)
        thread.join(10)
        loop.close()
