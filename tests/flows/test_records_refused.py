"""What a hook refuses, or fails at, is not written."""

from typing import Any

import pytest

from tests.flows.writing import (
    BEFORE_SAVE,
    FORBID,
    MORE,
    WATCHER,
    WRITING,
    plain,
    started,
    stored,
    write,
)
from tests.serving import Serve

WRITES: list[tuple[str, tuple[Any, ...]]] = [
    ("create", ({"locked": True},)),
    ("update", ("t1", {"n": 5})),
    ("delete", ("t1",)),
]


@pytest.mark.parametrize(("how", "args"), WRITES)
async def test_what_a_hook_refuses_is_not_done_and_the_writer_gets_the_refusal(
    serve: Serve, how: str, args: tuple[Any, ...]
) -> None:
    served = await started(serve, watcher=WATCHER, forbid=FORBID)
    await served.server.store.objects.insert("Thing", "t1", {"locked": True, "n": 1})
    told = await write(served, how, *args)
    assert told == {"refused": "Refusal", "message": "It is locked", "code": 4711}
    assert await stored(served) == [{"locked": True, "n": 1}]
    hook = "before_delete" if how == "delete" else "before_save"
    assert served.fired == [f"{hook} Thing (forbid)", WRITING]


FAILING = {
    "raising": "raise KeyError('x')",
    "leaving": "raise SystemExit(3)",
    "too slow": "await asyncio.sleep(30)",
    "answering nonsense": "return 'allowed'",
    "setting what is not JSON": "call.object['x'] = object()",
}


@pytest.mark.parametrize("line", FAILING.values(), ids=FAILING)
@pytest.mark.parametrize(("how", "args"), WRITES[:2])
async def test_a_hook_that_fails_stops_the_write(
    serve: Serve, how: str, args: tuple[Any, ...], line: str
) -> None:
    failing = f"""
import asyncio
from tornado_cc import Plugin

plugin = Plugin("failing")


@plugin.before_save("Thing")
async def fail(call):
    {line}
"""
    deadlines = "[hooks]\ndeadlines = before_save=0.1\n"
    served = await started(serve, deadlines, failing=failing, watcher=WATCHER)
    await served.server.store.objects.insert("Thing", "t1", {"n": 1})
    told = await write(served, how, *args)
    assert told["refused"] == "Failure"
    assert told["message"].startswith("internal error (id ")
    assert await stored(served) == [{"n": 1}]
    assert served.fired == ["before_save Thing (failing)", WRITING]
    (record,) = served.logged("hook failed")
    assert vars(record)["plugin"] == "failing"


SLOW = """
import asyncio
from tornado_cc import Plugin

plugin = Plugin("slow")


@plugin.before_save("Thing"{options})
async def wait(call):
    call.object["late"] = True
    await asyncio.sleep(30)
"""


async def test_a_hook_that_may_be_late_is_passed_over(serve: Serve) -> None:
    served = await started(
        serve,
        "[hooks]\ndeadlines = before_save=0.1\n",
        slow=SLOW.format(options=', on_timeout="allow"'),
    )
    assert plain(await write(served, "create", {"n": 1})) == {"n": 1}
    assert served.fired == ["before_save Thing (slow)", WRITING]
    assert len(served.logged("allowed without an answer, as the plugin declared")) == 1


async def test_a_writer_that_may_be_late_itself_is_stopped_by_a_late_hook(serve: Serve) -> None:
    served = await started(
        serve,
        "[hooks]\ndeadline = 30\ndeadlines = before_save=0.3\n",
        slow=SLOW.format(options=""),
        outer="""
        from tornado_cc import Plugin

        plugin = Plugin("outer")

        @plugin.before_delete("Outer", on_timeout="allow")
        async def write(call):
            await call.store.objects("Thing").create({})
        """,
    )
    told = {"triggerName": "beforeDelete", "object": {"className": "Outer", "objectId": "o"}}
    answer = await served.webhook("", told)
    assert answer["error"].startswith("internal error (id ")
    assert served.fired == ["before_save Thing (slow)", "before_delete Outer (outer)"]
    assert await stored(served) == []


@pytest.mark.parametrize("name", ["_rperm", "a.b", "$x", "", "0", "x" * 129, 'a"b'])
async def test_a_field_that_a_hook_cannot_call_so_is_refused(serve: Serve, name: str) -> None:
    served = await started(
        serve,
        watcher=WATCHER,
        naming=f"""
        from tornado_cc import Plugin

        plugin = Plugin("naming")

        @plugin.before_save("Thing", tryfirst=True)
        async def name(call):
            return {{{name!r}: 1}}
        """,
    )
    told = await write(served, "create", {})
    assert (told["refused"], told["code"]) == ("InvalidName", 105)
    assert await stored(served) == []
    assert served.fired == ["before_save Thing (naming)", BEFORE_SAVE, WRITING]


@pytest.mark.parametrize(
    ("how", "args", "options", "kind"),
    [
        ("create", ({"objectId": "x"},), {}, "InvalidName"),
        ("create", ({"a": {"__op": "Nonsense"}},), {}, "InvalidValue"),
        ("create", ({},), {"object_id": "a b"}, "InvalidValue"),
        ("update", ("none", {}), {}, "ObjectNotFound"),
        ("update", ("a b", {}), {}, "InvalidValue"),
        ("update", ("t1", {"n": 2}), {"where": {"n": 2}}, "ObjectNotFound"),
        ("update", ("t1", {"n": 2}), {"where": {"n": {"$nonsense": 1}}}, "InvalidQuery"),
        ("delete", ("none",), {}, "ObjectNotFound"),
        ("delete", ("t1",), {"where": {"n": 2}}, "ObjectNotFound"),
    ],
)
async def test_no_hook_is_asked_about_what_cannot_be(
    serve: Serve, how: str, args: tuple[Any, ...], options: dict[str, Any], kind: str
) -> None:
    served = await started(serve, watcher=WATCHER)
    await served.server.store.objects.insert("Thing", "t1", {"n": 1})
    told = await write(served, how, *args, **options)
    assert told["refused"] == kind
    assert await stored(served) == [{"n": 1}]
    assert served.fired == [WRITING]


async def test_a_write_that_the_store_refuses_is_told_to_nobody_afterwards(serve: Serve) -> None:
    served = await started(serve, watcher=WATCHER)
    await served.server.store.objects.insert("Thing", "t1", {"n": "text"})
    assert (await write(served, "create", {}, object_id="t1"))["refused"] == "DuplicateValue"
    assert (await write(served, "update", "t1", {"n": MORE}))["refused"] == "IncorrectType"
    assert await stored(served) == [{"n": "text"}]
    assert served.fired == [BEFORE_SAVE, WRITING] * 2
