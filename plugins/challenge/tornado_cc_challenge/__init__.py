"""Answers the question by which Facebook and others make sure that a callback is ours."""

from tornado_cc import CallbackCall, Field, Plugin, Refusal, SecretText, Settings


class ChallengeSettings(Settings):
    """`[plugin:challenge]`."""

    verify_token: SecretText | None = Field(
        None, description="The token the subscription was made with; without one, none fits."
    )


plugin = Plugin("challenge", settings=ChallengeSettings)


@plugin.on_callback(credential="facebook")
async def answer(call: CallbackCall) -> None:
    """Give `hub.challenge` back to whoever knows the token; other posts are taken as they are."""
    challenge = call.data.get("hub.challenge")
    if not isinstance(challenge, str):
        call.script_data["RESPONSE_RAW"] = "OK"
        return
    token = call.data.get("hub.verify_token")
    own = call.settings.verify_token
    if not own or not own.matches(token if isinstance(token, str) else None):
        raise Refusal("The verify token is wrong")
    call.script_data["RESPONSE_RAW"] = challenge
