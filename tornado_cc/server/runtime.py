"""What runs calls: the rooms joined. Nothing in it listens."""

from tornado_cc import flows
from tornado_cc.core.errors import Failure
from tornado_cc.core.meter import Meter
from tornado_cc.core.redact import Redactor
from tornado_cc.flows import (
    Afterwards,
    Attempts,
    Flows,
    Identities,
    Jobs,
    Mails,
    PlayerRunner,
    Records,
    Webhooks,
    carrier_of,
)
from tornado_cc.hooks import Runner
from tornado_cc.outbound import HttpClient, ParseServer
from tornado_cc.server.build import Built
from tornado_cc.server.services import Client, HookServices
from tornado_cc.settings import Configuration, ParseServerSettings
from tornado_cc.store import Store


class StartError(Exception):
    """The worker cannot start; the message says why and what to do."""


class Runtime:
    """The store, the plugins and the flows of a conf, for a server or for one call.

    Attributes:
        registry: every implementation.
        redactor: knows every secret of the settings.
        store: not opened.
        client: not opened; what hooks reach others by.
        parse_server: what they talk back to.
        attempts: who has been guessing credentials.
        runner: runs implementations; `close` ends its threads.
        fires: the same, with the calling player loaded before and saved after each.
        afterwards: promises after-hooks, and runs them.
        jobs: promises what hooks put off, and runs it.
        webhooks: promises what hooks send to others, and sends it.
        mails: promises mail, and hands it over.
        flows: runs calls.
    """

    def __init__(self, built: Built, meter: Meter, client: Client | None = None) -> None:
        configuration = built.configuration
        per_minute = configuration.server.bad_credentials_per_minute
        self.registry = built.registry
        self.redactor = Redactor(built.secrets())
        self.store = Store(configuration.store)
        self.client: Client = client or client_of(configuration, meter)
        self.attempts = Attempts(per_minute)
        # Of their own: who mistypes a password shall not block the Parse Server they go through.
        log_ins = Attempts(per_minute)
        self.parse_server = parse_server(configuration.parse_server, self.client)
        services = HookServices(self.client, self.store.config, log_ins, self.parse_server)
        self.runner = Runner(configuration.hooks, services, meter)
        self.fires = PlayerRunner(self.runner)
        self.afterwards = Afterwards(self.store, self.registry, self.fires, self.redactor)
        self.jobs = Jobs(self.store, self.registry, self.fires, self.redactor)
        services.promised = self.jobs
        destinations = configuration.webhooks
        # A delivery that fails is tried again later, and a receiver that is silent is left alone:
        # a breaker would only use up the attempts.
        http = self.client.declared(
            (one.url.url.reveal() for one in destinations.values()), breaker=False
        )
        self.webhooks = Webhooks(self.store, http, destinations, self.redactor)
        services.sent = self.webhooks
        self.mails = _mails(self, configuration)
        services.mails = self.mails
        services.records = Records(self.store, self.registry, self.fires, self.afterwards)
        identities = Identities(self.store.users, self.store.players, self.attempts)
        self.flows = Flows(self.registry, self.fires, self.afterwards, identities)

    @property
    def promises(self) -> tuple[Afterwards | Jobs | Webhooks | Mails, ...]:
        """What puts something off, and has to be able to wake what runs it."""
        return self.afterwards, self.jobs, self.webhooks, self.mails

    async def start_plugins(self) -> None:
        """Run `on_start` of every plugin. Raises `StartError` for the first that fails."""
        failed = await flows.start(self.registry, self.runner)
        if failed is not None:
            one, refusal = failed
            reason = refusal.log if isinstance(refusal, Failure) else refusal.message
            raise StartError(f"plugin {one.plugin}: on_start ({one.place}) {reason}")

    async def stop_plugins(self) -> None:
        """Run `on_stop` of every plugin, and end the threads of plain functions."""
        await flows.stop(self.registry, self.runner)
        self.runner.close()


def parse_server(
    settings: ParseServerSettings, client: Client, *, breaker: bool = True
) -> ParseServer:
    """The Parse Server of a conf; where it names none, one that says so whatever is asked."""
    url = settings.url
    way = client.declared(() if url is None else (url.url.reveal(),), breaker=breaker)
    return ParseServer(settings, way.within)


def _mails(runtime: Runtime, configuration: Configuration) -> Mails:
    """What keeps mail, and hands it over where a conf says."""
    carrier = carrier_of(
        configuration.mail,
        runtime.registry,
        runtime.fires,
        runtime.redactor,
        production=configuration.server.mode == "production",
    )
    return Mails(runtime.store, configuration.mail, carrier, runtime.redactor)


def client_of(configuration: Configuration, meter: Meter) -> HttpClient:
    """The way out that a conf allows."""
    sections = configuration.plugin_sections
    return HttpClient(
        configuration.outbound,
        loopback=configuration.server.mode == "development",
        hosts={name: one.hosts for name, one in sections.items() if one.hosts is not None},
        meter=meter,
    )
