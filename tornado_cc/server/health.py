"""`/healthz`: the process answers. `/readyz`: send it work."""

from collections.abc import Callable, Mapping
from enum import Enum

from tornado_cc.core import json_value
from tornado_cc.core.message import Response

HEADERS = (("Content-Type", "application/json"), ("Cache-Control", "no-store"))


class State(Enum):
    """Where a worker is in its life."""

    STARTING = "starting"
    READY = "ready"
    DRAINING = "draining"


class Health:
    """What the two pages say."""

    def __init__(self) -> None:
        self.state = State.STARTING

    def pages(self) -> Mapping[str, Callable[[], Response]]:
        """The pages by path."""
        return {"/healthz": self._alive, "/readyz": self._ready}

    def _alive(self) -> Response:
        return Response(200, json_value.dump({"status": "ok"}), HEADERS)

    def _ready(self) -> Response:
        status = 200 if self.state is State.READY else 503
        return Response(status, json_value.dump({"status": self.state.value}), HEADERS)
