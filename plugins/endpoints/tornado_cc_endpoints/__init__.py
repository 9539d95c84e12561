"""The endpoints that Skygear's documentation shows: query string, form, JSON, URL, user."""

import json
from typing import Any

from tornado_cc import Plugin
from tornado_cc.skygear import Request, Response, current_user_id

plugin = Plugin("endpoints")


@plugin.handler("get_query_string")
def get_query_string(request: Request) -> dict[str, Any]:
    """`?key=month&value=10`."""
    return {"key": request.args["key"], "value": int(request.args["value"])}


@plugin.handler("form")
def form(request: Request) -> dict[str, Any]:
    """A form's fields, `a=3&b=at`."""
    return {"a": int(request.form["a"]), "b": request.form["b"]}


@plugin.handler("json")
def json_body(request: Request) -> dict[str, Any]:
    """A JSON body, `{"name": "John"}`, read as the documentation reads it."""
    text = request.stream.read().decode(request.charset, request.encoding_errors)
    return {"name": json.loads(text).get("name")}


@plugin.handler("url/")
def url(request: Request) -> dict[str, str]:
    """What follows `/url/`, with the query."""
    return {"path": request.full_path[len("/url/") :]}


@plugin.handler("my_endpoint", method=["GET"])
def handle_get(request: Request) -> str:
    """One function for a method."""
    return "get"


@plugin.handler("my_endpoint", method=["POST"])
def handle_post(request: Request) -> Response:
    """Another function for another, with a response of its own."""
    return Response("post", status=201)


@plugin.handler("me", user_required=True)
def me(request: Request) -> dict[str, str | None]:
    """Who is calling: for users only."""
    return {"user_id": current_user_id()}
