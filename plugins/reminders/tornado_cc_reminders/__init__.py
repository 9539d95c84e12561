"""Reminds users later of what they say now: a job leaves a `Reminder`, a schedule removes old ones.

A job may run more than once. Its `Reminder` therefore has the id of its delivery, which is the same
at every attempt: what is there already was left by an attempt before.
"""

from datetime import timedelta

from tornado_cc import (
    DuplicateValue,
    Field,
    FunctionCall,
    JobCall,
    ObjectNotFound,
    Plugin,
    Refusal,
    ScheduleCall,
    Settings,
)

LONGEST = 30 * 86_400
MOST_CHARACTERS = 1000


class RemindersSettings(Settings):
    """`[plugin:reminders]`."""

    keep_days: int = Field(30, gt=0, le=3650, description="Days after which a reminder is removed.")


plugin = Plugin("reminders", settings=RemindersSettings)


@plugin.cloud_function("remindMe")
async def remind_me(call: FunctionCall) -> str:
    """Remind the caller of `text` in `seconds`; the answer is the id the reminder will have."""
    if call.user_id is None:
        raise Refusal("Please log in, so that it is known whom to remind.")
    text, seconds = call.params.get("text"), call.params.get("seconds")
    if not isinstance(text, str) or not 0 < len(text) <= MOST_CHARACTERS:
        raise Refusal(f"text has 1 to {MOST_CHARACTERS} characters")
    if type(seconds) is not int or not 0 <= seconds <= LONGEST:
        raise Refusal(f"seconds is a whole number from 0 to {LONGEST}")
    return await call.later("remind", {"text": text}, delay=seconds)


@plugin.job("remind")
async def remind(call: JobCall) -> None:
    """Leave the reminder, for whoever asked for it."""
    fields = {"text": call.params["text"], "user": call.user_id}
    try:
        await call.store.objects("Reminder").create(fields, object_id=call.delivery_id)
    except DuplicateValue:
        call.log.info("reminder was there already")


@plugin.every("day")
async def tidy(call: ScheduleCall) -> None:
    """Remove what is old. One that has no time for all fails, and its next attempt goes on."""
    oldest = call.due_at - timedelta(days=call.settings.keep_days)
    reminders = call.store.objects("Reminder")
    where = {"createdAt": {"$lt": f"{oldest:%Y-%m-%dT%H:%M:%S.000Z}"}}
    while old := await reminders.find(where):
        for one in old:
            try:
                await reminders.delete(one["objectId"])
            except ObjectNotFound:
                continue
        call.log.info("old reminders removed", extra={"reminders": len(old)})
