"""What a replay would do to others and to the store, noted instead of done."""

from dataclasses import dataclass, field
from typing import Any

from tornado_cc.core import json_value
from tornado_cc.core.mail import without_bodies
from tornado_cc.core.redact import MASK, Redactor
from tornado_cc.outbound import Unsent
from tornado_cc.store.undone import Change


@dataclass(frozen=True, slots=True, kw_only=True)
class Note:
    """Something that was not done. What stands here has been through the redactor.

    Attributes:
        during: `on_start`, `request` or `on_stop`.
        what: `http` or `store`.
        verb: a method, or `insert`, `update`, `delete`.
        subject: an address, or a table and its row.
        details: JSON.
    """

    during: str
    what: str
    verb: str
    subject: str
    details: dict[str, Any] = field(repr=False)


class Rehearsal:
    """Notes what is not done, in the order in which it would have been.

    Attributes:
        phase: during what it happens now.
    """

    def __init__(self, redactor: Redactor) -> None:
        self.phase = "on_start"
        self.notes: list[Note] = []
        self._redactor = redactor

    def request(self, unsent: Unsent) -> None:
        """Note a request to others."""
        kind = unsent.content_type
        details = {"bytes": unsent.size, **({"content_type": kind} if kind else {})}
        self._add("http", unsent.method, unsent.url, details if unsent.size else {})

    def change(self, change: Change) -> None:
        """Note a write to the store."""
        subject = " ".join((change.table, *change.key))
        self._add("store", change.verb, subject, _readable(change))

    def _add(self, what: str, verb: str, subject: str, details: dict[str, Any]) -> None:
        self.notes.append(
            Note(
                during=self.phase,
                what=what,
                verb=verb,
                subject=self._redactor.kept(subject),
                details=json_value.parse(self._redactor.kept_json(details)),
            )
        )


def _readable(change: Change) -> dict[str, Any]:
    """The values as JSON, without what an insert leaves empty."""
    values = {
        name: value
        for name, value in change.values.items()
        if not (value is None and change.verb == "insert")
    }
    if change.table == "config" and values.get("master_key_only"):
        # Others may see the screen, as of `config list`.
        values["value"] = MASK
    if change.table == "deliveries" and "payload" in values:
        # As JSON, in which secrets are found by their names.
        values["payload"] = json_value.parse(values["payload"].encode())
        if values.get("kind") == "mail":
            values["payload"] = without_bodies(values["payload"])
    return values
