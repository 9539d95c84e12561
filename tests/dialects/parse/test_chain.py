"""Before-chains over a socket: order, what is passed on, and what a lost opinion costs."""

import asyncio
from typing import Any

import pytest

from tests.serving import KEY, PARSE, Serve, Served

IMPATIENT = f"{PARSE}\n[hooks]\ndeadline = 0.05\n"
FIRST = """
from tornado_cc import Plugin

plugin = Plugin("alpha")

@plugin.before_save("Review")
async def first(call):
    call.object["comment"] += " first"
    call.object["tags"].append("first")
"""
SECOND = """
from tornado_cc import Plugin

plugin = Plugin("beta")

@plugin.before_save("Review")
async def second(call):
    call.object["comment"] += " second"
    return {"seen": list(call.object["tags"])}
"""
REFUSING = """
from tornado_cc import Plugin, Refusal

plugin = Plugin("alpha")

@plugin.before_save("Review")
async def refuse(call):
    call.object["comment"] += " first"
    raise Refusal("No")
"""
HANGING = """
import asyncio
from tornado_cc import Plugin

plugin = Plugin("alpha")

@plugin.before_save("Review"OPTIONS)
async def hang(call):
    call.object["comment"] += " first"
    call.object["tags"].append("first")
    await asyncio.Event().wait()
"""
# A thread cannot be cancelled: this one goes on writing when its caller has long been answered.
LATE = """
import threading
from tornado_cc import Plugin

plugin = Plugin("alpha")
released, written = threading.Event(), threading.Event()

@plugin.before_save("Review", on_timeout="allow")
def write_late(call):
    released.wait(10)
    call.object["comment"] = "too late"
    call.object["tags"].append("too late")
    written.set()

@plugin.before_save("Review")
async def release(call):
    released.set()
    written.wait(10)
"""
SWALLOWING = """
import asyncio
from tornado_cc import Plugin

plugin = Plugin("alpha")

@plugin.before_save("Review", on_timeout="allow")
async def swallow(call):
    try:
        await asyncio.Event().wait()
    except asyncio.CancelledError:
        call.object["tags"].append("too late")
"""
PLAIN = """
from tornado_cc import hookimpl

@hookimpl
async def before_save(call):
    if call.class_name == "Mine":
        call.object["mine"] = True
    if call.class_name == "Allowed":
        return {}
"""
MEDDLING = """
from tornado_cc import Plugin

plugin = Plugin("alpha")

@plugin.before_save("Review")
async def meddle(call):
    call.original["comment"] = "meddled with"
    for found in (call.params.get("object"), call.params.get("original")):
        if found is not None:
            found["comment"] = "meddled with"
    call.object["stamp"] = "ok"
"""
REVIEW = {"className": "Review", "comment": "hi", "tags": ["a"]}
ALPHA = "before_save Review (alpha)"
BETA = "before_save Review (beta)"


async def test_plugins_are_asked_by_name_and_the_second_sees_what_the_first_changed(
    serve: Serve,
) -> None:
    served = await serve(plugins={"beta": SECOND, "alpha": FIRST})
    assert await _save(served) == {
        "success": {"comment": "hi first second", "tags": ["a", "first"], "seen": ["a", "first"]}
    }
    assert served.fired == [ALPHA, BETA]


async def test_a_function_declared_to_be_first_is_asked_before_every_other(serve: Serve) -> None:
    eager = SECOND.replace('"Review"', '"Review", tryfirst=True')
    served = await serve(plugins={"alpha": FIRST, "beta": eager})
    assert await _save(served) == {
        "success": {"comment": "hi second first", "tags": ["a", "first"], "seen": ["a"]}
    }
    assert served.fired == [BETA, ALPHA]


async def test_a_refusal_ends_the_chain(serve: Serve) -> None:
    served = await serve(plugins={"alpha": REFUSING, "beta": SECOND})
    assert await _save(served) == {"error": "No"}
    assert served.fired == [ALPHA]


async def test_a_hook_that_hangs_refuses_the_save_and_ends_the_chain(serve: Serve) -> None:
    served = await serve(IMPATIENT, {"alpha": HANGING.replace("OPTIONS", ""), "beta": SECOND})
    answer = await _save(served)
    assert list(answer) == ["error"]
    assert answer["error"].startswith("internal error (id ")
    assert served.fired == [ALPHA]


async def test_a_hook_that_may_be_missed_loses_its_changes_and_the_chain_goes_on(
    serve: Serve,
) -> None:
    hanging = HANGING.replace("OPTIONS", ', on_timeout="allow"')
    served = await serve(IMPATIENT, {"alpha": hanging, "beta": SECOND})
    assert await _save(served) == {
        "success": {"comment": "hi second", "tags": ["a"], "seen": ["a"]}
    }
    assert served.fired == [ALPHA, BETA]


async def test_a_save_passes_unchanged_when_the_only_hook_may_be_missed_and_is(
    serve: Serve,
) -> None:
    served = await serve(IMPATIENT, {"alpha": HANGING.replace("OPTIONS", ', on_timeout="allow"')})
    assert await _save(served) == {}


async def test_a_hook_that_may_be_missed_still_refuses_when_it_raises(serve: Serve) -> None:
    raising = HANGING.replace("OPTIONS", ', on_timeout="allow"').replace(
        "await asyncio.Event().wait()", "raise RuntimeError"
    )
    served = await serve(plugins={"alpha": raising, "beta": SECOND})
    assert (await _save(served))["error"].startswith("internal error (id ")
    assert served.fired == [ALPHA]


async def test_a_thread_that_writes_after_its_deadline_changes_no_answer(serve: Serve) -> None:
    served = await serve(IMPATIENT, {"alpha": LATE, "beta": SECOND})
    assert await _save(served) == {
        "success": {"comment": "hi second", "tags": ["a"], "seen": ["a"]}
    }
    assert served.fired == [ALPHA, ALPHA, BETA]


async def test_a_hook_that_swallows_its_cancellation_changes_no_answer(serve: Serve) -> None:
    served = await serve(IMPATIENT, {"alpha": SWALLOWING, "beta": SECOND})
    assert await _save(served) == {
        "success": {"comment": "hi second", "tags": ["a"], "seen": ["a"]}
    }


async def test_what_a_hook_does_to_anything_but_the_object_changes_no_answer(serve: Serve) -> None:
    served = await serve(plugins={"alpha": MEDDLING})
    body = {"triggerName": "beforeSave", "object": REVIEW, "original": REVIEW}
    assert await served.webhook("", body) == {"success": {"stamp": "ok"}}


@pytest.mark.parametrize(
    ("class_name", "answer"),
    [
        ("Theirs", {"error": "Unknown trigger"}),
        ("Allowed", {}),
        ("Mine", {"success": {"mine": True}}),
    ],
)
async def test_a_plain_hook_takes_a_class_for_its_own_by_an_answer_or_a_change(
    class_name: str, answer: dict[str, Any], serve: Serve
) -> None:
    served = await serve(plugins={"plain": PLAIN})
    body = {"triggerName": "beforeSave", "object": {"className": class_name}}
    assert await served.webhook("", body) == answer


async def test_calls_at_the_same_time_share_nothing(serve: Serve) -> None:
    served = await serve(plugins={"alpha": FIRST, "beta": SECOND})
    answers = await asyncio.gather(*(_save(served) for _ in range(5)))
    assert [answer == answers[0] for answer in answers] == [True] * 5


async def _save(served: Served) -> dict[str, Any]:
    body = {"triggerName": "beforeSave", "object": REVIEW}
    answer = await served.webhook("/triggers/Review/beforeSave", body, KEY)
    assert isinstance(answer, dict)
    return answer


SHARING = """
    import asyncio, time
    from tornado_cc import Plugin, Refusal
    plugin = Plugin("sharing")

    @plugin.before_save("A", on_timeout="allow")
    def forges(call):
        for shared in (call.context, call.user, call.params["context"], call.params["user"]):
            shared["evil"] = 1
        time.sleep(0.4)

    @plugin.before_save("A")
    async def sees(call):
        return {"seen": [call.context, call.user, call.params["context"], call.params["user"]]}

    @plugin.after_save("A")
    async def first(call):
        call.context["evil"] = 1
        class Mine(Refusal):
            def __init__(self):
                pass
        raise Mine

    @plugin.after_save("A")
    async def second(call):
        call.log.info("context %s", dict(call.context))
"""
SAID = {"object": {"className": "A"}, "context": {"a": 1}, "user": {"objectId": "u"}}


async def test_hooks_share_nothing_that_they_could_change(serve: Serve) -> None:
    served = await serve(f"{PARSE}[hooks]\ndeadline = 0.2\n", {"sharing": SHARING})
    answer = await served.webhook("/triggers/A/beforeSave", SAID)
    assert answer == {"success": {"seen": [{"a": 1}, {"objectId": "u"}] * 2}}


async def test_an_after_hook_that_refuses_oddly_keeps_no_other_from_running(serve: Serve) -> None:
    served = await serve(PARSE, {"sharing": SHARING})
    assert await served.webhook("/triggers/A/afterSave", SAID) == {}
    await served.until_fired(2)
    assert served.logged("context {'a': 1}")


async def test_a_large_object_that_nobody_changes_is_let_pass(serve: Serve) -> None:
    served = await serve(PARSE, {"quiet": QUIET})
    saved = {"object": {"className": "A", "a": [1] * 1_100_000}}
    assert await served.webhook("/triggers/A/beforeSave", saved) == {}


QUIET = """
    from tornado_cc import Plugin
    plugin = Plugin("quiet")

    @plugin.before_save("A")
    async def nothing(call): ...
"""
