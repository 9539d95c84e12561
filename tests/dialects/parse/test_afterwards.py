"""After-hooks: the answer is out before they are done, and nothing they do can reach it."""

import pytest

from tests.serving import Serve

PLUGIN = """
import asyncio
from tornado_cc import Plugin

plugin = Plugin("slow")
released = asyncio.Event()

@plugin.after_save("Review")
@plugin.after_delete("Review")
@plugin.parse_trigger("_User", "afterLogin")
@plugin.parse_trigger("_Session", "afterLogout")
@plugin.parse_trigger("@File", "afterSave")
async def wait(call):
    await released.wait()

@plugin.cloud_function("release")
async def release(call):
    released.set()
"""
FAILING = """
from tornado_cc import Plugin

plugin = Plugin("failing")

@plugin.after_save("Review")
async def fail(call):
    call.object.clear()
    raise RuntimeError("broken")
"""
READING = """
from tornado_cc import Plugin

plugin = Plugin("reading")
seen = []

@plugin.after_save("Review")
async def read(call):
    seen.append(call.object)

@plugin.cloud_function("seen")
async def what(call):
    return seen
"""
RELEASED = "cloud_function release (slow)"
REVIEW = {"className": "Review", "objectId": "o1"}


@pytest.mark.parametrize(
    ("path", "hook"),
    [
        ("/triggers/Review/afterSave", "after_save Review (slow)"),
        ("/triggers/Review/afterDelete", "after_delete Review (slow)"),
        ("/triggers/_User/afterLogin", "parse_trigger _User.afterLogin (slow)"),
        ("/triggers/_Session/afterLogout", "parse_trigger _Session.afterLogout (slow)"),
        ("/triggers/@File/afterSave", "parse_trigger @File.afterSave (slow)"),
    ],
)
async def test_a_hook_that_waits_does_not_delay_the_answer(
    path: str, hook: str, serve: Serve
) -> None:
    served = await serve(plugins={"slow": PLUGIN})
    assert await served.webhook(path, {"object": {"objectId": "o1"}}) == {}
    assert served.fired == []
    await served.webhook("/functions/release", {})
    assert await served.until_fired(2) == [RELEASED, hook]


async def test_a_stop_waits_for_what_runs(serve: Serve) -> None:
    served = await serve(plugins={"slow": PLUGIN})
    await served.webhook("/triggers/Review/afterSave", {"object": REVIEW})
    await served.until_running(1)
    await served.webhook("/functions/release", {})
    await served.server.stop()
    assert served.fired == [RELEASED, "after_save Review (slow)"]


async def test_one_that_fails_keeps_no_other_from_running_on_a_copy_of_its_own(
    serve: Serve,
) -> None:
    served = await serve(plugins={"failing": FAILING, "reading": READING})
    assert await served.webhook("/triggers/Review/afterSave", {"object": REVIEW}) == {}
    assert sorted(await served.until_fired(2)) == [
        "after_save Review (failing)",
        "after_save Review (reading)",
    ]
    assert await served.webhook("/functions/seen", {}) == {"success": [REVIEW]}
    (failed,) = served.logged("delivery failed")
    assert vars(failed)["cause"] == "raised RuntimeError: broken"
