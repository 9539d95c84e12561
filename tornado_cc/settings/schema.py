"""The sections every conf file may have. A dialect's section stands beside the dialect."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from pydantic import Field

from tornado_cc.settings.address import WebUrl
from tornado_cc.settings.database import Database, DatabaseUrl
from tornado_cc.settings.mail import MailSettings
from tornado_cc.settings.parse_server import ParseServerSettings
from tornado_cc.settings.reach import Hosts, Openings
from tornado_cc.settings.types import (
    Address,
    AddressOrOff,
    Delays,
    Durations,
    Names,
    Networks,
    Seconds,
    SecretText,
    Settings,
    Size,
)


class ServerSettings(Settings):
    """`[server]`: where it listens and what it lets in."""

    bind: Address = Field(("127.0.0.1", 8080), description="The address to listen on, `host:port`.")
    mode: Literal["development", "production"] = Field(
        "development",
        description="`production` refuses empty, default and example secrets.",
    )
    trusted_proxies: Networks = Field(
        (),
        description="The proxies in front, as addresses or networks. Of their requests the caller's"
        " address is read from `X-Forwarded-For`.",
    )
    bad_credentials_per_minute: int = Field(
        10,
        ge=1,
        description="How many wrong keys, secrets and tokens an address may send in a minute"
        " before it is answered 429.",
    )
    max_body: Size = Field(
        1 << 20, description="The largest request body, unless a dialect says otherwise."
    )
    max_headers_size: Size = Field(
        16 << 10, description="The largest request line and headers together."
    )
    max_headers: int = Field(100, gt=0, description="The largest number of request headers.")
    wire: Literal["llhttp", "tornado"] = Field(
        "llhttp",
        description="What speaks HTTP/1.1: connections around llhttp, the parser of Node.js, or"
        " Tornado's own, which are slower and less strict.",
    )
    certificate: Path | None = Field(
        None,
        description="A file with the certificate and those that vouch for it, PEM. With it the"
        " server speaks TLS and nothing else.",
    )
    certificate_key: Path | None = Field(
        None, description="A file with the certificate's private key, PEM without a password."
    )
    max_connections: int = Field(
        0,
        ge=0,
        description="How many connections may be open; more are answered 503. Never more than three"
        " quarters of the files the process may open, which is what 0 stands for.",
    )
    header_timeout: Seconds = Field(
        10, description="Seconds a request line and its headers may take to arrive."
    )
    idle_timeout: Seconds = Field(
        60, description="Seconds a connection may wait for its next request."
    )
    body_timeout: Seconds = Field(30, description="Seconds a request's body may take to arrive.")
    write_timeout: Seconds = Field(
        30, description="Seconds for which a caller may take nothing of its answer."
    )
    drain_timeout: Seconds = Field(
        30, description="Seconds that running calls and after-hooks get to finish at a stop."
    )
    workers: int = Field(
        1,
        ge=1,
        le=256,
        description="How many processes serve; several need PostgreSQL. With one there is no parent"
        " that looks after it.",
    )
    max_requests: int = Field(
        0,
        ge=0,
        description="After about how many requests a worker is replaced, 0 for never. With one"
        " process it does nothing, as the next two.",
    )
    max_memory: Size | None = Field(
        None, description="The memory from which on a worker is replaced, what is resident of it."
    )
    max_stall: Seconds = Field(
        30, description="Seconds after which a worker whose event loop is blocked is killed."
    )


class HooksSettings(Settings):
    """`[hooks]`: how long a hook may take."""

    deadline: Seconds = Field(10, description="Seconds one implementation of a hook may take.")
    deadlines: Durations = Field(
        {}, description="Other deadlines by hook, as in `after_save=60, cloud_function=5`."
    )
    threads: int = Field(
        16, gt=0, le=1024, description="How many plain `def` hooks run at the same time."
    )
    stuck_threads: int = Field(
        16,
        ge=0,
        description="How many threads may hang in plain `def` hooks whose deadlines have passed."
        " With more a worker is replaced; a process without others is not ready any more.",
    )


class LogSettings(Settings):
    """`[log]`: what is written to standard error."""

    level: Literal["debug", "info", "warning", "error"] = Field(
        "info", description="The least severe line that is written."
    )
    format: Literal["json", "human"] = Field(
        "json", description="One JSON object a line, or coloured lines for a developer."
    )
    access: bool = Field(True, description="Whether every request is logged.")


class PluginsSettings(Settings):
    """`[plugins]`: which of the installed plugins run."""

    enable: Names = Field((), description="The plugins to load; empty loads every installed one.")
    disable: Names = Field((), description="Installed plugins that are not loaded.")
    optional: Names = Field(
        (), description="Plugins without which the server starts when they cannot be loaded."
    )
    dir: Path | None = Field(
        None,
        description="A folder of one-file plugins, `NAME.py`, beside the installed; `enable` counts"
        " for them too.",
    )


class StoreSettings(Settings):
    """`[store]`: where users, players, configuration and objects are kept."""

    url: DatabaseUrl = Field(
        Database.parse("sqlite:///data/tornado_cc.db"),
        description="The database, `sqlite:///PATH` or `postgresql://user:password@host/name`. A"
        " relative path starts where the server is started.",
    )
    timeout: Seconds = Field(
        5, description="Seconds the database may take over one thing it is asked."
    )
    pool: int = Field(
        10, gt=0, le=1000, description="How many connections to PostgreSQL a worker may open."
    )


class OutboundSettings(Settings):
    """`[outbound]`: the limits of requests that plugins send, and where they may go."""

    timeout: Seconds = Field(
        5, description="Seconds a request may take in all, and never more than its hook has left."
    )
    connect_timeout: Seconds = Field(3, description="Seconds making a connection may take.")
    read_timeout: Seconds = Field(
        30,
        description="Seconds for which the other side may send nothing, where a request has more"
        " time in all.",
    )
    max_response: Size = Field(
        10 << 20, description="The largest response body, counted when decompressed."
    )
    max_redirects: int = Field(
        3, ge=0, le=20, description="How many redirects are followed when a request asks for it."
    )
    connections_per_host: int = Field(
        100, gt=0, le=10_000, description="How many connections to one host a worker may have."
    )
    allow: Openings = Field(
        (),
        description="What may be reached besides public addresses, as in `intranet.example:8443,"
        " 10.0.0.0/8:443`.",
    )
    breaker: bool = Field(
        True, description="Whether a host that keeps failing is left alone for a while."
    )
    breaker_failures: int = Field(
        5, gt=0, description="After how many failures one after another it is left alone."
    )
    breaker_rate: int = Field(
        50,
        gt=0,
        le=100,
        description="Per cent of its requests that fail from which it is left alone too.",
    )
    breaker_requests: int = Field(
        20, gt=0, description="Of how many requests at least such a part is told."
    )
    breaker_window: Seconds = Field(
        30, ge=1, description="Seconds within which those requests were sent."
    )
    breaker_pause: Seconds = Field(
        30, description="Seconds for which it is left alone, until one request tries it."
    )


class AdminSettings(Settings):
    """`[admin]`: where those who look after the server ask how it is."""

    bind: AddressOrOff = Field(
        ("127.0.0.1", 8081),
        description="The address that serves `/metrics`, `/healthz`, `/readyz` and `/status`,"
        " `host:port`, or `off`. No key is asked for.",
    )


class JournalSettings(Settings):
    """`[journal]`: which requests are kept, and for how long."""

    record: Literal["events", "all", "none"] = Field(
        "events",
        description="`events` keeps what after-hooks run for and what bad credentials were sent"
        " with; `all` keeps every request.",
    )
    max_body: Size = Field(
        256 << 10, description="The largest body that is kept; of a larger one only its size is."
    )
    keep_done: int = Field(
        7, gt=0, le=3650, description="Days for which requests and deliveries that are done stay."
    )
    keep_dead: int = Field(30, gt=0, le=3650, description="Days for which dead deliveries stay.")


class DeliveriesSettings(Settings):
    """`[deliveries]`: how what runs after an answer is run."""

    concurrency: int = Field(
        8, gt=0, le=1024, description="How many deliveries a worker runs at the same time."
    )
    retry: Delays = Field(
        (5, 300, 1800, 7200, 18_000, 36_000, 50_400, 72_000, 86_400),
        description="How long to wait after each failed attempt. After one more than these it is"
        " dead.",
    )
    jitter: int = Field(
        20, ge=0, le=100, description="Per cent by which such a wait is made shorter or longer."
    )
    lease: Seconds = Field(
        30,
        ge=1,
        description="Seconds after which another worker takes over from one that gives no sign of"
        " life.",
    )
    poll: Seconds = Field(
        1, description="Seconds between two looks at the database whether something is due."
    )


class WebhookSettings(Settings):
    """`[webhook:NAME]`: where `call.webhooks.send("NAME", ...)` sends to."""

    url: WebUrl = Field(
        description="Where webhooks are posted to. It may hold a secret: no more of it is ever"
        " shown than scheme, host and port."
    )
    secret: SecretText | None = Field(
        None,
        description="What they are signed with, `whsec_` and base64, or any text. Without one they"
        " are not signed.",
    )
    timeout: Seconds = Field(10, description="Seconds the receiver may take to answer.")


class PluginSection(Settings):
    """`[plugin:NAME]`: what every plugin's section may say, beside the plugin's own settings."""

    hosts: Hosts | None = Field(
        None,
        description="The only hosts that the plugin's requests may go to, as in"
        " `api.example.com, *.example.org:8443`. Empty is none at all; left out, all that the"
        " server may reach.",
    )


SECTIONS: Mapping[str, type[Settings]] = {
    "server": ServerSettings,
    "hooks": HooksSettings,
    "log": LogSettings,
    "plugins": PluginsSettings,
    "outbound": OutboundSettings,
    "store": StoreSettings,
    "journal": JournalSettings,
    "deliveries": DeliveriesSettings,
    "mail": MailSettings,
    "admin": AdminSettings,
    "parse_server": ParseServerSettings,
}
"""The sections every conf file may have, by name."""

DIALECT = "dialect:"
PLUGIN = "plugin:"
WEBHOOK = "webhook:"

NAMED: Mapping[str, type[Settings]] = {"webhook": WebhookSettings}
"""Those it may have several of, by prefix; each has a name of its own, as in `[webhook:shop]`."""


@dataclass(frozen=True, slots=True)
class Configuration:
    """Everything a server is built from.

    `webhooks`, `dialects`, `plugin_settings` and `plugin_sections` map a section's name without its
    prefix to its settings, the last two those of the plugin and those of the server in it;
    `further` maps the whole names of what else the dialects asked for, such as
    `credential:NAME`.
    """

    server: ServerSettings
    hooks: HooksSettings
    log: LogSettings
    plugins: PluginsSettings
    outbound: OutboundSettings
    store: StoreSettings
    journal: JournalSettings
    deliveries: DeliveriesSettings
    mail: MailSettings
    admin: AdminSettings
    parse_server: ParseServerSettings
    webhooks: Mapping[str, WebhookSettings]
    dialects: Mapping[str, Settings]
    further: Mapping[str, Settings]
    plugin_settings: Mapping[str, Settings]
    plugin_sections: Mapping[str, PluginSection]
