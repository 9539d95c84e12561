"""The ledger: what after-hooks write down, in a file that no kill of their server undoes.

Two plugins write. One of them fails at times before it does, so that its lanes have retries too.
"""

import json
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

WRITING = """
import asyncio, json, os, random, time
from tornado_cc import Plugin, Settings


class Place(Settings):
    path: str


def write(call, number):
    facts = {{
        "plugin": call.plugin,
        "delivery": call.delivery_id,
        "object": f"{{call.class_name}}:{{call.object['objectId']}}",
        "number": number,
        "attempt": call.attempt,
        "pid": os.getpid(),
        "at": time.time(),
    }}
    line = json.dumps(facts) + "\\n"
    ledger = os.open(call.settings.path, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600)
    try:
        # One write: lines of other threads and processes do not mix with it.
        assert os.write(ledger, line.encode()) == len(line)
        os.fsync(ledger)
    finally:
        os.close(ledger)


plugin = Plugin("{name}", settings=Place)
"""
"""How a plugin of that name begins."""
STEADY = (
    WRITING.format(name="steady")
    + """
@plugin.after_save("Event")
@plugin.after_save("Counter")
def note(call):
    time.sleep(random.random() / 100)
    write(call, call.object["number"])
    time.sleep(random.random() / 200)


@plugin.cloud_function("begin")
async def begin(call):
    await call.store.objects("Counter").create({"number": 0}, object_id=call.params["id"])


@plugin.cloud_function("count")
async def count(call):
    one_more = {"number": {"__op": "Increment", "amount": 1}}
    counter = await call.store.objects("Counter").update(call.params["id"], one_more)
    return counter["number"]
"""
)
MOODY = (
    WRITING.format(name="moody")
    + """
@plugin.after_save("Event")
@plugin.after_save("Counter")
def fail_at_times(call):
    if random.random() < 0.01:
        raise RuntimeError("at times")
    write(call, call.object["number"])
"""
)
PLUGINS = {"steady": STEADY, "moody": MOODY}


@dataclass(frozen=True)
class Execution:
    """One run of a hook that got as far as to write it down; `at` is in seconds since 1970."""

    plugin: str
    delivery: str
    object: str
    number: int
    attempt: int
    pid: int
    at: float

    @property
    def event(self) -> tuple[str, int]:
        """What happened: which object was saved, and for the how manieth time."""
        return self.object, self.number

    @property
    def lane(self) -> tuple[str, str]:
        """What keeps its order."""
        return self.plugin, self.object


class Ledger:
    """The file; `conf` are the sections by which plugins find it."""

    def __init__(self, folder: Path, plugins: Iterable[str] = PLUGINS) -> None:
        self._path = folder / "ledger"
        self.conf = "".join(f"\n[plugin:{name}]\npath = {self._path}\n" for name in plugins)

    def read(self) -> Sequence[Execution]:
        """Every execution in the order they were written down."""
        return list(self._read())

    def _read(self) -> Iterator[Execution]:
        if not self._path.exists():
            return
        text = self._path.read_text()
        assert text.endswith("\n")
        for line in text.splitlines():
            yield Execution(**json.loads(line))
