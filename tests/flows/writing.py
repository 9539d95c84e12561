"""A server with a function that writes objects, and a plugin that tells what its hooks get."""

from typing import Any

from tests.serving import PARSE, Serve, Served
from tests.store.opened import make_tables

WRITER = """
from tornado_cc import Plugin, Refusal

plugin = Plugin("writer")


@plugin.cloud_function("write")
async def write(call):
    objects = call.store.objects(call.params["class"])
    method = getattr(objects, call.params["how"])
    try:
        return await method(*call.params["args"], **call.params["options"])
    except Refusal as refusal:
        kind = type(refusal).__name__
        return {"refused": kind, "message": refusal.message, "code": refusal.code}
"""

WATCHER = """
from copy import deepcopy

from tornado_cc import Plugin

plugin = Plugin("watcher")

SHOWN = (
    "hook", "trigger", "class_name", "object", "original", "before", "afterwards", "master",
    "user", "user_id", "installation_id", "context", "depth", "dialect",
)


@plugin.before_save("Thing")
@plugin.after_save("Thing")
@plugin.before_delete("Thing")
@plugin.after_delete("Thing")
async def watch(call):
    facts = {name: deepcopy(getattr(call, name)) for name in SHOWN}
    call.log.info("seen", extra={"facts": facts})
"""

FORBID = """
from tornado_cc import Plugin, Refusal

plugin = Plugin("forbid")


@plugin.before_save("Thing", tryfirst=True)
@plugin.before_delete("Thing", tryfirst=True)
async def forbid(call):
    if call.object.get("locked"):
        raise Refusal("It is locked", code=4711)
"""

MORE = {"__op": "Increment", "amount": 3}

WRITING = "cloud_function write (writer)"
BEFORE_SAVE = "before_save Thing (watcher)"
AFTER_SAVE = "after_save Thing (watcher)"
BEFORE_DELETE = "before_delete Thing (watcher)"
AFTER_DELETE = "after_delete Thing (watcher)"


async def started(serve: Serve, conf: str = "", **plugins: str) -> Served:
    """A server with the writer and these plugins, on a SQLite file."""
    return await serve(PARSE + conf, {"writer": WRITER, **plugins})


async def started_on(serve: Serve, url: str, **plugins: str) -> Served:
    """The same on this database, whose tables are made first; its hooks have time."""
    await make_tables(url)
    return await started(serve, f"[store]\nurl = {url}\n[hooks]\ndeadline = 60\n", **plugins)


def called(how: str, *args: Any, of: str = "Thing", **options: Any) -> dict[str, Any]:
    """The body of a call of the writer."""
    params = {"how": how, "class": of, "args": args, "options": options}
    return {"functionName": "write", "params": params}


async def write(served: Served, how: str, *args: Any, of: str = "Thing", **options: Any) -> Any:
    """What a write answers: the object, or how it was refused."""
    answer = await served.webhook("", called(how, *args, of=of, **options))
    assert answer.keys() == {"success"}, answer
    return answer["success"]


def seen(served: Served) -> list[dict[str, Any]]:
    """What the watcher was given, call by call."""
    return [vars(record)["facts"] for record in served.logged("seen")]


async def stored(served: Served, of: str = "Thing") -> list[dict[str, Any]]:
    """The objects of a class, the fields that hooks and writers set only."""
    found = await served.server.store.objects.find(of)
    return [plain(one) for one in found]


def plain(one: dict[str, Any]) -> dict[str, Any]:
    """An object without what the store itself sets."""
    own = ("objectId", "createdAt", "updatedAt", "className")
    return {name: value for name, value in one.items() if name not in own}
