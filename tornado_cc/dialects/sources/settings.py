"""`[dialect:sources]` and `[source:NAME]`."""

import re
from typing import Literal

from tornado_cc.core import header
from tornado_cc.core.secret import Secret
from tornado_cc.dialects.sources.scheme import SCHEMES, Scheme, keys_of
from tornado_cc.settings import (
    Field,
    Mount,
    Seconds,
    SecretText,
    Settings,
    Size,
    ValidationInfo,
    field_validator,
)

SHORTEST = 16
"""Characters of a secret. Wrong signatures block no address: guessing has to be hopeless."""

_OF_HMAC = (
    "secret_encoding",
    "signature_header",
    "prefix",
    "separator",
    "encoding",
    "digest",
    "timestamp_header",
    "timestamp_prefix",
    "id_header",
    "id_field",
    "signed",
)
_FIELDS = re.compile(r"\{([^{}]*)\}")


class DialectSettings(Settings):
    """`[dialect:sources]`: where the events of all sources arrive."""

    mount: Mount = Field("/in", description="The path below which events arrive, `/in/NAME`.")
    max_body: Size = Field(1 << 20, description="The largest event.")


class SourceSettings(Settings):
    """`[source:NAME]`: somebody whose signed webhooks are taken."""

    scheme: Literal["standardwebhooks", "stripe", "github", "slack", "hmac"] = Field(
        description="How they sign. `hmac` is any other way, which the settings below describe."
    )
    secret_encoding: Literal["text", "hex", "base64"] = Field(
        "text", description="`hmac`: what the secret is: the key itself, or an encoding of it."
    )
    secret: SecretText = Field(
        description="What they sign with, at least 16 characters, as they show it."
    )
    previous_secret: SecretText | None = Field(
        None, description="A secret that is good as well, with a warning, while you change it."
    )
    tolerance: Seconds = Field(
        300,
        description="How far the time of signing may be from now, before it or after. Schemes"
        " without a time have no such limit.",
    )
    signature_header: str = Field(
        "X-Signature", description="`hmac`: the header with the signature."
    )
    prefix: str = Field("", description="`hmac`: what stands before the signature in it.")
    separator: str = Field(
        "", description="`hmac`: what separates several entries in it; none when there is one only."
    )
    encoding: Literal["hex", "base64"] = Field(
        "hex", description="`hmac`: how the signature is written."
    )
    digest: Literal["sha256", "sha512", "sha1"] = Field(
        "sha256", description="`hmac`: the hash that is used."
    )
    timestamp_header: str = Field(
        "", description="`hmac`: the header with the time of signing, in seconds since 1970."
    )
    timestamp_prefix: str = Field(
        "",
        description="`hmac`: what that time stands behind, where it is an entry of"
        " `signature_header`.",
    )
    id_header: str = Field(
        "", description="`hmac`: the header with the event's id, by which repeats are known."
    )
    id_field: str = Field("", description="`hmac`: the field of a JSON body with that id.")
    signed: str = Field(
        "{body}",
        validate_default=True,
        description="`hmac`: what is signed, of `{id}`, `{timestamp}` and `{body}`.",
    )

    def made(self) -> Scheme:
        """The scheme these settings describe."""
        if self.scheme != "hmac":
            return SCHEMES[self.scheme]
        return Scheme(
            signature=(self.signature_header,),
            signed=self.signed,
            prefix=self.prefix,
            separator=self.separator,
            encoding=self.encoding,
            digest=self.digest,
            timestamp=_named(self.timestamp_header),
            timestamp_prefix=self.timestamp_prefix,
            id=_named(self.id_header),
            id_field=self.id_field,
            key=self.secret_encoding,
        )

    @field_validator(*_OF_HMAC)
    @classmethod
    def _for_hmac(cls, value: str, info: ValidationInfo) -> str:
        default = cls.model_fields[str(info.field_name)].default
        if info.data.get("scheme", "hmac") != "hmac" and value != default:
            raise ValueError("is a setting of the scheme hmac; the others have theirs built in")
        return value

    @field_validator("secret", "previous_secret")
    @classmethod
    def _is_a_key(cls, secret: Secret | None, info: ValidationInfo) -> Secret | None:
        if secret is None:
            return None
        text = secret.reveal()
        if len(text) < SHORTEST:
            raise ValueError(f"is shorter than {SHORTEST} characters, so it could be guessed")
        named = SCHEMES.get(info.data.get("scheme", ""))
        keys_of(text, named.key if named else info.data.get("secret_encoding", "text"))
        return secret

    @field_validator("signature_header", "timestamp_header", "id_header")
    @classmethod
    def _is_a_header(cls, value: str, info: ValidationInfo) -> str:
        if not value and info.field_name == "signature_header":
            raise ValueError("is empty, and the signature has to be somewhere")
        try:
            header.check(value or "X", "")
        except header.BadHeader:
            raise ValueError("is no name of a header") from None
        return value

    @field_validator("timestamp_prefix")
    @classmethod
    def _is_an_entry(cls, value: str, info: ValidationInfo) -> str:
        if value and not info.data.get("separator", ","):
            raise ValueError("needs a separator: the header has more than one entry then")
        if value and info.data.get("timestamp_header"):
            raise ValueError("says a second time where the time is; keep one of them")
        return value

    @field_validator("signed")
    @classmethod
    def _signs_what_is_there(cls, value: str, info: ValidationInfo) -> str:
        used = _FIELDS.findall(value)
        for name in used:
            if name not in ("id", "timestamp", "body") or used.count(name) > 1:
                raise ValueError("may name {id}, {timestamp} and {body}, each of them once")
        if "body" not in used:
            raise ValueError("does not name {body}, so that anybody could change it")
        timed = info.data.get("timestamp_header") or info.data.get("timestamp_prefix")
        if ("timestamp" in used) != bool(timed):
            raise ValueError(
                "names {timestamp} exactly if timestamp_header or timestamp_prefix is set: a time"
                " that is not signed is worth nothing"
            )
        if "id" in used and not info.data.get("id_header"):
            raise ValueError("names {id}, which needs id_header")
        return value


def _named(text: str) -> tuple[str, ...]:
    return (text,) if text else ()
