"""`/healthz`: the process answers. `/readyz`: send it work."""

from collections.abc import Callable, Mapping
from enum import Enum

from tornado_cc.core import json_value
from tornado_cc.core.message import Response
from tornado_cc.store import Store

HEADERS = (("Content-Type", "application/json"), ("Cache-Control", "no-store"))


class State(Enum):
    """Where a worker is in its life."""

    STARTING = "starting"
    READY = "ready"
    DRAINING = "draining"


class Health:
    """What the two pages say."""

    def __init__(self, store: Store) -> None:
        self.state = State.STARTING
        self._store = store

    def pages(self) -> Mapping[str, Callable[[], Response]]:
        """The pages by path."""
        return {"/healthz": self._alive, "/readyz": self._ready}

    def _alive(self) -> Response:
        return Response(200, json_value.dump({"status": "ok"}), HEADERS)

    def _ready(self) -> Response:
        """503 until everything is there, and whenever the database is not."""
        facts = {"status": self.state.value}
        if self.state is State.READY and self._store.problem is not None:
            facts = {"status": "unavailable", "store": self._store.problem}
        status = 200 if facts["status"] == State.READY.value else 503
        return Response(status, json_value.dump(facts), HEADERS)
