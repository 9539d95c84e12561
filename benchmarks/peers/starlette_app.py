"""Starlette on uvicorn with httptools and uvloop."""

import sys

import job
import uvicorn
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route


def _json(body: bytes) -> Response:
    return Response(body, media_type="application/json")


async def function(request: Request) -> Response:
    """A cloud function."""
    return _json(job.function(request.headers, await request.body()))


async def before_save(request: Request) -> Response:
    """A trigger."""
    return _json(job.before_save(request.headers, await request.body()))


async def callback(request: Request) -> Response:
    """A callback."""
    return _json(job.callback(request.path_params["secret"], request.url.query))


async def endpoint(request: Request) -> Response:
    """An endpoint."""
    return _json(job.endpoint(request.headers, request.url.query))


routes = [
    Route(job.FUNCTION, function, methods=["POST"]),
    Route(job.BEFORE_SAVE, before_save, methods=["POST"]),
    Route(job.CALLBACK, callback, methods=["GET"]),
    Route(job.ENDPOINT, endpoint, methods=["GET"]),
]
uvicorn.run(
    Starlette(routes=routes),
    host="127.0.0.1",
    port=int(sys.argv[1]),
    loop="uvloop",
    http="httptools",
    access_log=False,
    log_level="error",
)
