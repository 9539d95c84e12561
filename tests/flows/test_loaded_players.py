"""Other players than the one who calls, loaded so that they are saved with them."""

from typing import Any

import pytest

from tests.flows.playing import kept, play
from tests.serving import Answer, Serve, Served

LOADING = """
from tornado_cc import Plugin, Refusal

plugin = Plugin("loading")


@plugin.on_callback
async def run(call):
    await SCRIPTS[call.data["script"]](call)


async def give(call):
    other = await call.store.players.load("p2", save=True)
    other.private_data["from"] = call.player_id
    other.script_data["seen"] = 1


async def take_back(call):
    other = await call.store.players.load("p2", save=True)
    del other.private_data["from"]


async def twice(call):
    first = await call.store.players.load("p2", save=True)
    first.private_data["a"] = 1
    second = await call.store.players.load("p2", save=True)
    second.private_data["a"] += 1
    call.script_data["same"] = first is second
    own = await call.store.players.load(call.player_id, save=True)
    call.script_data["own"] = own is call.player
    fresh = await call.store.players.load("p2")
    call.script_data["fresh"] = fresh.private_data


async def nobody(call):
    call.script_data["found"] = await call.store.players.load("nobody", save=True)


async def fail(call):
    await give(call)
    raise RuntimeError("no luck")


async def refuse(call):
    await give(call)
    raise Refusal("No")


async def leave_what_cannot_be_kept(call):
    other = await call.store.players.load("p2", save=True)
    other.private_data["a"] = {1, 2}


async def persist(call):
    other = await call.store.players.load("p2", save=True)
    other.private_data["a"] = 1
    await other.persist()
    raise RuntimeError("no luck")


SCRIPTS = {
    script.__name__: script
    for script in (
        give, take_back, twice, nobody, fail, refuse, leave_what_cannot_be_kept, persist
    )
}
"""
PLAINLY = """
from tornado_cc import Plugin

plugin = Plugin("plainly")


@plugin.on_callback
def run(call):
    other = call.store.players.load("p2", save=True)
    other.private_data["times"] = other.private_data.get("times", 0) + 1
    own = call.store.players.load("p1", save=True)
    own.private_data["own"] = True
"""


async def run(served: Served, script: str = "", player: str = "p1") -> Answer:
    return await served.request("GET", f"/callback/KEY/SEC/{player}?script={script}")


async def loading(serve: Serve, source: str = LOADING) -> Served:
    name = "plainly" if source is PLAINLY else "loading"
    return await play(serve, {name: source})


async def of(served: Served, player: str) -> dict[str, Any]:
    private: dict[str, Any] = (await kept(served, player))[0]
    return private


async def test_what_is_changed_is_saved_when_the_hook_has_ended_well(serve: Serve) -> None:
    served = await loading(serve)
    assert (await run(served, "give")).status == 200
    assert await kept(served, "p2") == ({"from": "p1"}, {"seen": 1})
    assert (await run(served, "take_back", "")).status == 200
    assert await kept(served, "p2") == ({}, {"seen": 1})


async def test_a_hook_has_each_player_once(serve: Serve) -> None:
    served = await loading(serve)
    assert (await run(served, "twice")).json() == {"same": True, "own": True, "fresh": {}}
    assert await of(served, "p2") == {"a": 2}


async def test_nobody_is_none(serve: Serve) -> None:
    served = await loading(serve)
    assert (await run(served, "nobody")).json() == {"found": None}


@pytest.mark.parametrize("script", ["fail", "refuse", "leave_what_cannot_be_kept"])
async def test_a_hook_that_ends_badly_saves_nothing(serve: Serve, script: str) -> None:
    served = await loading(serve)
    assert (await run(served, script)).status in (400, 500)
    assert await of(served, "p2") == {}


async def test_what_cannot_be_kept_is_a_failure_of_the_hook(serve: Serve) -> None:
    served = await loading(serve)
    answer = await run(served, "leave_what_cannot_be_kept")
    assert answer.status == 500
    (line,) = served.logged("player not saved")
    assert "left for the player: The data under 'a' cannot be kept" in vars(line)["cause"]


async def test_what_was_persisted_stays_whatever_comes(serve: Serve) -> None:
    served = await loading(serve)
    assert (await run(served, "persist")).status == 500
    assert await of(served, "p2") == {"a": 1}


async def test_a_plain_hook_does_it_without_await(serve: Serve) -> None:
    served = await loading(serve, PLAINLY)
    for _ in range(2):
        assert (await run(served)).status == 200
    assert await of(served, "p2") == {"times": 2}
    assert await of(served, "p1") == {"own": True}


async def test_a_start_cannot_leave_it_to_anybody(serve: Serve) -> None:
    starting = LOADING + (
        "\n@plugin.on_start\nasync def begin(app):\n"
        "    try:\n"
        "        await app.store.players.load('p2', save=True)\n"
        "    except ValueError as error:\n"
        "        app.log.info('told', extra={'words': str(error)})\n"
    )
    served = await play(serve, {"loading": starting})
    (line,) = served.logged("told")
    assert vars(line)["words"] == "nobody saves after a start or a stop: await player.persist()"
