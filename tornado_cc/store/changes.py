"""What has come and what has ended since: for somebody who looks on, and asks again and again."""

from collections.abc import Collection
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, Row, select, tuple_, union_all

from tornado_cc.store import moments
from tornado_cc.store.outbox import Failures
from tornado_cc.store.runs import Runs
from tornado_cc.store.tables import CLAIMABLE, ENDED, deliveries, requests

_TABLE = deliveries.c
_PLACE = tuple_(_TABLE.ended_at, _TABLE.number)
_HEAD = tuple(one for one in requests.c if one.name not in ("headers", "body", "answer"))


@dataclass(frozen=True, slots=True, kw_only=True)
class Progress:
    """How far a delivery is: without what it carries."""

    number: int
    id: str
    kind: str
    plugin: str
    target: str
    lane: str | None
    request_id: str | None
    state: str
    attempts: int
    due_at: int
    ended_at: int | None
    failures: Failures


_PROGRESS = tuple(_TABLE[name] for name in Progress.__dataclass_fields__)


class Changes:
    """What a store has to tell to somebody who looks on."""

    def __init__(self, runs: Runs) -> None:
        self._runs = runs

    async def now(self) -> int:
        """The moment, by the clock that deliveries end by."""

        def read(connection: Connection) -> int:
            asked = select(moments.now(connection.dialect.name))
            return int(connection.execute(asked, moments.given(connection)).scalar_one())

        return await self._runs.read(read)

    async def requests_after(self, request_id: str, limit: int) -> list[str]:
        """The ids of requests after one, the oldest first."""
        after = select(requests.c.id).where(requests.c.id > request_id)
        page = after.order_by(requests.c.id).limit(limit)
        return await self._runs.read(lambda connection: [*connection.execute(page).scalars()])

    async def requests(self, ids: Collection[str], *, ended: bool) -> list[dict[str, Any]]:
        """Requests by column, without headers and bodies, the oldest first.

        Args:
            ended: whether only those of which is known what came of them.
        """
        asked = select(*_HEAD).where(requests.c.id.in_(ids)).order_by(requests.c.id)
        if ended:
            asked = asked.where(requests.c.outcome.is_not(None))
        return await self._runs.read(
            # SQLAlchemy's names are no plain texts, and not for JSON.
            lambda connection: [
                {str(name): value for name, value in row._mapping.items()}
                for row in connection.execute(asked)
            ]
        )

    async def ended_after(self, place: tuple[int, int], limit: int) -> list[Progress]:
        """Deliveries that ended after a moment, and behind a number in it, the oldest end first."""
        return await self._found(_ended(place, limit))

    async def failing(self, moment: int) -> list[Progress]:
        """Deliveries that have failed and are due again after a moment, the oldest first."""
        later = (CLAIMABLE, _TABLE.due_at > moment, _TABLE.state == "ready", _TABLE.attempts > 0)
        found = await self._found(select(*_PROGRESS).where(*later))
        # Asked for in order, SQLite would go through all there are.
        return sorted(found, key=lambda one: one.number)

    async def _found(self, asked: Any) -> list[Progress]:
        def read(connection: Connection) -> list[Progress]:
            return [_progress(row) for row in connection.execute(asked)]

        return await self._runs.read(read)


def _ended(place: tuple[int, int], limit: int) -> Any:
    """State by state, as the index has them: asked for at once, PostgreSQL would sort them all."""

    def page(state: str) -> Any:
        after = (ENDED, _TABLE.state == state, _TABLE.ended_at >= place[0])
        found = select(*_PROGRESS).where(*after, tuple_(*place) < _PLACE)
        return found.order_by(_TABLE.ended_at, _TABLE.number).limit(limit).subquery()

    pages = union_all(*(select(page(state)) for state in ("done", "dead", "discarded")))
    return pages.order_by("ended_at", "number").limit(limit)


def _progress(row: Row[Any]) -> Progress:
    return Progress(**row._mapping)
