"""Where something is sent: an address on the web, which may hold a secret and never prints."""

from typing import Annotated, Any
from urllib.parse import SplitResult, parse_qsl, unquote, urlsplit

from pydantic import BaseModel, BeforeValidator, ConfigDict, InstanceOf

from tornado_cc.core.secret import Secret

EXAMPLE = "https://example.com/hooks"
_LIKE_A_TOKEN = 16
"""Characters from which a part of an address is taken for a secret: to mask every short word of a
path would hide the log, not the address."""


class WebAddress(BaseModel):
    """An http or https address.

    Attributes:
        url: the whole of it, as written.
        secrets: what in it may be a secret by itself, for the redactor.
        host: the name or the address of the machine.
        place: scheme, host and port, for people.
    """

    model_config = ConfigDict(frozen=True, hide_input_in_errors=True)

    url: InstanceOf[Secret]
    secrets: tuple[InstanceOf[Secret], ...] = ()
    host: str
    place: str

    def __str__(self) -> str:
        return self.place

    @property
    def is_plain(self) -> bool:
        """Whether what is sent there is not encrypted."""
        return self.place.startswith("http:")

    @classmethod
    def parse(cls, text: str) -> "WebAddress":
        """The address a text is.

        Raises:
            ValueError: it is none; the message quotes nothing of it.
        """
        try:
            parts = urlsplit(text)
            host, port = parts.hostname or "", parts.port
        except ValueError:
            raise ValueError(f"is not an address; write for example {EXAMPLE}") from None
        if parts.scheme not in ("http", "https") or not host:
            raise ValueError(f"is not an http or https address; write for example {EXAMPLE}")
        where = f"[{host}]" if ":" in host else host
        where += f":{port}" if port else ""
        secrets = tuple(Secret(one) for one in _secrets(parts))
        place = f"{parts.scheme}://{where}"
        return cls(url=Secret(text), secrets=secrets, host=host, place=place)


def _secrets(parts: SplitResult) -> list[str]:
    words = [parts.username or "", *parts.path.split("/")]
    values = [value for _, value in parse_qsl(parts.query)]
    long = [one for one in (*map(unquote, words), *values) if len(one) >= _LIKE_A_TOKEN]
    return [unquote(parts.password), *long] if parts.password else long


def _address(value: Any) -> Any:
    return WebAddress.parse(value.strip()) if isinstance(value, str) else value


WebUrl = Annotated[WebAddress, BeforeValidator(_address)]
"""An http or https address; it may hold a secret."""
