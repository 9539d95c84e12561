"""Our webhooks at the Parse Server of a conf."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from tornado_cc.core.meter import Unmetered
from tornado_cc.dialects.parse import DialectSettings, manifest
from tornado_cc.flows import Drift, Registration, declared
from tornado_cc.server.build import Built
from tornado_cc.server.runtime import client_of, parse_server
from tornado_cc.server.services import Client
from tornado_cc.settings import Configuration
from tornado_cc.store import Store


class NotRegistrable(Exception):
    """The conf does not say all that registering takes; the message says what is missing."""


def registration_of(built: Built, client: Client) -> Registration:
    """What is to be registered, and where.

    Raises:
        NotRegistrable: something is missing in the conf.
    """
    configuration = built.configuration
    settings = configuration.parse_server
    dialect = configuration.dialects.get("parse")
    missing = _missing(configuration)
    if missing or not isinstance(dialect, DialectSettings) or settings.public_url is None:
        raise NotRegistrable(f"the conf has no {missing}, which registering webhooks takes")
    root = settings.public_url.url.reveal().rstrip("/") + dialect.mount
    # Each look tells whether it is back; a breaker would only make that later.
    server = parse_server(settings, client, breaker=False)
    return Registration(server, root, declared(manifest(built.registry.claims())))


def drift_of(built: Built, client: Client, store: Store) -> Drift | None:
    """What looks after them while a server runs; None where the conf does not say enough."""
    try:
        registration = registration_of(built, client)
    except NotRegistrable:
        return None
    return Drift(registration, store, built.configuration.parse_server)


@asynccontextmanager
async def opened(built: Built) -> AsyncIterator[Registration]:
    """The same for one command, with a client of its own. Raises `NotRegistrable`."""
    client = client_of(built.configuration, Unmetered())
    registration = registration_of(built, client)
    await client.open()
    try:
        yield registration
    finally:
        await client.close()


def _missing(configuration: Configuration) -> str:
    """The first setting that is missing, or nothing."""
    settings = configuration.parse_server
    needed = (
        ("[dialect:parse]", "parse" in configuration.dialects),
        ("[parse_server] url", settings.url),
        ("[parse_server] master_key", settings.master_key),
        ("[parse_server] public_url", settings.public_url),
    )
    return next((name for name, value in needed if not value), "")
