"""https: who cannot prove who they are is not talked to, and nobody leads us back to http."""

import asyncio
import os
import shutil
import ssl
import subprocess
import sys
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from tests.outbound.conftest import Served
from tests.outbound.wire import Wire, answer
from tornado_cc.outbound import ConnectError, HttpClient

OPENSSL = shutil.which("openssl")
pytestmark = pytest.mark.skipif(OPENSSL is None, reason="openssl makes the certificate")

ASK = """
import asyncio, sys
from tornado_cc.outbound import HttpClient, OutboundError
from tornado_cc.settings import OutboundSettings

async def ask():
    client = HttpClient(OutboundSettings(), loopback=True)
    await client.open()
    try:
        response = await client.request(sys.argv[1], follow_redirects=True)
        print(response.status, response.text)
    except OutboundError as error:
        print(type(error).__name__, error)
    await client.close()

asyncio.run(ask())
"""


def certificate_for(folder: Path, host: str = "127.0.0.1", days: int = 2) -> Path:
    """A key and a certificate for an address, signed by itself. Negative days are over."""
    key, request, cert, both = (folder / name for name in ("key", "request", "cert", "both.pem"))
    made = ["req", "-new", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes"]
    signed = ["x509", "-req", "-in", str(request), "-signkey", str(key), "-days", str(days)]
    names = folder / "names"
    names.write_text(f"subjectAltName=IP:{host}")
    for arguments in (
        [*made, "-subj", f"/CN={host}", "-keyout", str(key), "-out", str(request)],
        [*signed, "-extfile", str(names), "-out", str(cert)],
    ):
        subprocess.run([str(OPENSSL), *arguments], check=True, capture_output=True)
    both.write_text(key.read_text() + cert.read_text())
    return both


@pytest.fixture
def certificate(tmp_path: Path) -> Path:
    """A key and a certificate for 127.0.0.1, signed by itself."""
    return certificate_for(tmp_path)


def secured(path: Path) -> ssl.SSLContext:
    """What a server with this certificate needs."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(path)
    return context


@pytest.fixture
async def secure(certificate: Path, party: Served) -> AsyncIterator[Wire]:
    """A third party with that certificate: first it answers, then it leads to http."""
    moved = answer(b"", f"Location: {party.at('/echo')}", status="302 Found")
    wire = Wire(answer(), moved)
    await wire.start(secured(certificate))
    yield wire
    await wire.stop()


async def test_a_certificate_nobody_vouches_for_ends_the_connection(
    client: HttpClient, secure: Wire
) -> None:
    with pytest.raises(ConnectError, match="certificate verify failed"):
        await client.request(f"https://user:pw@{secure.host}/")
    assert secure.received == []


async def test_a_trusted_third_party_is_asked_and_must_not_lead_to_http(
    secure: Wire, certificate: Path, party: Served
) -> None:
    assert await ask(f"https://{secure.host}/", certificate) == "200 ok"
    told = await ask(f"https://{secure.host}/a", certificate)
    assert told == f"TooManyRedirects https://{secure.host}/a: a redirect from https to http"
    assert party.party.asked == []


@pytest.mark.parametrize(
    ("host", "days", "says"),
    [("127.0.0.2", 2, "IP address mismatch"), ("127.0.0.1", -1, "certificate has expired")],
)
async def test_a_trusted_certificate_of_another_host_or_time_is_none(
    tmp_path: Path, host: str, days: int, says: str
) -> None:
    path, wire = certificate_for(tmp_path, host, days), Wire(answer())
    await wire.start(secured(path))
    url = f"https://{wire.host}/"
    told = await ask(url, path)
    await wire.stop()
    assert told.startswith(f"ConnectError {url}: no connection: ClientConnectorCertificateError")
    assert says in told
    assert wire.received == []


async def ask(url: str, trusted: Path) -> str:
    """What a process that trusts the certificate is told; trust is read once a process."""
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-c", ASK, url),
        stdout=subprocess.PIPE,
        env={**os.environ, "SSL_CERT_FILE": str(trusted)},
    )
    output, _ = await process.communicate()
    return output.decode().strip()
