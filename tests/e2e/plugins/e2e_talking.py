"""Talks back to the Parse Server that calls: reads and writes other objects, as whom it is told."""

from __future__ import annotations

from typing import Any

from tornado_cc import (
    FunctionCall,
    ParseError,
    ParseObjectNotFound,
    Plugin,
    Refusal,
    TriggerCall,
)

plugin = Plugin("e2e_talking")


@plugin.cloud_function("readLetters")
async def read_letters(call: FunctionCall) -> dict[str, Any]:
    """What the caller may read, what nobody who is not logged in may, and what the master may."""
    found = {}
    parse = call.parse
    for name, one in (
        ("caller", parse),
        ("nobody", parse.as_nobody()),
        ("master", parse.as_master()),
    ):
        letters = await one.objects("Letter").find(order="title", keys="title")
        found[name] = [letter["title"] for letter in letters]
    return found


@plugin.cloud_function("readLettersPlainly")
def read_letters_plainly(call: FunctionCall) -> list[str]:
    """The same as the caller, without await."""
    parse: Any = call.parse
    return [letter["title"] for letter in parse.objects("Letter").find(order=["title"])]


@plugin.cloud_function("tearLetter")
async def tear_letter(call: FunctionCall) -> str:
    """Remove a letter in the caller's name, and say how that went."""
    try:
        await call.parse.objects("Letter").delete(call.params["letter"])
    except ParseError as error:
        return f"{type(error).__name__} {error.code}: {error.message}"
    return "gone"


@plugin.cloud_function("talkAround")
async def talk_around(call: FunctionCall) -> dict[str, Any]:
    """Everything else there is."""
    master = call.parse.as_master()
    notes = master.objects("Note")
    made = await notes.create({"text": "Grüße", "n": 1}, context={"from": "Zoë"})
    changed = await notes.update(made["objectId"], {"n": {"__op": "Increment", "amount": 4}})
    letter = await notes.get(made["objectId"])
    long = [f"nobody {number}" for number in range(500)]
    told: dict[str, Any] = {
        "n": changed["n"],
        "text": letter["text"],
        "count": await notes.count({"objectId": made["objectId"]}),
        "of many": (await notes.first({"text": {"$in": [*long, "Grüße"]}}) or {}).get("objectId"),
        "none": await notes.first({"text": "never"}),
        "function": await call.parse.run("echo", {"a": [1, {"b": None}]}),
        "config": await call.parse.config(),
        "all config": await master.config(),
        "user": (await call.parse.user())["username"],
    }
    told["of many"] = told["of many"] == made["objectId"]
    await notes.delete(made["objectId"])
    try:
        await notes.get(made["objectId"])
    except ParseObjectNotFound as error:
        told["gone"] = error.code
    return told


@plugin.before_save("Answer")
async def look_up_letter(call: TriggerCall) -> dict[str, Any]:
    """Answer only what the caller may read."""
    try:
        letter = await call.parse.objects("Letter").get(call.object["letter"]["objectId"])
    except ParseObjectNotFound:
        raise Refusal("You have no such letter") from None
    return {"title": f"Re: {letter['title']}"}


@plugin.after_save("Answer")
async def note_answer(call: TriggerCall) -> None:
    """Note with the letter how many answers it has, whoever may write it."""
    parse = call.parse.as_master()
    letter = call.object["letter"]
    count = await parse.objects("Answer").count({"letter": letter})
    await parse.objects("Letter").update(letter["objectId"], {"answers": count})
