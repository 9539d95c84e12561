"""A mail as it is kept, and as the bytes that a mail server is given."""

import base64
import binascii
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from email.message import EmailMessage
from email.policy import SMTP, Policy
from email.utils import format_datetime
from typing import Any

from tornado_cc.outbound.mailbox import Mailbox, check_line, encoded, mailboxes

MOST_ATTACHMENTS = 20

# Seven bits and short lines pass every mail server on the way unchanged.
_POLICY = SMTP.clone(cte_type="7bit")
_TYPE = re.compile(r"(?!multipart/|message/)[a-z0-9][a-z0-9.+-]{0,62}/[a-z0-9][a-z0-9.+-]{0,62}")
_LONGEST_NAME = 200


@dataclass(frozen=True, slots=True)
class Attachment:
    """A file that goes with a mail.

    Attributes:
        type: as in `application/pdf`.
    """

    name: str
    type: str
    content: bytes = field(repr=False)

    def facts(self) -> dict[str, str]:
        """As JSON, the content in base64."""
        content = base64.b64encode(self.content).decode()
        return {"name": self.name, "type": self.type, "content": content}


@dataclass(frozen=True, slots=True, kw_only=True)
class Mail:
    """A mail that can be sent: nothing in it can become a header or a command of its own.

    Attributes:
        sender: whom it is from.
        to, cc, bcc: whom it goes to; `bcc` stands in no header.
        reply_to: whom an answer goes to.
        subject: one line.
        text: its text; None without one.
        html: the same as HTML; None without it.
    """

    sender: Mailbox
    to: tuple[Mailbox, ...] = ()
    cc: tuple[Mailbox, ...] = ()
    bcc: tuple[Mailbox, ...] = ()
    reply_to: tuple[Mailbox, ...] = ()
    subject: str = field(default="", repr=False)
    text: str | None = field(default=None, repr=False)
    html: str | None = field(default=None, repr=False)
    attachments: tuple[Attachment, ...] = ()

    @property
    def recipients(self) -> list[str]:
        """Every address it goes to, once."""
        return list(dict.fromkeys(one.address for one in (*self.to, *self.cc, *self.bcc)))

    def facts(self) -> dict[str, Any]:
        """As JSON, of which `mail_of` makes the same again."""
        return {
            "from": self.sender.facts(),
            **{name: [one.facts() for one in boxes] for name, boxes in self._boxes().items()},
            "subject": self.subject,
            "text": self.text,
            "html": self.html,
            "attachments": [one.facts() for one in self.attachments],
        }

    def bytes(self, message_id: str, date: datetime) -> bytes:
        """The message, CRLF at the end of each line, without those who get it unseen.

        Args:
            message_id: what stands before the `@` of its Message-ID.
            date: when it was written, UTC.
        """
        message = self._body()
        headers = {"From": self.sender.header}
        for name, boxes in (("To", self.to), ("Cc", self.cc), ("Reply-To", self.reply_to)):
            headers[name] = ",\r\n ".join(one.header for one in boxes)
        if not self.to and not self.cc:
            headers["To"] = "undisclosed-recipients:;"
        headers["Subject"] = encoded(self.subject)
        headers["Date"] = format_datetime(date)
        headers["Message-ID"] = f"<{message_id}@{self.sender.domain}>"
        for name, value in headers.items():
            if value:
                message[name] = _Written(name, value)
        return message.as_bytes()

    def _boxes(self) -> dict[str, tuple[Mailbox, ...]]:
        return {"to": self.to, "cc": self.cc, "bcc": self.bcc, "reply_to": self.reply_to}

    def _body(self) -> EmailMessage:
        message = EmailMessage(policy=_POLICY)
        if self.text is not None:
            message.set_content(self.text)
        if self.html is not None and self.text is not None:
            message.add_alternative(self.html, subtype="html")
        elif self.html is not None:
            message.set_content(self.html, subtype="html")
        for one in self.attachments:
            kind, _, subtype = one.type.partition("/")
            message.add_attachment(one.content, maintype=kind, subtype=subtype, filename=one.name)
        return message


def mail_of(facts: Mapping[str, Any], *, most: int) -> Mail:
    """The mail that a plugin describes, or that `Mail.facts` did.

    Args:
        facts: `from`, `to`, `cc`, `bcc`, `reply_to`, `subject`, `text`, `html`, `attachments`.
        most: how many addresses it may go to.

    Raises:
        ValueError: something in it cannot be sent; the message says what.
    """
    sender = mailboxes("from", facts.get("from"))
    if len(sender) != 1:
        raise ValueError(f"from is one address, not {len(sender)}")
    boxes = {
        name: tuple(mailboxes(name, facts.get(name))) for name in ("to", "cc", "bcc", "reply_to")
    }
    mail = Mail(
        sender=sender[0],
        **boxes,
        subject=check_line("subject", facts.get("subject") or ""),
        text=_text("text", facts.get("text")),
        html=_text("html", facts.get("html")),
        attachments=tuple(_attachments(facts.get("attachments"))),
    )
    count = len(mail.recipients)
    if not count:
        raise ValueError("it goes to nobody: to, cc and bcc are empty")
    if count > most:
        raise ValueError(f"it goes to {count:,} addresses, and [mail] max_recipients is {most:,}")
    if mail.text is None and mail.html is None:
        raise ValueError("it has neither text nor html")
    return mail


class _Written(str):
    """A header that is written as it stands.

    The standard library's own would take a subject such as `=?utf-8?q?hi?=` for an encoded one.
    """

    __slots__ = ("name",)
    name: str

    def __new__(cls, name: str, text: str) -> "_Written":
        self = super().__new__(cls, text)
        self.name = name
        return self

    def fold(self, *, policy: Policy) -> str:
        """Its lines, which are short already."""
        return f"{self.name}: {self}\r\n"


def _text(what: str, value: object) -> str | None:
    if value is None:
        return None
    if not isinstance(value, str):
        raise ValueError(f"{what} is not a text")
    if "\0" in value:
        raise ValueError(f"{what} has a NUL, which mail cannot carry")
    try:
        value.encode()
    except UnicodeEncodeError:
        raise ValueError(f"{what} has a surrogate, which is no character") from None
    return value


def _attachments(value: object) -> Iterable[Attachment]:
    if value is None:
        return []
    if isinstance(value, str | bytes | Mapping) or not isinstance(value, Iterable):
        raise ValueError("attachments is not a list")
    found = list(value)
    if len(found) > MOST_ATTACHMENTS:
        raise ValueError(f"it has {len(found):,} attachments, and may have {MOST_ATTACHMENTS}")
    return [_attachment(f"attachment {number}", one) for number, one in enumerate(found, 1)]


def _attachment(what: str, one: object) -> Attachment:
    if not isinstance(one, Mapping) or set(one) != {"name", "type", "content"}:
        raise ValueError(f"{what} is a mapping of name, type and content")
    name = check_line(f"{what}: its name", one["name"]).strip()
    if not name or "=?" in name or len(name) > _LONGEST_NAME:
        # The standard library would decode what follows =?.
        raise ValueError(f"{what}: its name is empty, too long or has =? in it")
    kind = one["type"].lower() if isinstance(one["type"], str) else ""
    if not _TYPE.fullmatch(kind):
        raise ValueError(f"{what}: its type is a media type such as application/pdf")
    content = one["content"]
    if isinstance(content, str):
        try:
            content = base64.b64decode(content, validate=True)
        except (binascii.Error, ValueError):
            raise ValueError(f"{what}: its content is a text, and not base64") from None
    if not isinstance(content, bytes | bytearray | memoryview):
        raise ValueError(f"{what}: its content is bytes, or a text in base64")
    return Attachment(name, kind, bytes(content))
