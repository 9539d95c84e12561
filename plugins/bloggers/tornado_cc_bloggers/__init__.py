"""Lets only users who have paid create, change and delete posts."""

from tornado_cc import Field, Names, Plugin, Refusal, Settings, TriggerCall


class BloggersSettings(Settings):
    """`[plugin:bloggers]`."""

    paid_up: Names = Field((), description="The objectIds of the users who have paid.")


plugin = Plugin("bloggers", settings=BloggersSettings)


@plugin.before_save("Post")
@plugin.before_delete("Post")
async def only_paid_up(call: TriggerCall) -> None:
    """Refuse everybody who has not paid; the master key may do anything."""
    if call.master:
        return
    if call.user is None:
        raise Refusal("Please log in before proceeding.")
    if call.user.get("objectId") not in call.settings.paid_up:
        raise Refusal(
            "You have outstanding charges on your account."
            " Please update your credit card information before proceeding."
        )
