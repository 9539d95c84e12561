"""What is not kept for a player: of hooks that do not end well, and what JSON cannot carry."""

import asyncio

import pytest

from tests.flows.playing import CONF, KEPT, PLAIN, RAN, call, kept, play
from tests.serving import Serve

UNSTORABLE = {
    "set": "{1}",
    "nan": "float('nan')",
    "nested": "[{'deep': object()}]",
    "surrogate": "'\\ud800'",
    "huge": "'x' * (1 << 20)",
    "integer": "2 ** 64",
}
KEYS = {
    "empty": "''",
    "number": "5",
    "nul": "'a\\0b'",
    "surrogate": "'\\ud800'",
    "long": "'k' * 257",
}


def offering(key: str, value: str) -> dict[str, str]:
    """A script that keeps what cannot be kept, beside what can."""
    return {
        "offering": f"""
    from tornado_cc import Plugin
    plugin = Plugin("offering")

    @plugin.on_callback
    async def run(call):
        call.player.script_data["good"] = 1
        call.player.private_data[{key}] = {value}
"""
    }


@pytest.mark.parametrize(("script", "status"), [("fail", 500), ("refuse", 400), ("never", 500)])
async def test_of_a_hook_that_does_not_end_well_nothing_is_kept(
    serve: Serve, script: str, status: int
) -> None:
    served = await play(serve, conf=f"{CONF}\n[hooks]\ndeadline = 0.5\n")
    assert (await call(served, script)).status == status
    assert await kept(served) == ({}, {})
    assert served.fired == [RAN]


async def test_what_is_persisted_stays_whatever_comes_after(serve: Serve) -> None:
    served = await play(serve)
    assert (await call(served, "persist")).status == 500
    assert await kept(served) == ({"a": KEPT}, {"a": 1})


async def test_a_plain_hook_that_ran_out_of_time_keeps_nothing_also_later(serve: Serve) -> None:
    served = await play(serve, {"plain": PLAIN}, f"{CONF}\n[hooks]\ndeadline = 0.2\n")
    assert (await call(served, "", late="1")).status == 500
    await asyncio.sleep(0.5)
    assert await kept(served) == ({}, {})


@pytest.mark.parametrize(
    ("key", "value"),
    [
        *(pytest.param("'bad'", value, id=f"value-{name}") for name, value in UNSTORABLE.items()),
        *(pytest.param(key, "1", id=f"key-{name}") for name, key in KEYS.items()),
    ],
)
async def test_what_cannot_be_kept_fails_the_hook_by_name_and_nothing_is_saved(
    serve: Serve, key: str, value: str
) -> None:
    served = await play(serve, offering(key, value))
    answer = await call(served, "")
    assert answer.status == 500
    said = answer.json()["error"]["script"]
    (record,) = served.logged("player not saved")
    facts = vars(record)
    assert (facts["plugin"], facts["hook"]) == ("offering", "on_callback")
    for text in (said, facts["cause"]):
        assert "The data under 'bad'" in text or "A key of a player's data" in text
    assert await kept(served) == ({}, {})


async def test_any_text_that_json_carries_is_kept(serve: Serve) -> None:
    served = await play(serve, offering("'.$[__proto__]\\\\\"\\''", "['a\\0b', '', 1.5, -0.0]"))
    assert (await call(served, "")).json() == {}
    assert await kept(served) == (
        {".$[__proto__]\\\"'": ["a\0b", "", 1.5, -0.0]},
        {"good": 1},
    )
