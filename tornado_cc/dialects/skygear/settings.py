"""`[dialect:skygear]`."""

from typing import Literal

from tornado_cc.settings import Field, Mount, Names, Seconds, SecretText, Settings


class DialectSettings(Settings):
    """`[dialect:skygear]`: custom HTTP endpoints."""

    mount: Mount = Field("/", description="The path below which endpoints are served.")
    api_key: SecretText | None = Field(
        None, description="The key of clients, `X-Skygear-API-Key`. Without one, no key fits."
    )
    master_key: SecretText | None = Field(
        None, description="The key that may act without a user. Without one, no key fits."
    )
    unmatched: Literal["auto", "home", "404"] = Field(
        "auto",
        description="The answer to a path that no endpoint has: `home` is the original's 200 with"
        ' `{"result":{"status":"OK"}}`; `auto` is that when Skygear is the only dialect, else 404.',
    )
    cors_origin: str = Field(
        "*",
        pattern=r"^[!-~]*$",
        description="The `Access-Control-Allow-Origin` of every answer; empty sends none.",
    )
    response_timeout: Seconds = Field(
        60, description="Seconds an endpoint may take, in place of `[hooks] deadline`."
    )
    verification_required: bool = Field(
        False, description="Whether a user who is not verified is refused, code 128."
    )
    password_days: int = Field(
        0, ge=0, description="Days after which a password is too old, code 126; 0 is never."
    )
    traceback: bool = Field(
        False,
        description="Whether an error carries the traceback, as the original's did; in development"
        " only.",
    )
    idempotency_headers: Names = Field(
        ("Idempotency-Key", "webhook-id"),
        description="The headers in which a sender may give its request an id; the first that is"
        " there counts. A repeat with the same id gets the same answer. Empty heeds none.",
    )
