"""Many writes at the same time, each with its hooks, on both engines."""

import asyncio

from tests.flows.writing import (
    AFTER_DELETE,
    AFTER_SAVE,
    BEFORE_DELETE,
    BEFORE_SAVE,
    FORBID,
    MORE,
    WATCHER,
    WRITING,
    plain,
    seen,
    started_on,
    stored,
    write,
)
from tests.serving import Serve

COUNTING = """
from tornado_cc import Plugin

plugin = Plugin("counting")


@plugin.before_save("Thing")
async def mark(call):
    call.object["seen"] = True
    call.object["times"] = {"__op": "Increment", "amount": 2}


@plugin.after_save("Thing")
async def tell(call):
    call.log.info("from to", extra={"step": (call.original["n"], call.object["n"])})
"""


async def test_fifty_changes_at_once_lose_nothing_though_a_hook_sets_other_fields(
    serve: Serve, store_url: str
) -> None:
    served = await started_on(serve, store_url, counting=COUNTING)
    await served.server.store.objects.insert("Thing", "t1", {"n": 0})
    increment = {"n": {"__op": "Increment", "amount": 1}}
    await asyncio.gather(*(write(served, "update", "t1", increment) for _ in range(50)))
    assert await stored(served) == [{"n": 50, "seen": True, "times": 100}]
    await served.until_fired(150)
    steps = sorted(vars(record)["step"] for record in served.logged("from to"))
    assert steps == [(number, number + 1) for number in range(50)]


async def test_of_fifty_uses_of_a_single_use_token_one_wins_and_is_told_of(
    serve: Serve, store_url: str
) -> None:
    served = await started_on(serve, store_url, watcher=WATCHER)
    await served.server.store.objects.insert("Thing", "token", {"used": False})
    use = ("update", "token", {"used": True})
    told = await asyncio.gather(*(write(served, *use, where={"used": False}) for _ in range(50)))
    refused = [one for one in told if "refused" in one]
    assert len(refused) == 49
    for one in refused:
        message = {"message": "Object not found.", "code": 101}
        assert one == {"refused": "ObjectNotFound", **message}
    assert await stored(served) == [{"used": True}]
    async with asyncio.timeout(10):
        while AFTER_SAVE not in served.fired:
            await asyncio.sleep(0.005)
    assert served.fired.count(AFTER_SAVE) == 1
    assert set(served.fired) == {BEFORE_SAVE, AFTER_SAVE, WRITING}


async def test_hooks_fire_alike_on_both_engines(serve: Serve, store_url: str) -> None:
    served = await started_on(serve, store_url, watcher=WATCHER, forbid=FORBID)
    made = await write(served, "create", {"n": 1}, object_id="t1")
    assert plain(await write(served, "update", "t1", {"n": MORE})) == {"n": 4}
    told = await write(served, "update", "t1", {"locked": True})
    assert told == {"refused": "Refusal", "message": "It is locked", "code": 4711}
    assert await write(served, "delete", "t1") is None
    await served.until_fired(14)
    forbid = "before_save Thing (forbid)"
    saves = [forbid, BEFORE_SAVE, WRITING, AFTER_SAVE] * 2
    delete = ["before_delete Thing (forbid)", BEFORE_DELETE, WRITING, AFTER_DELETE]
    assert sorted(served.fired) == sorted([*saves, forbid, WRITING, *delete])
    assert seen(served)[-1]["object"]["createdAt"] == made["createdAt"]
