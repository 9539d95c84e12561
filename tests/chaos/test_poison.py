"""A delivery that takes its worker with it: the server goes on, and it ends as a dead letter."""

import asyncio
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from tests.chaos.ledger import WRITING, Ledger
from tests.chaos.site import Site
from tests.chaos.storm import Line
from tests.chaos.victim import Victim
from tests.cli.running import until
from tests.store.opened import opened
from tornado_cc.store.deliveries import Delivery

LOST = "the worker ended during this attempt"
POISON = (
    WRITING.format(name="poison")
    + """
@plugin.after_save("Poison")
def take_it_along(call):
    time.sleep(0.1)
    os._exit(1)


@plugin.after_save("Event")
async def take_some_time(call):
    await asyncio.sleep(0.3)
    write(call, call.object["number"])
"""
)


@pytest.fixture
def victim(site: Site, ledger: Ledger, tmp_path: Path) -> Iterator[Victim]:
    plugins = {"poison": POISON}
    one = Victim(tmp_path / "server", site.url, plugins, ledger.conf, retry="1s, 1s")
    try:
        yield one
    finally:
        one.end()


@pytest.fixture
def ledger(tmp_path: Path) -> Ledger:
    return Ledger(tmp_path, ["poison"])


def test_one_that_takes_its_worker_along_ends_dead_and_what_ran_beside_it_is_done(
    site: Site, victim: Victim, ledger: Ledger
) -> None:
    victim.start()
    asyncio.run(post(victim))
    starts = 0

    def is_over() -> bool:
        nonlocal starts
        if not victim.is_running:
            victim.start()
            starts += 1
        return bool(asyncio.run(found(site, "dead"))) and len(ledger.read()) >= 7

    # Three starts, each of them after a lease.
    until(is_over, seconds=90)
    assert victim.is_running
    (dead,) = asyncio.run(found(site, "dead"))
    assert dead.lane is not None
    assert "Poison:" in dead.lane
    assert starts == 3
    assert [failure["error"] for failure in dead.failures][:3] == [LOST] * 3
    assert {run.object for run in ledger.read()} == {f"Event:e{number}" for number in range(7)}
    victim.stop()


async def post(victim: Victim) -> None:
    """As many as a server runs at the same time, one of them the poison."""
    with closing(Line(victim.port)) as line:
        assert await line.connect()
        names = ["p", *(f"e{number}" for number in range(7))]
        for number, name in enumerate(names):
            class_name = "Poison" if name == "p" else "Event"
            saved = {"className": class_name, "objectId": name, "number": number}
            path = f"/triggers/{class_name}/afterSave"
            assert await line.post(path, {"object": saved}) == {}


async def found(site: Site, state: str) -> list[Delivery]:
    """The deliveries in a state."""
    async with opened(site.url, command=True) as store:
        return await store.deliveries.find(state=state)
