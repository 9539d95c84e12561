"""Writes of hooks fire hooks, as the writes of a Parse Server do."""

from tests.flows.writing import (
    AFTER_DELETE,
    AFTER_SAVE,
    BEFORE_DELETE,
    BEFORE_SAVE,
    MORE,
    WATCHER,
    WRITING,
    called,
    plain,
    seen,
    started,
    stored,
    write,
)
from tests.serving import Serve
from tornado_cc.core.redact import MASK


async def test_a_new_object_passes_its_hooks_and_is_then_told_of(serve: Serve) -> None:
    served = await started(serve, watcher=WATCHER)
    made = await write(served, "create", {"n": 1, "more": MORE})
    assert plain(made) == {"n": 1, "more": 3}
    assert await served.until_fired(3) == [BEFORE_SAVE, WRITING, AFTER_SAVE]
    before, after = seen(served)
    assert before["object"] == {"className": "Thing", "n": 1, "more": MORE}
    assert after["object"] == {**made, "className": "Thing"}
    assert (before["original"], after["original"]) == (None, None)
    assert (before["trigger"], after["trigger"]) == ("beforeSave", "afterSave")
    assert [(one["before"], one["afterwards"]) for one in (before, after)] == [
        (True, False),
        (False, True),
    ]


async def test_a_change_is_seen_laid_over_the_whole_object(serve: Serve) -> None:
    served = await started(serve, watcher=WATCHER)
    first = await write(served, "create", {"n": 1, "kept": [1], "old": True})
    await served.until_fired(3)
    changes = {"n": MORE, "old": {"__op": "Delete"}, "new": "x"}
    changed = await write(served, "update", first["objectId"], changes)
    assert plain(changed) == {"n": 4, "kept": [1], "new": "x"}
    assert (await served.until_fired(6))[3:] == [BEFORE_SAVE, WRITING, AFTER_SAVE]
    before, after = seen(served)[2:]
    original = {**first, "className": "Thing"}
    assert before["object"] == {**original, **changes}
    assert after["object"] == {**changed, "className": "Thing"}
    assert before["original"] == after["original"] == original


async def test_a_removed_object_is_shown_before_and_after(serve: Serve) -> None:
    served = await started(serve, watcher=WATCHER)
    await served.server.store.objects.insert("Thing", "t1", {"n": 1})
    assert await write(served, "delete", "t1") is None
    assert await served.until_fired(3) == [BEFORE_DELETE, WRITING, AFTER_DELETE]
    before, after = seen(served)
    assert before["object"] == after["object"]
    assert plain(after["object"]) == {"n": 1}
    assert (before["trigger"], after["trigger"]) == ("beforeDelete", "afterDelete")
    assert await stored(served) == []


async def test_reading_fires_nothing_and_neither_do_classes_without_hooks(serve: Serve) -> None:
    served = await started(serve, watcher=WATCHER)
    await served.server.store.objects.insert("Thing", "t1", {"n": 1})
    assert plain(await write(served, "get", "t1")) == {"n": 1}
    assert len(await write(served, "find", {"n": 1})) == 1
    assert plain(await write(served, "first")) == {"n": 1}
    assert await write(served, "count") == 1
    await write(served, "create", {}, of="Other", object_id="o1")
    await write(served, "update", "o1", {"n": 1}, of="Other")
    await write(served, "delete", "o1", of="Other")
    assert served.fired == [WRITING] * 7


async def test_a_chosen_id_is_kept_and_no_hook_changes_what_the_store_sets(serve: Serve) -> None:
    served = await started(
        serve,
        watcher=WATCHER,
        willful="""
        from tornado_cc import Plugin

        plugin = Plugin("willful")

        @plugin.before_save("Thing", trylast=True)
        async def rename(call):
            call.object.pop("className")
            own = {"objectId": "mine", "createdAt": "2000-01-01T00:00:00.000Z", "updatedAt": 1}
            return {**own, "seen": call.object["objectId"]}
        """,
    )
    made = await write(served, "create", {"n": 1}, object_id="chosen")
    assert (made["objectId"], plain(made)) == ("chosen", {"n": 1, "seen": "chosen"})
    assert made["createdAt"] == made["updatedAt"] > "2020"
    assert "className" not in made
    changed = await write(served, "update", "chosen", {"n": 2})
    assert (changed["objectId"], changed["createdAt"]) == ("chosen", made["createdAt"])
    assert await write(served, "count") == 1
    assert seen(served)[0]["object"]["objectId"] == "chosen"


CHAIN = {
    "aa": """
    from tornado_cc import Plugin

    plugin = Plugin("aa")

    @plugin.before_save("Thing")
    async def first(call):
        call.object["by"] = ["aa"]
        call.object["list"].append(2)
        return {"returned": True}
    """,
    "bb": """
    from tornado_cc import Plugin

    plugin = Plugin("bb")

    @plugin.before_save("Thing")
    def second(call):
        call.object["by"].append("bb")
        del call.object["gone"]
        call.object["n"]["amount"] = 10
        call.object.setdefault("made", "x")
    """,
}


async def test_what_the_chain_leaves_is_what_is_stored(serve: Serve) -> None:
    served = await started(serve, **CHAIN)
    amount = {"__op": "Increment", "amount": 1}
    made = await write(served, "create", {"n": amount, "gone": 1, "list": [1]})
    left = {"by": ["aa", "bb"], "returned": True, "list": [1, 2], "made": "x"}
    assert plain(made) == {**left, "n": 10}
    await served.server.store.objects.update("Thing", made["objectId"], {"gone": 1, "made": "y"})
    changed = await write(served, "update", made["objectId"], {"n": amount})
    assert plain(changed) == {**left, "list": [1, 2, 2], "made": "y", "n": 20}
    chain = ["before_save Thing (aa)", "before_save Thing (bb)", WRITING]
    assert served.fired == chain * 2


async def test_an_object_that_fits_is_changed_and_removed(serve: Serve) -> None:
    served = await started(serve, watcher=WATCHER)
    await served.server.store.objects.insert("Thing", "t1", {"n": 1})
    assert plain(await write(served, "update", "t1", {"n": 2}, where={"n": 1})) == {"n": 2}
    assert await write(served, "delete", "t1", where={"n": {"$gt": 1}}) is None
    assert set(await served.until_fired(6)) >= {BEFORE_SAVE, BEFORE_DELETE, AFTER_DELETE}


async def test_after_hooks_get_what_was_stored_whatever_the_writer_makes_of_it(
    serve: Serve,
) -> None:
    served = await started(
        serve,
        watcher=WATCHER,
        careless="""
        from tornado_cc import Plugin

        plugin = Plugin("careless")

        @plugin.cloud_function("careless")
        async def careless(call):
            made = await call.store.objects("Thing").create({"list": [1]})
            made["list"].append(2)
            call.context["of"].append("mine")
        """,
    )
    body = {"functionName": "careless", "context": {"of": ["theirs"]}}
    await served.webhook("", body)
    await served.until_fired(3)
    before, after = seen(served)
    assert plain(after["object"]) == {"list": [1]}
    assert before["context"] == after["context"] == {"of": ["theirs"]}


async def test_hooks_know_in_whose_name_is_written(serve: Serve) -> None:
    served = await started(serve, watcher=WATCHER)
    ann = {"objectId": "ann", "username": "ann", "sessionToken": "r:secret"}
    who = {"user": ann, "installationId": "phone", "context": {"k": [1]}, "master": False}
    await served.webhook("", {**called("create", {}), **who})
    await served.until_fired(3)
    before, after = seen(served)
    # What is kept until an after-hook runs holds no secret.
    assert (before["user"], after["user"]) == (ann, {**ann, "sessionToken": MASK})
    for one in (before, after):
        assert one["user_id"] == "ann"
        assert (one["installation_id"], one["context"]) == ("phone", {"k": [1]})
        # There are no rights to check: whoever writes is a plugin.
        assert (one["master"], one["depth"], one["dialect"]) == (True, 1, "parse")


async def test_plain_functions_write_and_are_hooks(serve: Serve) -> None:
    served = await started(
        serve,
        "[hooks]\nthreads = 1\n",
        blocking="""
        from tornado_cc import Plugin

        plugin = Plugin("blocking")

        @plugin.cloud_function("plain")
        def plain(call):
            made = call.store.objects("Thing").create({"n": 1})
            return call.store.objects("Thing").update(made["objectId"], {"n": 2})

        @plugin.before_save("Thing")
        def before(call):
            call.object["inner"] = call.store.objects("Inner").create({})["by"]

        @plugin.before_save("Inner")
        def inner(call):
            call.object["by"] = "inner"

        @plugin.after_save("Thing")
        def after(call):
            call.store.objects("Log").create({"n": call.object["n"]})
        """,
    )
    answer = await served.webhook("/functions/plain", {})
    assert plain(answer["success"]) == {"n": 2, "inner": "inner"}
    fired = await served.until_fired(7)
    assert sorted(fired) == sorted(
        [
            *["before_save Inner (blocking)", "before_save Thing (blocking)"] * 2,
            *["after_save Thing (blocking)"] * 2,
            "cloud_function plain (blocking)",
        ]
    )
    assert sorted(one["n"] for one in await stored(served, "Log")) == [1, 2]
