"""Endpoints that say what they were asked: those of the document, and every part of a request."""

import asyncio
import json
from typing import Any

from tornado_cc import Plugin
from tornado_cc.skygear import Request

plugin = Plugin("asked")


@plugin.handler("get_query_string")
def get_query_string(request: Request) -> dict[str, Any]:
    return {"key": request.args["key"], "value": int(request.args["value"])}


@plugin.handler("form")
def form(request: Request) -> dict[str, Any]:
    return {"a": int(request.form["a"]), "b": request.form["b"]}


@plugin.handler("json")
def json_body(request: Request) -> dict[str, Any]:
    text = request.stream.read().decode(request.charset, request.encoding_errors)
    return {"name": json.loads(text).get("name")}


@plugin.handler("url/")
def url(request: Request) -> dict[str, str]:
    return {"path": request.full_path[len("/url/") :]}


@plugin.handler("charset")
def charset(request: Request) -> list[str]:
    return [request.charset, request.encoding_errors]


@plugin.handler("args")
def args(request: Request) -> dict[str, list[str]]:
    return {name: request.args.getlist(name) for name in request.args}


@plugin.handler("values_of")
def values_of(request: Request) -> dict[str, Any]:
    return {
        "args": request.args.to_dict(),
        "form": request.form.to_dict(),
        "values": request.values.to_dict(),
    }


@plugin.handler("upload")
def upload(request: Request) -> dict[str, Any]:
    file = request.files["f"]
    content = file.stream.read().decode()
    return {
        "a": request.form.getlist("a"),
        "file": [file.filename, file.mimetype, content],
    }


@plugin.handler("who")
def who(request: Request) -> dict[str, Any]:
    found = request.authorization
    return {
        "cookies": dict(request.cookies),
        "authorization": found and [found.type, found.username, found.password],
    }


@plugin.handler("slow")
async def slow(request: Request) -> None:
    await asyncio.sleep(30)
