"""Reminders, from the wish to the day on which they are removed."""

import asyncio
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from sqlalchemy import update

from tests.serving import PARSE, Serve, Served
from tornado_cc.core import clock
from tornado_cc.store.tables import deliveries, objects

USER = {"objectId": "ann"}
JOB = "job remind (reminders)"


async def remind_me(served: Served, user: dict[str, Any] | None = USER, **params: Any) -> Any:
    return await served.webhook("/functions/remindMe", {"params": params, "user": user})


async def reminders(served: Served) -> list[dict[str, Any]]:
    return await served.store.objects.find("Reminder")


async def test_a_reminder_is_there_when_its_time_has_come(serve: Serve) -> None:
    served = await serve(enable="reminders")
    answer = await remind_me(served, text="Water the roses", seconds=1)
    assert await reminders(served) == []
    assert (await served.until_fired(2))[1] == JOB
    await served.until_idle()
    (one,) = await reminders(served)
    assert (one["objectId"], one["text"], one["user"]) == (
        answer["success"],
        "Water the roses",
        "ann",
    )


async def test_one_that_is_tried_twice_is_there_once(serve: Serve) -> None:
    served = await serve(enable="reminders")
    answer = await remind_me(served, text="Once", seconds=0)
    await served.until_fired(2)
    await served.until_idle()
    again = update(deliveries).where(deliveries.c.id == answer["success"])
    again = again.values(state="ready", ended_at=None)
    await served.store.engine.write(lambda connection: connection.execute(again) and None, 10)
    assert (await served.until_fired(3))[1:] == [JOB] * 2
    assert len(await reminders(served)) == 1
    assert len(served.logged("reminder was there already")) == 1
    assert served.logged("hook failed") == []


async def test_whoever_is_not_logged_in_is_not_reminded(serve: Serve) -> None:
    served = await serve(enable="reminders")
    answer = await remind_me(served, None, text="Whom?", seconds=1)
    assert answer == {"error": "Please log in, so that it is known whom to remind."}


@pytest.mark.parametrize(
    ("params", "error"),
    [
        ({"seconds": 1}, "text has 1 to 1000 characters"),
        ({"text": "", "seconds": 1}, "text has 1 to 1000 characters"),
        ({"text": "x" * 1001, "seconds": 1}, "text has 1 to 1000 characters"),
        ({"text": 5, "seconds": 1}, "text has 1 to 1000 characters"),
        ({"text": "x"}, "seconds is a whole number from 0 to 2592000"),
        ({"text": "x", "seconds": -1}, "seconds is a whole number from 0 to 2592000"),
        ({"text": "x", "seconds": True}, "seconds is a whole number from 0 to 2592000"),
        ({"text": "x", "seconds": 1.5}, "seconds is a whole number from 0 to 2592000"),
        ({"text": "x", "seconds": 2_592_001}, "seconds is a whole number from 0 to 2592000"),
    ],
)
async def test_a_wish_that_makes_no_sense_is_refused(
    serve: Serve, params: dict[str, Any], error: str
) -> None:
    served = await serve(enable="reminders")
    assert await remind_me(served, **params) == {"error": error}
    assert await served.store.deliveries.find() == []


async def test_old_reminders_are_removed_on_the_next_day(
    serve: Serve, monkeypatch: pytest.MonkeyPatch
) -> None:
    served = await serve(PARSE + "[plugin:reminders]\nkeep_days = 2\n", enable="reminders")
    for number in range(250):
        await served.store.objects.insert("Reminder", f"old{number}", {"text": "old"})
    for name, days in (("kept", 0), ("barely", 0.5)):
        await served.store.objects.insert("Reminder", name, {"text": name})
        await made(served, name, datetime.now(UTC) - timedelta(days=days))
    await made(served, "old", datetime.now(UTC) - timedelta(days=4), like=True)
    jump = timedelta(days=1)
    monkeypatch.setattr(clock, "utc_now", lambda: datetime.now(UTC) + jump)
    assert await served.until_fired(1) == ["on_schedule reminders.tidy (reminders)"]
    await served.until_idle()
    assert {one["objectId"] for one in await reminders(served)} == {"kept", "barely"}
    told = served.logged("old reminders removed")
    assert [vars(one)["reminders"] for one in told] == [100, 100, 50]


async def made(served: Served, name: str, when: datetime, *, like: bool = False) -> None:
    """Have a reminder, or all whose ids begin so, made at another time."""
    is_it = objects.c.object_id.like(f"{name}%") if like else objects.c.object_id == name
    change = update(objects).where(is_it).values(created_at=clock.iso(when))
    await served.store.engine.write(lambda connection: connection.execute(change) and None, 10)


async def test_a_server_that_was_away_for_a_week_removes_them_once(
    serve: Serve, monkeypatch: pytest.MonkeyPatch
) -> None:
    served = await serve(enable="reminders")
    await asyncio.sleep(0.2)
    await served.server.stop()
    monkeypatch.setattr(clock, "utc_now", lambda: datetime.now(UTC) + timedelta(days=7))
    await served.again()
    await served.until_fired(1)
    await served.until_idle()
    assert len(await served.store.deliveries.find(kind="schedule")) == 1
