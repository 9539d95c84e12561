"""Cuts the comment of a review that is too long, before it is stored."""

from tornado_cc import Field, Plugin, Settings, TriggerCall

ELLIPSIS = "..."


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
