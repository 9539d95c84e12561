"""The fixture of the conformance table: its conf, its dialect, and requests to it."""

from urllib.parse import quote_from_bytes

from tornado_cc.core.message import Headers, Request
from tornado_cc.core.ports import Claims, Dialect, Surroundings
from tornado_cc.core.secret import Secret
from tornado_cc.dialects.gamesparks import CredentialSettings, DialectSettings, build

CONF = """
[dialect:gamesparks]
api_key = KEY
server_secret = SEC

[credential:cb1]
secret = C1

[credential:pl1]
secret = P1
callbacks = off
"""
DEFAULT = "/callback/KEY/SEC/"


def dialect(strict: bool = True, production: bool = False) -> Dialect:
    """The fixture's dialect without a server around it."""
    settings = DialectSettings(
        api_key=Secret("KEY"), server_secret=Secret("SEC"), strict_trailing_slash=strict
    )
    credentials = {
        "cb1": CredentialSettings(secret=Secret("C1")),
        "pl1": CredentialSettings(secret=Secret("P1"), callbacks=False),
    }
    surroundings = Surroundings(
        Claims({}), production=production, sections={"credential": credentials}
    )
    return build(settings, surroundings)


def request(
    path: str = DEFAULT, query: str = "", body: bytes = b"", kind: str = "", method: str = "POST"
) -> Request:
    """A request as the gate would hand it over."""
    headers = Headers([("Content-Type", kind)] if kind else [])
    return Request(method, path, query, headers, body)


def percent(raw: bytes) -> str:
    """Bytes as a path or a query carries them."""
    return quote_from_bytes(raw, safe="")
