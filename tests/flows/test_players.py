"""What is kept for a player: spec gamesparks, rows 17 and 81 to 85."""

import asyncio

import pytest

from tests.flows.playing import KEPT, PLAIN, RAN, call, kept, play
from tests.serving import Serve

ALPHA = """
    from tornado_cc import Plugin
    plugin = Plugin("alpha")

    @plugin.on_callback
    async def first(call):
        call.player.private_data["chain"] = ["alpha"]
        call.player.private_data["query"] = call.data
        call.player.script_data["alpha"] = 1
"""
BETA = """
    from tornado_cc import Plugin
    plugin = Plugin("beta")

    @plugin.on_callback
    async def second(call):
        call.script_data["seen"] = list(call.player.private_data["chain"])
        call.player.private_data["chain"].append("beta")
        call.player.script_data["beta"] = 2
        if "fail" in call.data:
            raise RuntimeError("no luck")
"""


async def test_what_a_hook_keeps_is_there_at_the_next_call_and_for_no_other_player(
    serve: Serve,
) -> None:
    served = await play(serve)
    assert (await call(served, "keep")).status == 200
    assert (await call(served, "show")).json() == {"private": {"a": KEPT}, "script": {"a": 1}}
    assert (await call(served, "show", "p2")).json() == {"private": {}, "script": {}}
    assert served.fired == [RAN] * 3


async def test_the_script_data_of_a_player_is_no_part_of_the_answer(serve: Serve) -> None:
    served = await play(serve)
    answers = [await call(served, "keep"), await call(served, "keep")]
    assert [answer.json() for answer in answers] == [{}, {}]


async def test_keys_that_are_taken_away_are_gone(serve: Serve) -> None:
    served = await play(serve)
    await call(served, "keep")
    assert (await call(served, "remove")).status == 200
    assert await kept(served) == ({}, {})


async def test_a_call_says_who_plays_and_none_for_nobody_and_for_somebody_unknown(
    serve: Serve,
) -> None:
    served = await play(serve)
    await served.store.players.create(
        "p3", user_name="zoe", display_name="Zoë", external_ids={"FB": "7"}
    )
    assert (await call(served, "who", "p3")).json()["player"] == {
        "id": "p3",
        "user_name": "zoe",
        "display_name": "Zoë",
        "external_ids": {"FB": "7"},
    }
    for unknown in ("", "nobody", "a%2Fb", "%00", "%ED%A0%80", "%E4%BD%A0", "x" * 500):
        answer = await call(served, "who", unknown)
        assert (answer.status, answer.json()) == (200, {"player": None}), unknown
    assert served.fired == [RAN] * 8


async def test_two_calls_at_once_that_change_different_keys_both_keep_them(serve: Serve) -> None:
    served = await play(serve)
    answers = await asyncio.gather(
        call(served, "slow", key="a", value="1"), call(served, "slow", key="b", value="2")
    )
    assert [answer.status for answer in answers] == [200, 200]
    assert await kept(served) == ({"a": "1", "b": "2"}, {"a": "1", "b": "2"})


async def test_of_two_calls_at_once_that_change_one_key_the_last_one_wins(serve: Serve) -> None:
    served = await play(serve)
    answers = await asyncio.gather(
        call(served, "slow", key="a", value="1"), call(served, "slow", key="a", value="2")
    )
    assert [answer.status for answer in answers] == [200, 200]
    private, script = await kept(served)
    assert private == script
    assert private["a"] in ("1", "2")


async def test_the_next_hook_of_a_chain_sees_what_the_one_before_it_left(serve: Serve) -> None:
    served = await play(serve, {"alpha": ALPHA, "beta": BETA})
    assert (await call(served, "")).json() == {"seen": ["alpha"]}
    private = {"chain": ["alpha", "beta"], "query": {"script": ""}}
    assert await kept(served) == (private, {"alpha": 1, "beta": 2})
    assert served.fired == ["on_callback * (alpha)", "on_callback * (beta)"]


async def test_a_hook_that_fails_takes_nothing_from_the_one_before_it(serve: Serve) -> None:
    served = await play(serve, {"alpha": ALPHA, "beta": BETA})
    assert (await call(served, "", fail="1")).status == 500
    private = {"chain": ["alpha"], "query": {"script": "", "fail": "1"}}
    assert await kept(served) == (private, {"alpha": 1})


async def test_a_plain_hook_keeps_in_the_same_way(serve: Serve) -> None:
    served = await play(serve, {"plain": PLAIN})
    assert [(await call(served, "")).json() for _ in range(2)] == [{"times": 1}, {"times": 2}]
    assert await kept(served) == ({"times": 2}, {"times": 2})


@pytest.mark.parametrize("form", ["def", "async def"])
async def test_all_of_the_data_may_be_replaced_at_once(serve: Serve, form: str) -> None:
    replacing = f"""
    from tornado_cc import Plugin
    plugin = Plugin("replacing")

    @plugin.on_callback
    {form} run(call):
        call.player.script_data = {{"new": 1}}
        if "bad" in call.data:
            call.player.private_data = ["no", "mapping"]
"""
    served = await play(serve, {"replacing": replacing})
    player = await served.store.players.load("p1")
    assert player is not None
    player.script_data["old"] = 0
    await player.persist()
    assert (await call(served, "", bad="1")).status == 500
    assert await kept(served) == ({}, {"old": 0})
    assert (await call(served, "")).status == 200
    assert await kept(served) == ({}, {"new": 1})
    assert served.fired == ["on_callback * (replacing)"] * 2


async def test_a_player_is_loaded_without_one_in_the_url(serve: Serve) -> None:
    served = await play(serve)
    await call(served, "keep")
    assert (await call(served, "load", "", id="p1")).json() == {"found": {"a": KEPT}}
    assert (await call(served, "load", "", id="nobody")).json() == {"found": None}
    assert (await call(served, "load", "", id="%00")).json() == {"found": None}
    # Only `call.player` is saved by itself.
    assert (await call(served, "loaded", "")).json() == {"found": {"a": KEPT}}
    await call(served, "load", "", id="p1", persist="1")
    assert (await call(served, "loaded", "")).json() == {"found": {"a": KEPT, "loaded": True}}


async def test_a_hook_that_a_hooks_write_fires_has_the_same_player(serve: Serve) -> None:
    served = await play(serve)
    for _ in range(2):
        assert (await call(served, "found")).status == 200
    assert await kept(served) == ({"things": 2}, {})
    assert served.fired == ["before_save Thing (scripts)", RAN] * 2
