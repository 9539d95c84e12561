"""Handing mail over to a mail server. Owns aiosmtplib."""

import asyncio
import re
import socket
import ssl
from collections.abc import Sequence
from contextlib import suppress

import aiosmtplib
from aiosmtplib import (
    SMTP,
    SMTPException,
    SMTPRecipientRefused,
    SMTPResponseException,
    SMTPServerDisconnected,
    SMTPTimeoutError,
)

from tornado_cc.settings import MailPlace, MailSettings

_OURS = frozenset({530, 534, 535, 538})
"""Answers that ask for another log-in: what is wrong is our conf, and not the mail."""
_HOST = re.compile(r"[A-Za-z0-9-]+(\.[A-Za-z0-9-]+)*")
_GOODBYE = 2.0
"""Seconds for a farewell, which nothing depends on."""


class MailNotSent(Exception):
    """A mail that was not handed over.

    Attributes:
        problem: why, with the server's words where it has some: they may quote anything.
        final: whether the server will never take this mail.
        silent: whether it gave no answer in time.
    """

    def __init__(self, problem: str, *, final: bool = False, silent: bool = False) -> None:
        self.problem = problem
        self.final = final
        self.silent = silent
        super().__init__(problem)


class MailServer:
    """A mail server; a connection for each mail, so that no two can be mixed up.

    Args:
        settings: `[mail]`, whose url is that of a mail server.
    """

    def __init__(self, settings: MailSettings, place: MailPlace) -> None:
        self._settings = settings
        self._place = place
        # Whom the machine trusts, or the file that SSL_CERT_FILE names.
        self._tls = None if place.security == "none" else ssl.create_default_context()

    async def send(self, sender: str, recipients: Sequence[str], message: bytes) -> None:
        """Hand a message over, for all of its recipients or for none.

        Args:
            sender: an address, where mail that cannot be delivered comes back to.
            recipients: addresses.
            message: as `Mail.bytes` has it.

        Raises:
            MailNotSent: the server has not taken it, or has not said so.
        """
        smtp = self._connection()
        try:
            async with asyncio.timeout(self._settings.timeout):
                await self._connect(smtp)
                await _hand_over(smtp, sender, recipients, message)
        except TimeoutError:
            raise _expired("no answer", self._settings.timeout) from None
        except (SMTPServerDisconnected, OSError) as error:
            raise MailNotSent(f"the connection broke: {_cause(error)}") from None
        except (SMTPException, ValueError) as error:
            # The library raises the second for a server that makes no sense.
            raise MailNotSent(f"it cannot be talked to: {_cause(error)}") from None
        finally:
            # It has taken the mail, or never will on this connection.
            await _leave(smtp)

    def _connection(self) -> SMTP:
        place = self._place
        return SMTP(
            hostname=place.host,
            port=place.port,
            local_hostname=_own_name(),
            timeout=self._settings.timeout,
            use_tls=place.security == "tls",
            start_tls=place.security == "starttls",
            tls_context=self._tls,
        )

    async def _connect(self, smtp: SMTP) -> None:
        """Connect and log in. What a server says to that is no verdict on the mail."""
        try:
            await smtp.connect(timeout=self._settings.connect_timeout)
            await smtp.ehlo()
        except SMTPTimeoutError:
            raise _expired("no connection", self._settings.connect_timeout) from None
        except SMTPResponseException as error:
            raise MailNotSent(f"no connection: it answered {error.code}") from None
        except (SMTPException, OSError) as error:
            raise MailNotSent(f"no connection: {_cause(error)}") from None
        if not self._place.user:
            return
        try:
            await smtp.login(self._place.user, self._place.password.reveal())
        except SMTPTimeoutError:
            raise _expired("no answer", self._settings.timeout) from None
        except SMTPResponseException as error:
            # Its words may repeat what it was told.
            raise MailNotSent(f"the log-in was refused: it answered {error.code}") from None
        except SMTPException:
            raise MailNotSent("the log-in failed: it offers none that can be used here") from None


async def _hand_over(smtp: SMTP, sender: str, recipients: Sequence[str], message: bytes) -> None:
    size = [f"SIZE={len(message)}"] if smtp.supports_extension("size") else []
    refused: list[SMTPRecipientRefused] = []
    try:
        await smtp.mail(sender, options=size)
        for one in recipients:
            try:
                await smtp.rcpt(one)
            except SMTPRecipientRefused as error:
                refused.append(error)
                if error.code == aiosmtplib.SMTPStatus.domain_unavailable:
                    # It has closed the connection.
                    break
        if not refused:
            await smtp.data(message)
    except SMTPResponseException as error:
        raise _refused("it", error) from None
    if refused:
        # One that is refused for good decides, or the others would be tried in vain.
        worst = max(refused, key=lambda error: _is_final(error.code))
        raise _refused(worst.recipient, worst)


def _refused(what: str, error: SMTPResponseException) -> MailNotSent:
    words = " ".join(error.message.split())
    return MailNotSent(
        f"the server refused {what}: {error.code} {words}".strip(), final=_is_final(error.code)
    )


def _is_final(code: int) -> bool:
    return 500 <= code < 600 and code not in _OURS


async def _leave(smtp: SMTP) -> None:
    if smtp.is_connected:
        with suppress(SMTPException, OSError, TimeoutError, ValueError):
            await smtp.quit(timeout=_GOODBYE)
    smtp.close()


def _expired(what: str, seconds: float) -> MailNotSent:
    return MailNotSent(f"{what} within {seconds:g} s", silent=True)


def _own_name() -> str:
    """What we are called; the name that others know us by would have to be asked of the network."""
    name = socket.gethostname()
    return name if _HOST.fullmatch(name) else "localhost"


def _cause(error: Exception) -> str:
    text = error.strerror if isinstance(error, OSError) and error.strerror else str(error)
    return " ".join(text.split()) or type(error).__name__
