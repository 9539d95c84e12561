"""Lets only users who have paid create, change and delete posts."""

from typing import Any

from tornado_cc import Field, Names, OutboundError, Plugin, Refusal, Settings, TriggerCall


class BloggersSettings(Settings):
    """`[plugin:bloggers]`."""

    paid_up: Names = Field((), description="The objectIds of users who count as paid up.")
    billing_url: str = Field(
        "",
        description="The billing service, asked about everybody else: `GET URL?user=ID` answers"
        ' `{"paid_up": true}`. Empty asks nobody.',
    )


UNCHECKED = "Your account could not be checked. Please try again."

plugin = Plugin("bloggers", settings=BloggersSettings)


@plugin.before_save("Post")
@plugin.before_delete("Post")
async def only_paid_up(call: TriggerCall) -> None:
    """Refuse everybody who has not paid; the master key may do anything."""
    if call.master:
        return
    if call.user is None:
        raise Refusal("Please log in before proceeding.")
    if not await _is_paid_up(call, call.user.get("objectId")):
        raise Refusal(
            "You have outstanding charges on your account."
            " Please update your credit card information before proceeding."
        )


async def _is_paid_up(call: TriggerCall, user: Any) -> bool:
    """Whether a user has paid. A billing service that does not say stops the post, not the bill."""
    if user in call.settings.paid_up:
        return True
    if not call.settings.billing_url or not isinstance(user, str):
        return False
    try:
        answer = await call.http.request(call.settings.billing_url, params={"user": user})
    except OutboundError as error:
        call.log.warning("billing service not asked", extra={"cause": str(error)})
        raise Refusal(UNCHECKED) from error
    paid_up = answer.data.get("paid_up") if isinstance(answer.data, dict) else None
    if not isinstance(paid_up, bool):
        call.log.warning("billing service made no sense")
        raise Refusal(UNCHECKED)
    return paid_up
