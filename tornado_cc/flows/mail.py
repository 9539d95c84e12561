"""Mail: promised by a hook, and handed over until a mail server, or a plugin, has taken it."""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence

from tornado_cc.core import json_value
from tornado_cc.core.call import Call, MailCall
from tornado_cc.core.ports import Addresses
from tornado_cc.core.redact import Redactor
from tornado_cc.core.state import Service
from tornado_cc.flows.attempt import Attempt
from tornado_cc.flows.carriers import Carrier
from tornado_cc.flows.promise import promise
from tornado_cc.outbound import Mail, mail_of, mailboxes
from tornado_cc.settings import MailSettings
from tornado_cc.store import Store
from tornado_cc.store.lanes import NewDelivery
from tornado_cc.store.outbox import Claimed

MAIL = "mail"
"""The kind of delivery that hands a mail over; its payload is the mail, as `Mail.facts` has it."""

Options = Iterable[tuple[str, object]]
"""What a plugin says of a mail, by name; a name may come twice, which is a mistake."""

_PROBLEM = "mail cannot be sent"
_OPTIONS = ("from", "to", "cc", "bcc", "reply_to", "subject", "text", "html", "attachments")
_SPELLINGS = {"from_": "from", "replyTo": "reply_to"}


class Mails:
    """Promises mail, and hands it over when it is due."""

    def __init__(
        self,
        store: Store,
        settings: MailSettings,
        carrier: Carrier | None,
        redactor: Redactor,
    ) -> None:
        """What keeps mail in a store.

        Args:
            carrier: what hands it over; None when no mail is taken.
        """
        self._store = store
        self._settings = settings
        self._carrier = carrier
        self._redactor = redactor
        self.wake: Callable[[], None] = lambda: None

    @property
    def is_on(self) -> bool:
        """Whether mail is taken."""
        return self._carrier is not None

    async def add(self, plugin: str, origin: Call | None, options: Options) -> str:
        """Promise a mail and return the id of its delivery.

        While an object is about to be stored it is only put beside it, to be stored with it.

        Raises:
            ValueError: the conf has no [mail] url, or the mail cannot be sent.
            StoreUnavailable: it cannot be promised.
        """
        if self._carrier is None:
            raise ValueError(f"{_PROBLEM}: the conf says nowhere where to; set [mail] url")
        if isinstance(origin, MailCall):
            raise ValueError(f"{_PROBLEM}: by what is sending one, it would never end")
        record = None if origin is None else origin.record
        new = NewDelivery(
            kind=MAIL,
            plugin=plugin,
            target=MAIL,
            payload=self._payload(options),
            request_id=None if record is None else record.id,
        )
        await promise(self._store, self.wake, origin, new)
        return new.id

    async def perform(self, claimed: Claimed) -> Attempt:
        """Hand one mail over once."""
        if self._carrier is None:
            return Attempt(error="the conf has no [mail] url now")
        facts = json_value.parse(claimed.payload.encode())
        # It was let in by what the conf said then.
        mail = mail_of(facts, most=len(claimed.payload))
        return await self._carrier.carry(mail, claimed)

    def _payload(self, options: Options) -> str:
        try:
            facts = _facts(options)
            if facts.get("from") is None:
                facts["from"] = self._settings.sender
            if facts["from"] is None:
                raise ValueError("it has no from, and the conf no [mail] sender")
            mail = mail_of(facts, most=self._settings.max_recipients)
            self._check_size(mail)
            self._check_secrets(mail)
        except ValueError as error:
            raise ValueError(f"{_PROBLEM}: {error}") from None
        return json_value.dump(mail.facts()).decode()

    def _check_size(self, mail: Mail) -> None:
        """Before anything is done with it that takes long."""
        size = sum(len(one.encode()) for one in (mail.text or "", mail.html or ""))
        size += sum(4 * len(one.content) // 3 for one in mail.attachments)
        if size > self._settings.max_size:
            raise ValueError(
                f"it has {size:,} bytes, and [mail] max_size is {self._settings.max_size:,}"
            )

    def _check_secrets(self, mail: Mail) -> None:
        """What must not reach the database must not reach a stranger by mail either."""
        facts = {**mail.facts(), "attachments": None}
        texts = [json_value.dump(facts).decode()]
        # A short secret stands by chance in base64, and hardly ever in bytes.
        texts += [one.content.decode("utf-8", "replace") for one in mail.attachments]
        if any(self._redactor.kept(one) != one for one in texts):
            raise ValueError("it holds a secret of the settings, or a session's token")


class CallMail(Service):
    """Mail as one hook has it; `core.ports.Mail` says what the members do."""

    __slots__ = ("_call", "_mails", "_plugin")

    def __init__(self, mails: Mails, plugin: str, call: Call | None) -> None:
        self._mails = mails
        self._plugin = plugin
        self._call = call

    def __repr__(self) -> str:
        return "<Mail>"

    @property
    def is_on(self) -> bool:
        """Whether the conf says where mail goes."""
        return self._mails.is_on

    async def send(
        self,
        message: Mapping[str, object] | None = None,
        /,
        *,
        from_: Addresses | None = None,
        to: Addresses | None = None,
        cc: Addresses | None = None,
        bcc: Addresses | None = None,
        reply_to: Addresses | None = None,
        subject: str | None = None,
        text: str | None = None,
        html: str | None = None,
        attachments: Sequence[Mapping[str, object]] | None = None,
        **parse: object,
    ) -> str:
        """Have a mail sent, and return the id of its delivery."""
        given = {
            "from_": from_,
            "to": to,
            "cc": cc,
            "bcc": bcc,
            "reply_to": reply_to,
            "subject": subject,
            "text": text,
            "html": html,
            "attachments": attachments,
        }
        named = [(name, value) for name, value in given.items() if value is not None]
        options = (*_items(message), *named, *parse.items())
        return await self._mails.add(self._plugin, self._call, options)


def unmailable(settings: MailSettings) -> Iterator[tuple[str, str]]:
    """The settings with which no mail could be sent, each with why."""
    if settings.sender is None:
        return
    try:
        found = mailboxes("it", settings.sender)
    except ValueError as error:
        yield "sender", str(error)
        return
    if len(found) != 1:
        yield "sender", f"it is one address, not {len(found)}"


def _facts(options: Options) -> dict[str, object]:
    """The options under their names; Parse's spellings are known."""
    facts: dict[str, object] = {}
    for name, value in options:
        plain = _SPELLINGS.get(name, name)
        if plain not in _OPTIONS:
            raise ValueError(f"there is no option {name!r}; there are {', '.join(_OPTIONS)}")
        if plain in facts:
            raise ValueError(f"{plain} is given twice")
        facts[plain] = value
    return facts


def _items(message: object) -> Options:
    if message is None:
        return ()
    if not isinstance(message, Mapping):
        raise ValueError(f"{_PROBLEM}: a message is a mapping of options")
    return message.items()
