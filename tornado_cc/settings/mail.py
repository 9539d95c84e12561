"""Where mail is handed over: a mail server, the log, or a plugin; its password never prints."""

from typing import Annotated, Any, Literal
from urllib.parse import SplitResult, unquote, urlsplit

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, InstanceOf

from tornado_cc.core.secret import Secret
from tornado_cc.settings.types import Seconds, Settings, Size

EXAMPLES = "smtp+starttls://user:password@mail.example.com:587, console: or plugin:NAME"
_PORTS = {"smtp": 25, "smtp+starttls": 587, "smtps": 465}
_LIKE_A_TOKEN = 16
"""Characters from which a user name without an `@` is taken for a secret, as the key of a mail
service is: to mask every short word would hide the log, not the key."""


class MailPlace(BaseModel):
    """Where mail goes.

    Attributes:
        kind: by SMTP, to the log, or to a plugin.
        security: `tls` from the first byte, `starttls` before anything is said, or `none`.
        host: the mail server's name or address; empty without one.
        port: the mail server's; 0 without one.
        user: who logs in there; empty when nobody does.
        password: theirs.
        secrets: what may be a secret by itself, for the redactor.
        plugin: the plugin that is given every mail; empty without one.
        place: all of it for people, without credentials.
    """

    model_config = ConfigDict(frozen=True, hide_input_in_errors=True)

    kind: Literal["smtp", "console", "plugin"]
    security: Literal["none", "starttls", "tls"] = "none"
    host: str = ""
    port: int = 0
    user: str = Field("", repr=False)
    password: InstanceOf[Secret] = Secret("")
    secrets: tuple[InstanceOf[Secret], ...] = ()
    plugin: str = ""
    place: str

    def __str__(self) -> str:
        return self.place

    @classmethod
    def parse(cls, text: str) -> "MailPlace":
        """The place a URL names.

        Raises:
            ValueError: it names none; the message quotes nothing of it.
        """
        scheme, _, rest = text.partition(":")
        if scheme == "console" and not rest:
            return cls(kind="console", place="console:")
        if scheme == "plugin" and rest.isidentifier():
            return cls(kind="plugin", plugin=rest, place=text)
        if scheme in _PORTS and rest.startswith("//"):
            return _smtp(text)
        raise ValueError(f"is no place for mail; write {EXAMPLES}")


def _smtp(text: str) -> MailPlace:
    if set("/?#") & set(text.partition("//")[2].removesuffix("/")):
        raise ValueError(
            "has something behind the port; a `/`, `?` or `#` in a password is written %2F, %3F"
            " or %23"
        )
    try:
        parts = urlsplit(text)
        host, port = parts.hostname or "", parts.port
    except ValueError:
        raise ValueError(f"is not an address; write {EXAMPLES}") from None
    if not host or not host.isprintable() or " " in host:
        raise ValueError(f"names no mail server; write {EXAMPLES}")
    user, password = _credentials(parts)
    port = _PORTS[parts.scheme] if port is None else port
    where = f"[{host}]" if ":" in host else host
    is_long = len(user) >= _LIKE_A_TOKEN and "@" not in user
    return MailPlace(
        kind="smtp",
        security={"smtps": "tls", "smtp+starttls": "starttls"}.get(parts.scheme, "none"),
        host=host,
        port=port,
        user=user,
        password=Secret(password),
        secrets=(Secret(user),) if is_long else (),
        place=f"{parts.scheme}://{where}:{port}",
    )


def _credentials(parts: SplitResult) -> tuple[str, str]:
    if parts.username is None and parts.password is None:
        return "", ""
    user, password = unquote(parts.username or ""), unquote(parts.password or "")
    if not user or not password:
        raise ValueError("has a user without a password, or a password without a user")
    if any(one in user + password for one in "\0\r\n"):
        raise ValueError("has a line break or a NUL in its user or password")
    return user, password


def _place(value: Any) -> Any:
    return MailPlace.parse(value.strip()) if isinstance(value, str) else value


MailUrl = Annotated[MailPlace, BeforeValidator(_place)]
"""A mail server, the log or a plugin; it may hold a password."""


class MailSettings(Settings):
    """`[mail]`: where `call.mail.send(...)` hands mail over."""

    url: MailUrl | None = Field(
        None,
        description="The mail server, `smtp+starttls://user:password@host:587`, `smtps://` or"
        " `smtp://`; or `console:`, the log; or `plugin:NAME`, a plugin. Left out, no mail is"
        " taken.",
    )
    sender: str | None = Field(
        None,
        description="Whom mail is from when the plugin does not say, as in"
        " `Example <post@example.com>`.",
    )
    timeout: Seconds = Field(30, description="Seconds that handing one mail over may take in all.")
    connect_timeout: Seconds = Field(
        10, description="Seconds making the connection to the mail server may take."
    )
    max_recipients: int = Field(
        50, gt=0, le=1000, description="How many addresses one mail may go to."
    )
    max_size: Size = Field(
        5 << 20, description="The largest mail, its attachments counted in base64."
    )
