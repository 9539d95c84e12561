"""Two servers on one PostgreSQL: they share the work, and each takes over from the other."""

import asyncio
from collections import defaultdict
from collections.abc import Iterator
from contextlib import ExitStack, closing
from pathlib import Path

import pytest

from tests.chaos.ledger import WRITING, Ledger
from tests.chaos.site import PostgreSQLSite
from tests.chaos.storm import Line
from tests.chaos.victim import Victim
from tests.cli.running import until
from tests.store.opened import opened
from tornado_cc.store.deliveries import Delivery

LEASE = 3
"""Seconds. A worker that is held up for as long is taken for gone."""
ENDLESS = (
    WRITING.format(name="endless")
    + """
@plugin.after_save("Event")
async def hang_at_first(call):
    write(call, call.object["number"])
    if call.attempt == 1:
        await asyncio.sleep(3600)
"""
)
ALONE = (
    WRITING.format(name="alone")
    + """
@plugin.after_save("Event")
def be_alone(call):
    # Of two at the same time the second would fail.
    mine = f"{call.settings.path}.{call.object['objectId']}"
    os.mkdir(mine)
    time.sleep(random.random() / 100)
    write(call, call.object["number"])
    os.rmdir(mine)
"""
)
BROKEN = """
from tornado_cc import Plugin

plugin = Plugin("broken")


@plugin.after_save("Event")
async def fail(call):
    raise RuntimeError("always")
"""


@pytest.fixture
def pair(shared: PostgreSQLSite, tmp_path: Path) -> Iterator["Pair"]:
    with ExitStack() as stack:
        yield Pair(shared, tmp_path, stack)


class Pair:
    """Two servers that are alike."""

    def __init__(self, site: PostgreSQLSite, folder: Path, stack: ExitStack) -> None:
        self.site = site
        self._folder = folder
        self._stack = stack

    def prepare(self, lease: int, **plugins: str) -> tuple[Victim, Victim, Ledger]:
        """Two that are not started, and what they write down."""
        ledger = Ledger(self._folder, [name for name in plugins if name != "broken"])
        found = []
        for name in ("one", "two"):
            folder = self._folder / name
            more = ledger.conf
            server = Victim(folder, self.site.url, plugins, more, lease=lease, retry="1h")
            self._stack.callback(server.end)
            found.append(server)
        return found[0], found[1], ledger

    async def deliveries(self) -> list[Delivery]:
        """All there are, the oldest first."""
        async with opened(self.site.url, command=True) as store:
            return (await store.deliveries.find(limit=10_000))[::-1]


async def save(line: Line, name: str, number: int) -> None:
    saved = {"className": "Event", "objectId": name, "number": number}
    assert await line.post("/triggers/Event/afterSave", {"object": saved}) == {}


def test_what_a_killed_worker_ran_is_finished_by_another_after_the_lease(pair: Pair) -> None:
    one, two, ledger = pair.prepare(LEASE, endless=ENDLESS)
    one.start()
    asyncio.run(save_once(one))
    until(lambda: len(ledger.read()) == 1)
    two.start()
    # The worker lives and renews its lease: nobody takes over from it.
    pass_time(pair.site, LEASE * 1.5)
    assert [run.attempt for run in ledger.read()] == [1]
    one.kill()
    end_of_lease = int(pair.site.sql("SELECT due_at FROM deliveries")) / 1000
    until(lambda: len(ledger.read()) == 2)
    first, second = ledger.read()
    assert second.at >= end_of_lease
    assert (second.attempt, second.delivery) == (2, first.delivery)
    assert first.pid != second.pid == two.pid
    until(lambda: pair.site.sql("SELECT state FROM deliveries") == "done")
    (delivery,) = asyncio.run(pair.deliveries())
    (failure,) = delivery.failures
    assert (failure["attempt"], failure["error"]) == (1, "the worker ended during this attempt")
    two.stop()


async def save_once(server: Victim) -> None:
    with closing(Line(server.port)) as line:
        assert await line.connect()
        await save(line, "e1", 1)


def pass_time(site: PostgreSQLSite, seconds: float) -> None:
    """Wait for so long by the clock of the database."""
    site.sql(f"SELECT pg_sleep({seconds})")


def test_two_workers_share_lanes_in_order_and_a_failing_plugin_holds_up_its_own_only(
    pair: Pair,
) -> None:
    one, two, ledger = pair.prepare(30, alone=ALONE, broken=BROKEN)
    one.start()
    two.start()
    asyncio.run(save_at_both(one, two))
    until(lambda: len(ledger.read()) == 120)
    runs = ledger.read()
    assert {run.pid for run in runs} == {one.pid, two.pid}
    lanes = defaultdict(list)
    for run in runs:
        lanes[run.object].append(run.number)
    assert lanes == {f"Event:e{name}": [*range(20)] for name in range(6)}
    assert {run.attempt for run in runs} == {1}
    one.stop()
    two.stop()
    left = [each for each in asyncio.run(pair.deliveries()) if each.state != "done"]
    assert {each.plugin for each in left} == {"broken"}
    assert len(left) == 120
    heads = [each for each in left if each.state == "ready"]
    assert [each.number for each in heads] == sorted(
        min(each.number for each in left if each.lane == head.lane) for head in heads
    )
    assert len(heads) == 6


async def save_at_both(one: Victim, two: Victim) -> None:
    """Six objects at a time, each of them saved by way of one server and then of the other."""

    async def turns(name: str) -> None:
        with closing(Line(one.port)) as first, closing(Line(two.port)) as second:
            assert await first.connect()
            assert await second.connect()
            for number in range(20):
                await save((first, second)[number % 2], name, number)

    await asyncio.gather(*(turns(f"e{number}") for number in range(6)))
