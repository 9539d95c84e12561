"""`[parse_server]`: the Parse Server that plugins talk back to."""

from collections.abc import Sequence

from pydantic import Field

from tornado_cc.core.secret import Secret
from tornado_cc.settings.address import WebUrl
from tornado_cc.settings.types import Seconds, SecretText, Settings


class ParseServerSettings(Settings):
    """What plugins talk back to, and where our webhooks are registered."""

    url: WebUrl | None = Field(
        None,
        description="Its REST API, with the mount path, as in `https://parse.example.com/parse`."
        " Without it there is no `call.parse`.",
    )
    application_id: str = Field("", description="Its `appId`.")
    master_key: SecretText | None = Field(
        None,
        description="Its `masterKey`, for `call.parse.as_master()` and to register webhooks."
        " Without one, plugins have the rights of the calling user only.",
    )
    rest_api_key: SecretText | None = Field(
        None, description="Its `restAPIKey`, where it asks clients for one."
    )
    timeout: Seconds = Field(
        5, description="Seconds it may take to answer, and never more than a hook has left."
    )
    public_url: WebUrl | None = Field(
        None,
        description="Where the Parse Server reaches this server, without the mount of"
        " `[dialect:parse]`. Needed to register webhooks.",
    )
    keep_hooks: bool = Field(
        False,
        description="Whether webhooks that are missing there are registered again, and those that"
        " are there confirmed, for as long as this server runs.",
    )
    keep_hooks_every: Seconds = Field(
        60, ge=1, description="Seconds between two looks at what is registered there."
    )

    @property
    def hidden(self) -> Sequence[Secret]:
        """What of it must not show. Whole addresses may: errors say where they happened."""
        addresses = [one for one in (self.url, self.public_url) if one is not None]
        keys = [one for one in (self.master_key, self.rest_api_key) if one is not None]
        return [*keys, *(secret for one in addresses for secret in one.secrets)]
