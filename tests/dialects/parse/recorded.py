"""The recorded calls of Parse Server 8.6.94, as data."""

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

FOLDER = Path(__file__).parents[2] / "fixtures" / "parse"


@dataclass(frozen=True)
class Recorded:
    """One call as it came over the wire, and the path below our mount where it would arrive."""

    head: str
    raw_body: str
    path: str
    json: dict[str, Any]

    @property
    def claim(self) -> str:
        """The function's name, or `Class.trigger`."""
        return self.path.removeprefix("/functions/").removeprefix("/triggers/").replace("/", ".")

    def raw(self, path: str) -> bytes:
        """The bytes of the call, sent to another path."""
        _, _, headers = self.head.partition("\r\n")
        return f"POST {path} HTTP/1.1\r\n{headers}{self.raw_body}".encode()


def names() -> list[str]:
    """Every recording there is."""
    return sorted(path.stem for path in FOLDER.glob("*.json"))


def calls(name: str) -> list[Recorded]:
    """The calls of one recording, in order."""
    recording = json.loads((FOLDER / f"{name}.json").read_text("utf-8"))
    return [
        Recorded(one["head"], one["raw_body"], _path(one["path"]), one["json"])
        for one in recording["calls"]
    ]


def _path(recorded: str) -> str:
    """Our path of a recorder's, `/r/BEHAVIOUR/NAME` or `/r/BEHAVIOUR/CLASS.TRIGGER`."""
    class_name, _, trigger = recorded.rpartition("/")[2].partition(".")
    return f"/triggers/{class_name}/{trigger}" if trigger else f"/functions/{class_name}"
