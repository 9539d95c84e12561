"""Cuts the comment of a review that is too long, and tells of each review that is stored."""

from tornado_cc import Field, Plugin, Settings, TriggerCall

ELLIPSIS = "..."
WEBHOOK = "reviews"
TOLD = ("objectId", "comment", "stars")
"""The fields that a receiver gets: enough to read along, and to ask for the rest."""


class ReviewsSettings(Settings):
    """`[plugin:reviews]`."""

    max_length: int = Field(
        140,
        ge=len(ELLIPSIS),
        description="The most characters a comment may have; the last three become `...`.",
    )


plugin = Plugin("reviews", settings=ReviewsSettings)


@plugin.before_save("Review")
async def keep_it_short(call: TriggerCall) -> None:
    """Shorten `comment` when it is a text; a deletion or nothing at all passes as it came."""
    limit = call.settings.max_length
    comment = call.object.get("comment")
    if isinstance(comment, str) and len(comment) > limit:
        call.object["comment"] = comment[: limit - len(ELLIPSIS)] + ELLIPSIS


@plugin.after_save("Review")
async def tell(call: TriggerCall) -> None:
    """Send the review to `[webhook:reviews]`, if there is one, in the order of its changes."""
    if WEBHOOK not in call.webhooks.names:
        return
    event = "review.created" if call.original is None else "review.updated"
    told = {name: call.object[name] for name in TOLD if name in call.object}
    await call.webhooks.send(WEBHOOK, told, key=call.object["objectId"], event=event)
