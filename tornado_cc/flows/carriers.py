"""What mail is handed over to: a mail server, the log, or a plugin."""

import logging
from datetime import UTC, datetime
from typing import Protocol

from tornado_cc.core.call import CURRENT, MailCall
from tornado_cc.core.errors import Refusal
from tornado_cc.core.mail import without_bodies
from tornado_cc.core.redact import Redactor
from tornado_cc.flows.afterwards import request_of
from tornado_cc.flows.attempt import Attempt, is_opinion, of_refusal
from tornado_cc.flows.probe import Probe
from tornado_cc.hooks import Fires, Implementation, Registry
from tornado_cc.outbound import Mail, MailNotSent, MailServer
from tornado_cc.settings import MailSettings
from tornado_cc.store.outbox import Claimed

_log = logging.getLogger("tornado_cc.flows")

_LONGEST_WORDS = 1000
"""Characters of what somebody says of a mail that are kept with each attempt."""


class Carrier(Protocol):
    """What hands one mail over, once."""

    async def carry(self, mail: Mail, claimed: Claimed) -> Attempt:
        """Do it, and say how it ended."""
        ...


class ServerCarrier:
    """Hands mail over to a mail server."""

    def __init__(self, server: MailServer, redactor: Redactor) -> None:
        self._server = server
        self._redactor = redactor
        self._probe = Probe()

    async def carry(self, mail: Mail, claimed: Claimed) -> Attempt:
        """Send it."""
        return await self._probe.ask(lambda: self._send(mail, claimed), "the mail server")

    async def _send(self, mail: Mail, claimed: Claimed) -> Attempt:
        # The same at every attempt, so that a receiver knows a repeat.
        date = datetime.fromtimestamp(claimed.created_at / 1000, UTC)
        message = mail.bytes(claimed.id.lower(), date)
        try:
            await self._server.send(mail.sender.address, mail.recipients, message)
        except MailNotSent as error:
            self._probe.is_silent = error.silent
            words = self._redactor.kept(error.problem)[:_LONGEST_WORDS]
            return Attempt(error=words, final=error.final)
        self._probe.is_silent = False
        return Attempt()


class LogCarrier:
    """Writes mail to the log in place of sending it.

    Args:
        whole: whether its text too, which in production is nobody's to read.
    """

    def __init__(self, *, whole: bool) -> None:
        self._whole = whole

    async def carry(self, mail: Mail, claimed: Claimed) -> Attempt:
        """Write it."""
        facts = mail.facts() if self._whole else without_bodies(mail.facts())
        lines: dict[str, object] = {"delivery": claimed.id, "plugin": claimed.plugin}
        lines["from"] = _spelt([facts["from"]])
        lines |= {name: _spelt(facts[name]) for name in ("to", "cc", "bcc", "reply_to")}
        lines |= {name: facts[name] for name in ("subject", "text", "html")}
        lines["attachments"] = ", ".join(one["name"] for one in facts["attachments"])
        _log.info("mail", extra={name: value for name, value in lines.items() if value})
        return Attempt()


class PluginCarrier:
    """Gives mail to the plugin that the conf names.

    Args:
        seconds: what each may take.
    """

    def __init__(
        self,
        plugin: str,
        seconds: float,
        registry: Registry,
        runner: Fires,
        redactor: Redactor,
    ) -> None:
        self._plugin = plugin
        self._seconds = seconds
        self._registry = registry
        self._runner = runner
        self._redactor = redactor

    async def carry(self, mail: Mail, claimed: Claimed) -> Attempt:
        """Fire `send_mail`. A refusal is its word that this mail can never be sent."""
        asked = self._registry.who("send_mail", (self._plugin,))
        if not asked:
            return Attempt(error=f"no plugin {self._plugin} sends mail now")
        one = asked[0]
        call = self._call(mail, claimed)
        CURRENT.set(call)
        fired = await self._runner.run(one, call.given_to(one.plugin, one.settings, one.log))
        return self._ended(one, fired.refusal)

    def _call(self, mail: Mail, claimed: Claimed) -> MailCall:
        call = MailCall(
            dialect="mail",
            hook="send_mail",
            claim=(self._plugin,),
            request=request_of(claimed.record),
            message=mail.facts(),
            deadline=self._seconds,
            delivery_id=claimed.id,
            attempt=claimed.attempts,
        )
        call.record = claimed.record
        return call

    def _ended(self, one: Implementation, refusal: Refusal | None) -> Attempt:
        if refusal is None or not is_opinion(refusal):
            return of_refusal(refusal, one.version, self._redactor)
        words = self._redactor.kept(refusal.message)[:_LONGEST_WORDS]
        return Attempt(error=words, final=True, version=one.version)


def carrier_of(
    settings: MailSettings,
    registry: Registry,
    runner: Fires,
    redactor: Redactor,
    *,
    production: bool,
) -> Carrier | None:
    """What hands mail over where the conf says; None when it says nothing."""
    place = settings.url
    if place is None:
        return None
    if place.kind == "console":
        return LogCarrier(whole=not production)
    if place.kind == "plugin":
        return PluginCarrier(place.plugin, settings.timeout, registry, runner, redactor)
    return ServerCarrier(MailServer(settings, place), redactor)


def _spelt(boxes: list[dict[str, str]]) -> str:
    return ", ".join(
        f"{one['name']} <{one['address']}>" if one["name"] else one["address"] for one in boxes
    )
