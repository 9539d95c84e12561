"""`/healthz`: the process answers. `/readyz`: send it work."""

from collections.abc import Callable, Mapping
from enum import Enum

from tornado_cc.core import json_value
from tornado_cc.core.message import JSON, Response
from tornado_cc.store import Store

HEADERS = (*JSON, ("Cache-Control", "no-store"))


class State(Enum):
    """Where a worker is in its life."""

    STARTING = "starting"
    READY = "ready"
    DRAINING = "draining"


class Health:
    """What the two pages say.

    Attributes:
        state: of the worker.
        stuck: says what is wrong with the threads of plugins, when something is.
        further: facts that say nothing about whether it is ready, by name.
    """

    def __init__(self, store: Store) -> None:
        self.state = State.STARTING
        self.stuck: Callable[[], str | None] = lambda: None
        self.further: Callable[[], Mapping[str, str]] = dict
        self._store = store

    def pages(self) -> Mapping[str, Callable[[], Response]]:
        """The pages by path."""
        return {"/healthz": alive, "/readyz": self._ready}

    def facts(self) -> dict[str, str]:
        """What `/readyz` says."""
        further = self.further()
        if self.state is not State.READY:
            return {"status": self.state.value, **further}
        problems = {"store": self._store.problem, "threads": self.stuck()}
        found = {name: one for name, one in problems.items() if one is not None}
        return {"status": "unavailable" if found else self.state.value, **found, **further}

    def _ready(self) -> Response:
        """503 until everything is there, and while the database or the threads are not."""
        return readiness(self.facts())


def alive() -> Response:
    """What `/healthz` answers: whoever can answer is alive."""
    return Response(200, json_value.dump({"status": "ok"}), HEADERS)


def readiness(facts: Mapping[str, str]) -> Response:
    """What `/readyz` answers with such facts."""
    status = 200 if facts["status"] == State.READY.value else 503
    return Response(status, json_value.dump(facts), HEADERS)
