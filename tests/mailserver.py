"""A mail server on a real socket, by aiosmtpd, which takes mail or refuses it as it is told to."""

import asyncio
import ssl
import warnings
from collections.abc import AsyncIterator
from dataclasses import dataclass
from email import message_from_bytes
from email.message import EmailMessage
from email.policy import default
from typing import Any

import pytest
from aiosmtpd.smtp import SMTP, AuthResult

USER, PASSWORD = "robot", "CANARY/p@ss: w0rd"


@dataclass(frozen=True)
class Letter:
    """One mail that was taken."""

    sender: str
    recipients: list[str]
    content: bytes
    encrypted: bool = False

    @property
    def message(self) -> EmailMessage:
        """The mail as its reader has it."""
        read = message_from_bytes(self.content, policy=default)
        assert isinstance(read, EmailMessage)
        return read

    @property
    def text(self) -> str:
        """What it says."""
        body = self.message.get_body(("plain",))
        assert body is not None
        return str(body.get_content())


class MailBox:
    """What was taken, and what is still to be said: `ok` when nobody said anything.

    To be said in place of it, by command: an answer; `drop`, which ends the connection; `wait`,
    after which nothing comes.
    """

    def __init__(self) -> None:
        self.got: list[Letter] = []
        self.origin = ""
        self.port = 0
        self.connections = 0
        self._says: dict[str, list[str]] = {}

    def at(self, scheme: str = "smtp", credentials: str = "") -> str:
        """The url of this server."""
        return f"{scheme}://{credentials}127.0.0.1:{self.port}"

    def will_say(self, command: str, *answers: str) -> None:
        """Answer `MAIL`, `RCPT address` or `DATA` so the next times."""
        self._says.setdefault(command, []).extend(answers)

    async def until_got(self, count: int) -> list[Letter]:
        """Wait until as many mails have come."""
        async with asyncio.timeout(15):
            while len(self.got) < count:
                await asyncio.sleep(0.005)
        return self.got

    async def handle_MAIL(  # noqa: N802 - aiosmtpd's name
        self, server: SMTP, session: Any, envelope: Any, address: str, options: list[str]
    ) -> str:
        envelope.mail_from = address
        return await self._answer(server, "MAIL")

    async def handle_RCPT(  # noqa: N802 - aiosmtpd's name
        self, server: SMTP, session: Any, envelope: Any, address: str, options: list[str]
    ) -> str:
        answer = await self._answer(server, f"RCPT {address}")
        if answer.startswith("2"):
            envelope.rcpt_tos.append(address)
        return answer

    async def handle_DATA(  # noqa: N802 - aiosmtpd's name
        self, server: SMTP, session: Any, envelope: Any
    ) -> str:
        answer = await self._answer(server, "DATA")
        if answer.startswith("2"):
            self.got.append(
                Letter(
                    envelope.mail_from,
                    list(envelope.rcpt_tos),
                    envelope.content,
                    session.ssl is not None,
                )
            )
        return answer

    async def _answer(self, server: SMTP, command: str) -> str:
        left = self._says.get(command)
        said = left.pop(0) if left else "250 ok"
        if said == "drop":
            _cut(server)
        if said == "wait":
            await asyncio.sleep(60)
        return said


class MailServers:
    """Mail servers that are stopped at the end of the test."""

    def __init__(self) -> None:
        self._servers: list[asyncio.Server] = []
        self._open: list[SMTP] = []

    async def start(self, *, tls: ssl.SSLContext | None = None, **options: Any) -> MailBox:
        """A mail server; `tls` from the first byte, options as aiosmtpd has them."""
        box = MailBox()
        loop = asyncio.get_running_loop()

        def connected() -> SMTP:
            box.connections += 1
            with warnings.catch_warnings():
                # That a log-in without TLS is offered is what the test is about.
                warnings.simplefilter("ignore", UserWarning)
                one = SMTP(box, loop=loop, hostname="mail.test", ident="test", **options)
            self._open.append(one)
            return one

        server = await loop.create_server(connected, "127.0.0.1", 0, ssl=tls)
        self._servers.append(server)
        box.port = int(server.sockets[0].getsockname()[1])
        return box

    async def stop(self) -> None:
        """End every connection."""
        for server in self._servers:
            server.close()
        tasks = []
        for one in self._open:
            _cut(one)
            handling = one._handler_coroutine
            if handling is not None:
                handling.cancel()
                tasks.append(handling)
        await asyncio.gather(*tasks, return_exceptions=True)


def _cut(one: SMTP) -> None:
    """End a connection at once."""
    if isinstance(one.transport, asyncio.Transport):
        one.transport.abort()


def authenticator(server: Any, session: Any, envelope: Any, mechanism: str, data: Any) -> Any:
    """Knows one user."""
    is_known = (data.login.decode(), data.password.decode()) == (USER, PASSWORD)
    return AuthResult(success=is_known, handled=False)


@pytest.fixture
async def mail_servers() -> AsyncIterator[MailServers]:
    """Mail servers on free ports."""
    servers = MailServers()
    yield servers
    await servers.stop()


@pytest.fixture
async def mail_box(mail_servers: MailServers) -> MailBox:
    """A mail server that takes everything."""
    return await mail_servers.start()
