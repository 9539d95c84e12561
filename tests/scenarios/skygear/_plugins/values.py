"""Endpoints that return a value of every kind, from a thread and from the loop."""

from typing import Any

from tornado_cc import Plugin
from tornado_cc.skygear import Request

plugin = Plugin("values")

VALUES: dict[str, Any] = {
    "text": "Hello",
    "empty": "",
    "accents": "h\u00e9\u4f60",
    "dict": {"a": 1},
    "script": {"who": "\u4f60"},
    "list": [1, "a", None],
    "int": 42,
    "none": None,
    "tuple": (1, 2),
    "float": 1.5,
    "true": True,
    "int_key": {1: "a"},
    "nan": float("nan"),
    "bytes": b"raw",
    "set": {1},
}


@plugin.handler("values/")
def value(request: Request) -> Any:
    return VALUES[request.path.removeprefix("/values/")]


@plugin.handler("awaited/")
async def awaited(request: Request) -> Any:
    return VALUES[request.path.removeprefix("/awaited/")]


@plugin.handler("awaitable/")
def awaitable(request: Request) -> Any:
    async def later() -> Any:
        return VALUES[request.path.removeprefix("/awaitable/")]

    return later()
