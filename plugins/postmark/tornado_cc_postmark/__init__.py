"""Hands mail to Postmark over its HTTP API: `[mail] url = plugin:postmark`.

A mail may be handed over twice, when its worker ended before Postmark's answer was noted: Postmark
has no way to know a repeat. `Metadata` holds the id of the delivery, by which one can be found.
"""

from collections.abc import Mapping
from typing import Any

from tornado_cc import Field, HttpError, MailCall, Plugin, Refusal, SecretText, Settings

INVALID, INACTIVE = 300, 406
"""What is wrong is the mail, or its recipient. All else may be mended, here or at Postmark."""


class PostmarkSettings(Settings):
    """`[plugin:postmark]`."""

    token: SecretText | None = Field(
        None, description="The token of a Postmark server. Without one no mail is handed over."
    )
    url: str = Field(
        "https://api.postmarkapp.com/email", description="Where Postmark takes one mail."
    )
    stream: str = Field("outbound", description="The message stream that mail is sent in.")


plugin = Plugin("postmark", settings=PostmarkSettings)


@plugin.send_mail
async def hand_over(call: MailCall) -> None:
    """Hand one mail to Postmark; a refusal is its word that it never takes it."""
    token = call.settings.token
    if token is None:
        raise RuntimeError("[plugin:postmark] token is not set")
    headers = {
        "Accept": "application/json",
        "Content-Type": "application/json",
        "X-Postmark-Server-Token": token.reveal(),
    }
    body = {**of(call.message), "MessageStream": call.settings.stream}
    body["Metadata"] = {"delivery": call.delivery_id}
    try:
        await call.http.request(call.settings.url, method="POST", headers=headers, body=body)
    except HttpError as error:
        refusal = refused(error)
        if refusal is None:
            raise
        raise refusal from None


def of(message: Mapping[str, Any]) -> dict[str, Any]:
    """A mail in Postmark's terms."""
    body = {
        "From": spelt([message["from"]]),
        "To": spelt(message["to"]),
        "Cc": spelt(message["cc"]),
        "Bcc": spelt(message["bcc"]),
        "ReplyTo": spelt(message["reply_to"]),
        "Subject": message["subject"],
        "TextBody": message["text"],
        "HtmlBody": message["html"],
        "Attachments": [
            {"Name": one["name"], "ContentType": one["type"], "Content": one["content"]}
            for one in message["attachments"]
        ],
    }
    return {name: value for name, value in body.items() if value}


def spelt(boxes: list[dict[str, str]]) -> str:
    """Addresses with their names, which are quoted whatever is in them."""
    return ", ".join(
        f'"{_escaped(one["name"])}" <{one["address"]}>' if one["name"] else one["address"]
        for one in boxes
    )


def refused(error: HttpError) -> Refusal | None:
    """Postmark's word that a mail can never be sent; None when another attempt may go better."""
    said = error.response.data
    if error.status != 422 or not isinstance(said, dict):
        return None
    if said.get("ErrorCode") not in (INVALID, INACTIVE):
        return None
    return Refusal(f"Postmark does not take it: {said.get('Message')}")


def _escaped(name: str) -> str:
    return name.replace("\\", "\\\\").replace('"', '\\"')
