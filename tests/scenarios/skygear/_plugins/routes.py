"""Endpoints of every kind of name; each says where it was reached."""

from tornado_cc import Plugin
from tornado_cc.skygear import Request

plugin = Plugin("routes")


def _declare(name: str) -> None:
    @plugin.handler(name)
    def serve(request: Request) -> dict[str, str]:
        return {"handler": name, "path": request.path}


for name in ("foo", "tree/", "abc/def", "abc/", "deep/er", "xyz", "xyz/", "/lead"):
    _declare(name)


@plugin.handler("cat:feed")
def feed(request: Request) -> str:
    return "Meow! Thanks!\n"


@plugin.handler("my_endpoint", method=["GET"])
def handle_get(request: Request) -> str:
    return "get"


@plugin.handler("my_endpoint", method=["POST"])
def handle_post(request: Request) -> str:
    return "post"


@plugin.handler("del", method=["DELETE"])
def delete(request: Request) -> str:
    return "deleted"


@plugin.handler("one_str", method="PUT")
def put(request: Request) -> str:
    return "put"


@plugin.handler("patched", method=["PATCH", "HEAD"])
def patch(request: Request) -> str:
    return "patched"


@plugin.handler("lower", method="get")
def lower(request: Request) -> str:
    return "never"


@plugin.handler("dup")
def first(request: Request) -> str:
    return "first"


@plugin.handler("dup", method=["GET"])
def second(request: Request) -> str:
    return "second"
