"""Mail is handed to a real mail server: plain, with TLS, logged in, refused, cut off."""

import asyncio
import shutil
import ssl
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.mailserver import USER, MailBox, MailServers, authenticator
from tests.receiver import closed_port
from tornado_cc.outbound import MailNotSent, MailServer
from tornado_cc.settings import MailSettings

MESSAGE = b"Subject: Hi\r\n\r\n.\r\n..two\r\n"
CREDENTIALS = f"{USER}:CANARY%2Fp%40ss%3A%20w0rd@"
OPENSSL = shutil.which("openssl")
needs_openssl = pytest.mark.skipif(OPENSSL is None, reason="openssl makes the certificate")


def client(url: str, **options: Any) -> MailServer:
    settings = MailSettings.model_validate({"url": url, "timeout": 5, **options})
    assert settings.url is not None
    return MailServer(settings, settings.url)


async def send(one: MailServer, *recipients: str) -> None:
    await one.send("a@example.com", recipients or ("b@example.com",), MESSAGE)


async def not_sent(one: MailServer, *recipients: str) -> MailNotSent:
    with pytest.raises(MailNotSent) as caught:
        await send(one, *recipients)
    assert "CANARY" not in f"{caught.value}{caught.value!r}{caught.value.__context__!r}"
    return caught.value


@pytest.fixture
def certificate(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> ssl.SSLContext:
    """What a server on 127.0.0.1 needs, whose CA this process trusts."""
    ca = _made(tmp_path, "ca", "basicConstraints=critical,CA:TRUE")
    own = _made(tmp_path, "own", "subjectAltName=IP:127.0.0.1", ca=ca)
    monkeypatch.setenv("SSL_CERT_FILE", str(ca.with_suffix(".crt")))
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(own.with_suffix(".crt"), own.with_suffix(".key"))
    return context


def _made(folder: Path, name: str, extension: str, ca: Path | None = None) -> Path:
    """A key and a certificate, signed by a CA or by itself; their path without its suffix."""
    path = folder / name
    key, request, cert = (str(path.with_suffix(end)) for end in (".key", ".csr", ".crt"))
    path.with_suffix(".ext").write_text(extension)
    made = ["req", "-new", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes"]
    signer = ["-signkey", key]
    if ca is not None:
        crt, own = str(ca.with_suffix(".crt")), str(ca.with_suffix(".key"))
        signer = ["-CA", crt, "-CAkey", own, "-CAcreateserial"]
    signed = ["x509", "-req", "-in", request, *signer, "-days", "2", "-out", cert]
    for arguments in (
        [*made, "-subj", f"/CN={name}", "-keyout", key, "-out", request],
        [*signed, "-extfile", str(path.with_suffix(".ext"))],
    ):
        subprocess.run([str(OPENSSL), *arguments], check=True, capture_output=True)
    return path


async def test_a_mail_arrives_byte_for_byte(mail_box: MailBox) -> None:
    await send(client(mail_box.at()), "b@example.com", "c@example.com")
    (letter,) = mail_box.got
    assert letter.content == MESSAGE
    assert (letter.sender, letter.recipients) == (
        "a@example.com",
        ["b@example.com", "c@example.com"],
    )
    assert not letter.encrypted


@needs_openssl
async def test_with_starttls_nothing_is_said_before(
    mail_servers: MailServers, certificate: ssl.SSLContext
) -> None:
    box = await mail_servers.start(
        tls_context=certificate,
        require_starttls=True,
        auth_required=True,
        authenticator=authenticator,
    )
    await send(client(box.at("smtp+starttls", CREDENTIALS)))
    assert [one.encrypted for one in box.got] == [True]


@needs_openssl
async def test_smtps_speaks_tls_from_the_first_byte(
    mail_servers: MailServers, certificate: ssl.SSLContext
) -> None:
    box = await mail_servers.start(tls=certificate)
    await send(client(box.at("smtps")))
    assert len(box.got) == 1


@needs_openssl
@pytest.mark.parametrize("scheme", ["smtps", "smtp+starttls"])
async def test_a_server_that_nobody_vouches_for_gets_nothing(
    mail_servers: MailServers,
    certificate: ssl.SSLContext,
    scheme: str,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.delenv("SSL_CERT_FILE")
    how: dict[str, Any] = (
        {"tls": certificate} if scheme == "smtps" else {"tls_context": certificate}
    )
    box = await mail_servers.start(**how)
    error = await not_sent(client(box.at(scheme, CREDENTIALS)))
    assert "certificate verify failed" in error.problem
    assert not error.final
    assert box.got == []


async def test_a_server_without_starttls_is_not_spoken_to_in_the_clear(mail_box: MailBox) -> None:
    error = await not_sent(client(mail_box.at("smtp+starttls", CREDENTIALS)))
    assert "STARTTLS extension not supported" in error.problem
    assert not error.final
    assert mail_box.got == []


async def test_a_log_in_that_is_refused_is_tried_again_and_quotes_nothing(
    mail_servers: MailServers,
) -> None:
    box = await mail_servers.start(
        auth_required=True, auth_require_tls=False, authenticator=authenticator
    )
    await send(client(box.at(credentials=CREDENTIALS)))
    error = await not_sent(client(box.at(credentials=f"{USER}:CANARY-wrong@")))
    assert (error.problem, error.final) == ("the log-in was refused: it answered 535", False)
    # The mail is as good as ever when the conf lacks a log-in.
    error = await not_sent(client(box.at()))
    assert error.problem.startswith("the server refused it: 530")
    assert not error.final
    assert len(box.got) == 1


async def test_a_log_in_that_the_server_does_not_offer_is_said_so(mail_box: MailBox) -> None:
    error = await not_sent(client(mail_box.at(credentials=CREDENTIALS)))
    assert error.problem == "the log-in failed: it offers none that can be used here"
    assert not error.final


@pytest.mark.parametrize(
    ("command", "answer", "problem", "final"),
    [
        ("MAIL", "550 not you", "the server refused it: 550 not you", True),
        ("MAIL", "451 later", "the server refused it: 451 later", False),
        ("DATA", "554 spam", "the server refused it: 554 spam", True),
        ("DATA", "452 full", "the server refused it: 452 full", False),
        (
            "RCPT c@example.com",
            "550 5.1.1 nobody",
            "the server refused c@example.com: 550 5.1.1 nobody",
            True,
        ),
        ("RCPT c@example.com", "450 grey", "the server refused c@example.com: 450 grey", False),
        ("RCPT c@example.com", "421 bye", "the server refused c@example.com: 421 bye", False),
    ],
)
async def test_an_answer_of_500_is_for_good_and_one_of_400_is_not(
    mail_box: MailBox, command: str, answer: str, problem: str, final: bool
) -> None:
    mail_box.will_say(command, answer)
    error = await not_sent(client(mail_box.at()), "b@example.com", "c@example.com", "d@example.com")
    assert (error.problem, error.final, error.silent) == (problem, final, False)
    # For all of them or for none: another attempt would reach the others twice.
    assert mail_box.got == []


async def test_one_recipient_refused_for_good_decides(mail_box: MailBox) -> None:
    mail_box.will_say("RCPT b@example.com", "450 grey")
    mail_box.will_say("RCPT c@example.com", "550 nobody")
    error = await not_sent(client(mail_box.at()), "b@example.com", "c@example.com")
    assert (error.problem, error.final) == ("the server refused c@example.com: 550 nobody", True)


@pytest.mark.parametrize("command", ["MAIL", "RCPT b@example.com", "DATA"])
async def test_a_connection_that_breaks_is_no_verdict(mail_box: MailBox, command: str) -> None:
    mail_box.will_say(command, "drop")
    error = await not_sent(client(mail_box.at()))
    assert error.problem.startswith("the connection broke: ")
    assert not error.final
    await send(client(mail_box.at()))
    assert len(mail_box.got) == 1


@pytest.mark.parametrize("command", ["MAIL", "DATA"])
async def test_a_silent_server_is_given_up_in_time(mail_box: MailBox, command: str) -> None:
    mail_box.will_say(command, "wait")
    error = await not_sent(client(mail_box.at(), timeout=0.5))
    assert (error.problem, error.silent, error.final) == ("no answer within 0.5 s", True, False)


async def test_a_server_that_is_not_there_is_said_so() -> None:
    error = await not_sent(client(f"smtp://127.0.0.1:{closed_port()}"))
    assert error.problem.startswith("no connection: Error connecting to 127.0.0.1")
    assert not error.silent


@pytest.mark.parametrize(
    ("said", "words"),
    [
        (b"", "no connection"),
        (b"554 go away\r\n", "no connection: it answered 554"),
        (b"HTTP/1.1 400 Bad Request\r\n\r\n", "no connection"),
        (b"\xff\xfe\0\r\n", "no connection"),
        (b"220 hi\r\n500 no\r\n500 no\r\n", "no connection"),
        (b"220 " + b"x" * 2_000_000, "no connection"),
    ],
)
async def test_a_server_that_makes_no_sense_ends_the_attempt(said: bytes, words: str) -> None:
    async def talk(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(said)
        writer.close()

    async with await _listening(talk) as server:
        port = server.sockets[0].getsockname()[1]
        error = await not_sent(client(f"smtp://127.0.0.1:{port}"))
    assert error.problem.startswith(words)
    assert not error.final


async def _listening(talk: Callable[..., Any]) -> asyncio.Server:
    return await asyncio.start_server(talk, "127.0.0.1", 0)
