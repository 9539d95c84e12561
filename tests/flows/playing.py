"""Callbacks of players: a conf, scripts, and what was kept for them."""

from typing import Any

from tests.serving import Answer, Serve, Served

CONF = """
[dialect:gamesparks]
api_key = KEY
server_secret = SEC
"""
SCRIPTS = """
    import asyncio
    import time
    from tornado_cc import Plugin, Refusal

    plugin = Plugin("scripts")
    both_here = asyncio.Barrier(2)

    async def keep(call):
        call.player.private_data["a"] = {"b": [1, None, "\\u00e9"]}
        call.player.script_data["a"] = 1

    async def show(call):
        call.script_data["private"] = call.player.private_data
        call.script_data["script"] = call.player.script_data

    async def who(call):
        player = call.player
        call.script_data["player"] = player and {
            "id": player.id,
            "user_name": player.user_name,
            "display_name": player.display_name,
            "external_ids": player.external_ids,
        }

    async def remove(call):
        del call.player.private_data["a"]
        call.player.script_data.clear()

    async def slow(call):
        await both_here.wait()
        call.player.private_data[call.data["key"]] = call.data["value"]
        call.player.script_data[call.data["key"]] = call.data["value"]
        await both_here.wait()

    async def fail(call):
        await keep(call)
        raise RuntimeError("no luck")

    async def refuse(call):
        await keep(call)
        raise Refusal("Not today")

    async def persist(call):
        await keep(call)
        await call.player.persist()
        call.player.private_data["a"] = "after"
        raise RuntimeError("no luck")

    async def never(call):
        await keep(call)
        await asyncio.sleep(30)

    async def load(call):
        player = await call.store.players.load(call.data["id"])
        if player is None:
            call.script_data["found"] = None
            return
        call.script_data["found"] = dict(player.private_data)
        player.private_data["loaded"] = True
        if "persist" in call.data:
            await player.persist()

    async def loaded(call):
        call.script_data["found"] = (await call.store.players.load("p1")).private_data

    async def found(call):
        await call.store.objects("Thing").create({"by": call.player.id})

    @plugin.before_save("Thing")
    async def before(call):
        call.player.private_data["things"] = call.player.private_data.get("things", 0) + 1

    @plugin.on_callback(credential="server")
    async def run(call):
        await globals()[call.data["script"]](call)
"""
PLAIN = """
    import time
    from tornado_cc import Plugin

    plugin = Plugin("plain")

    @plugin.on_callback(credential="server")
    def run(call):
        for data in (call.player.private_data, call.player.script_data):
            data["times"] = data.get("times", 0) + 1
        if "late" in call.data:
            time.sleep(0.5)
            call.player.private_data["late"] = True
        call.script_data["times"] = call.player.private_data["times"]
"""
KEPT = {"b": [1, None, "é"]}
RAN = "on_callback server (scripts)"


async def play(serve: Serve, plugins: dict[str, str] | None = None, conf: str = CONF) -> Served:
    served = await serve(conf, plugins or {"scripts": SCRIPTS})
    await served.know("p1", "p2")
    return served


async def call(served: Served, script: str, player: str = "p1", **data: str) -> Answer:
    query = "&".join(f"{name}={value}" for name, value in {"script": script, **data}.items())
    return await served.request("GET", f"/callback/KEY/SEC/{player}?{query}")


async def kept(served: Served, player_id: str = "p1") -> tuple[Any, Any]:
    """What the store has for a player: private data, script data."""
    player = await served.store.players.load(player_id)
    assert player is not None
    return player.private_data, player.script_data
