"""A dry run of what puts jobs off, replaces and cancels them: nothing is put off, nothing goes."""

from tests.server.replaying import again, changed, function, recording, rows
from tests.server.test_dry_run import details, noted
from tests.serving import Serve

KEYED = """
from tornado_cc import Plugin

plugin = Plugin("keyed")


@plugin.cloud_function("work")
async def work(call):
    if call.params.get("rest"):
        return "rested"
    await call.later("note", {"n": 1}, delay=60, key="k")
    await call.cancel_later("k")
    await call.cancel_later("nobody's")
    return "worked"


@plugin.on_start
async def start(app):
    await app.later("note", {"n": 0}, delay=60, key="k")


@plugin.job("note")
async def note(call):
    pass
"""


async def test_a_job_that_would_be_replaced_or_cancelled_is_noted_and_stays(
    serve: Serve, store_url: str
) -> None:
    served = await recording(serve, {"keyed": KEYED}, store_url)
    record = await function(served, "work", {"rest": True})
    changed(served, "keyed", 'call.params.get("rest")', "False")
    before = await rows(served)
    replayed = await again(served, record, dry_run=True)
    assert await rows(served) == before
    assert noted(replayed) == [
        "update deliveries",
        "insert deliveries job keyed note",
        "update deliveries",
    ]
    assert details(replayed, "deliveries job keyed note")[-1]["payload"]["params"] == {"n": 1}
    lane = "job keyed|k"
    assert details(replayed, "deliveries")[-1] == {"lane": lane, "state": "discarded"}
