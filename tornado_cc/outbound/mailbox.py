"""Mail addresses with their names: read from what a plugin says, written into a header."""

import re
import unicodedata
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from email.errors import ObsoleteHeaderDefect
from email.header import Header
from email.policy import SMTP
from typing import Any

import idna

LONGEST_TEXT = 1000
"""Characters of a name or a subject. Writing them takes more than twice as long for twice as
many."""

_LONGEST_ADDRESS = 254
_LONGEST_LOCAL = 64
_LONGEST_LIST = 100_000
"""Characters of a text with many addresses."""
_LOCAL = re.compile(r"[A-Za-z0-9!#$%&'*+/=?^_`{|}~-]+(\.[A-Za-z0-9!#$%&'*+/=?^_`{|}~-]+)*")
_DOMAIN = re.compile(r"(?!-)[A-Za-z0-9_-]{1,63}(?<!-)(\.(?!-)[A-Za-z0-9_-]{1,63}(?<!-))*")
_PLAIN = re.compile(r"[\x21-\x7e]+( [\x21-\x7e]+)*")
_LINE = 66
"""Characters of a plain header, which with its name stay on one line."""
_WRITTEN = "write it as Name <name@example.com>, or as a mapping of name and address"


@dataclass(frozen=True, slots=True)
class Mailbox:
    """Somebody's address.

    Attributes:
        address: ASCII; a domain with other letters is encoded.
        name: any text of one line; empty without one.
    """

    address: str
    name: str = ""

    @property
    def domain(self) -> str:
        """What follows the `@`."""
        return self.address.rpartition("@")[2]

    @property
    def header(self) -> str:
        """As it stands in a header, which it cannot leave."""
        if not self.name:
            return self.address
        if _is_plain(self.name):
            quoted = re.sub(r'(["\\])', r"\\\1", self.name)
            return f'"{quoted}" <{self.address}>'
        return f"{encoded(self.name)} <{self.address}>"

    def facts(self) -> dict[str, str]:
        """As JSON, of which `mailboxes` makes the same again."""
        return {"name": self.name, "address": self.address}


def mailboxes(what: str, value: object) -> list[Mailbox]:
    """The addresses in what a plugin says.

    Args:
        what: the option, for messages.
        value: None; a text with one address or several, separated by commas; a mapping of `name`
            and `address`; a list of these.

    Raises:
        ValueError: it holds something else, or an address that no mail can be sent to.
    """
    if value is None:
        return []
    if isinstance(value, str):
        return _read(what, value)
    if isinstance(value, Mapping):
        return [_made(what, value)]
    if isinstance(value, Iterable) and not isinstance(value, bytes | bytearray):
        return [one for item in value for one in _of_item(what, item)]
    raise ValueError(f"{what}: {_WRITTEN}")


def check_line(what: str, text: object) -> str:
    """A text for a header: one line, so that it cannot begin another header.

    Raises:
        ValueError: it is no text, too long, or has line breaks or other control characters.
    """
    if not isinstance(text, str):
        raise ValueError(f"{what} is not a text")
    if len(text) > LONGEST_TEXT:
        raise ValueError(f"{what} is longer than {LONGEST_TEXT:,} characters")
    _check_characters(what, text)
    return text


def encoded(text: str) -> str:
    """A text of one line as a header has it; read again, it is the same text."""
    if len(text) <= _LINE and _is_plain(text):
        return text
    return Header(text, "utf-8", maxlinelen=75, header_name="x" * 10).encode(linesep="\r\n")


def _of_item(what: str, item: object) -> list[Mailbox]:
    if not isinstance(item, str | Mapping):
        raise ValueError(f"{what}: {_WRITTEN}")
    return mailboxes(what, item)


def _made(what: str, value: Mapping[Any, Any]) -> Mailbox:
    if not {"address"} <= value.keys() <= {"name", "address"}:
        raise ValueError(f"{what}: a mapping has an address, a name and nothing else")
    address, name = value["address"], value.get("name") or ""
    name = check_line(f"{what}: the name", name).strip()
    if not isinstance(address, str) or len(address) > LONGEST_TEXT:
        raise ValueError(f"{what}: the address is not a text, or a very long one")
    local, at, domain = address.strip().rpartition("@")
    if not at:
        raise ValueError(f"{what}: {_shown(address)} is no mail address")
    return Mailbox(_address(what, local, domain), name)


def _read(what: str, text: str) -> list[Mailbox]:
    if len(text) > _LONGEST_LIST:
        raise ValueError(f"{what} is longer than {_LONGEST_LIST:,} characters; give a list")
    _check_characters(what, text)
    try:
        header: Any = SMTP.header_factory("To", text)
        groups, defects = header.groups, header.defects
    except (ValueError, LookupError):
        # The parser of the standard library has no words for some texts.
        raise ValueError(f"{what}: {_shown(text)} is no mail address; {_WRITTEN}") from None
    if any(not isinstance(one, ObsoleteHeaderDefect) for one in defects):
        # It has guessed, and mail must not go where somebody may have meant.
        _raise_defect(what, text, defects)
    if any(group.display_name is not None for group in groups):
        raise ValueError(f"{what}: {_shown(text)} is a group; name the addresses in it")
    return [
        Mailbox(
            _address(what, one.username, one.domain),
            check_line(f"{what}: the name", one.display_name).strip(),
        )
        for one in header.addresses
    ]


def _raise_defect(what: str, text: str, defects: Iterable[Exception]) -> None:
    if not text.isascii() and any("NonASCIILocal" in type(one).__name__ for one in defects):
        _refuse_letters(what, text)
    raise ValueError(f"{what}: {_shown(text)} is no mail address; {_WRITTEN}")


def _address(what: str, local: str, domain: str) -> str:
    """The two parts joined. What is let through needs no quotes, in a header or a command."""
    shown = _shown(f"{local}@{domain}")
    if not local.isascii():
        _refuse_letters(what, shown)
    if not _LOCAL.fullmatch(local) or len(local) > _LONGEST_LOCAL:
        raise ValueError(f"{what}: {shown} is no mail address that every mail server takes")
    try:
        domain = domain if domain.isascii() else idna.encode(domain, uts46=True).decode()
    except UnicodeError:
        raise ValueError(f"{what}: {shown} has a domain that cannot be") from None
    address = f"{local}@{domain}"
    if not _DOMAIN.fullmatch(domain) or len(address) > _LONGEST_ADDRESS:
        raise ValueError(f"{what}: {shown} has a domain that cannot be")
    return address


def _refuse_letters(what: str, shown: str) -> None:
    raise ValueError(
        f"{what}: {_shown(shown)} has letters before the @ that are not ASCII, which not every"
        " mail server takes"
    )


def _check_characters(what: str, text: str) -> None:
    if text.isprintable():
        return
    for one in text:
        kind = unicodedata.category(one)
        if kind == "Cs":
            raise ValueError(f"{what} has a surrogate, which is no character")
        if kind in ("Cc", "Zl", "Zp"):
            raise ValueError(
                f"{what} has a line break or another control character, U+{ord(one):04X}, which"
                " could begin a header of its own"
            )


def _is_plain(text: str) -> bool:
    """Whether it reads the same when it is written as it is."""
    return "=?" not in text and _PLAIN.fullmatch(text) is not None


def _shown(text: str) -> str:
    return repr(text if len(text) <= 100 else f"{text[:100]}...")
