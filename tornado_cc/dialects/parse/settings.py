"""`[dialect:parse]`."""

from typing import Literal

from tornado_cc.core.secret import Secret
from tornado_cc.settings import Field, Mount, SecretText, Settings, Size


class DialectSettings(Settings):
    """Webhooks of a Parse Server."""

    mount: Mount = Field("/webhooks", description="The path below which webhooks arrive.")
    webhook_key: SecretText = Field(
        Secret(""),
        description="The Parse Server's `webhookKey`. Empty asks for no key: development only.",
    )
    unauthorized_status: Literal[200, 401] = Field(
        200,
        description="The status of an answer to a wrong key; `401` makes it 429 after too many. A"
        " Parse Server shows its client our whole response for any status of 400 or more.",
    )
    unchanged: Literal["empty", "true"] = Field(
        "empty",
        description='The answer to a save that no plugin changed: `{}`, or `{"success": true}`'
        " for servers that predate Parse Server 7.",
    )
    max_body: Size = Field(10 << 20, description="The largest webhook body.")
