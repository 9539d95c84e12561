"""aiohttp's server on uvloop, with its parser in C."""

import sys

import job
import uvloop
from aiohttp import web


def _json(body: bytes) -> web.Response:
    return web.Response(body=body, content_type="application/json")


async def function(request: web.Request) -> web.Response:
    """A cloud function."""
    return _json(job.function(request.headers, await request.read()))


async def before_save(request: web.Request) -> web.Response:
    """A trigger."""
    return _json(job.before_save(request.headers, await request.read()))


async def callback(request: web.Request) -> web.Response:
    """A callback."""
    return _json(job.callback(request.match_info["secret"], request.query_string))


async def endpoint(request: web.Request) -> web.Response:
    """An endpoint."""
    return _json(job.endpoint(request.headers, request.query_string))


app = web.Application()
app.add_routes(
    [
        web.post(job.FUNCTION, function),
        web.post(job.BEFORE_SAVE, before_save),
        web.get(job.CALLBACK, callback),
        web.get(job.ENDPOINT, endpoint),
    ]
)
web.run_app(
    app,
    host="127.0.0.1",
    port=int(sys.argv[1]),
    access_log=None,
    print=None,
    loop=uvloop.new_event_loop(),
)
