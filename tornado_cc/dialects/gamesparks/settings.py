"""`[dialect:gamesparks]` and `[credential:NAME]`."""

from typing import Literal

from tornado_cc.core.secret import Secret
from tornado_cc.settings import Field, Mount, Names, SecretText, Settings


class DialectSettings(Settings):
    """`[dialect:gamesparks]`: external HTTP callbacks."""

    mount: Mount = Field("/callback", description="The path below which callbacks arrive.")
    api_key: SecretText = Field(
        Secret(""), description="The first part of every callback URL, the game's API key."
    )
    server_secret: SecretText = Field(
        Secret(""), description="The secret of the default callback, credential `server`."
    )
    strict_trailing_slash: bool = Field(
        True,
        description="Whether a URL without a player has to end in a slash, as GameSparks demands.",
    )
    unknown_player: Literal["none", "404"] = Field(
        "none",
        description="What a player in the URL whom nobody knows is: no player at all, or refused.",
    )
    idempotency_headers: Names = Field(
        ("Idempotency-Key", "webhook-id"),
        description="The headers in which a sender may give its request an id; the first that is"
        " there counts. A repeat with the same id gets the same answer. Empty heeds none.",
    )


class CredentialSettings(Settings):
    """`[credential:NAME]`: a further callback with a secret of its own."""

    secret: SecretText = Field(description="The secret in the credential's callback URL.")
    callbacks: bool = Field(
        True, description="Whether the credential serves callbacks; `off` answers 403."
    )
