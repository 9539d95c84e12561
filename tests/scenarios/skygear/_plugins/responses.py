"""Endpoints that make their own response."""

from collections.abc import Iterator

from werkzeug.exceptions import NotFound

from tornado_cc import Plugin
from tornado_cc.skygear import Request, Response, redirect

plugin = Plugin("responses")


@plugin.handler("response/plain")
def plain(request: Request) -> Response:
    return Response("hi")


@plugin.handler("response/created")
def created(request: Request) -> Response:
    return Response('{"a":1}', status=201, headers={"X-A": "b"}, mimetype="application/json")


@plugin.handler("response/binary")
def binary(request: Request) -> Response:
    return Response(b"\x00\xff", content_type="application/octet-stream")


@plugin.handler("response/empty")
def empty(request: Request) -> Response:
    return Response(status=204)


@plugin.handler("response/error")
def error(request: Request) -> Response:
    return Response("down for repairs", status=500)


@plugin.handler("response/teapot")
def teapot(request: Request) -> Response:
    return Response("short and stout", status="418 I AM A TEAPOT")


@plugin.handler("response/cookies")
def cookies(request: Request) -> Response:
    response = Response("two")
    response.set_cookie("a", "1")
    response.set_cookie("b", "2")
    return response


@plugin.handler("response/generator")
def generated(request: Request) -> Response:
    def parts() -> Iterator[str]:
        yield "a"
        yield "b"

    return Response(parts())


@plugin.handler("response/away")
def away(request: Request) -> object:
    return redirect("https://skygear.io/")


@plugin.handler("response/near")
def near(request: Request) -> object:
    return redirect("/foo")


@plugin.handler("response/missing")
def missing(request: Request) -> object:
    return NotFound().get_response()
