"""The sections every conf file may have. A dialect's section stands beside the dialect."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from pydantic import Field

from tornado_cc.settings.database import Database, DatabaseUrl
from tornado_cc.settings.types import Address, Durations, Names, Networks, Seconds, Settings, Size


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
    idle_timeout: Seconds = Field(
        60, description="Seconds a connection may wait for its next request."
    )
    body_timeout: Seconds = Field(30, description="Seconds a request's body may take to arrive.")
    drain_timeout: Seconds = Field(
        30, description="Seconds that running calls and after-hooks get to finish at a stop."
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
    """`[outbound]`: the limits of requests that plugins send."""

    timeout: Seconds = Field(
        5, description="Seconds a request may take in all, and never more than its hook has left."
    )
    connect_timeout: Seconds = Field(3, description="Seconds making a connection may take.")
    max_response: Size = Field(
        10 << 20, description="The largest response body, counted when decompressed."
    )
    max_redirects: int = Field(
        3, ge=0, le=20, description="How many redirects are followed when a request asks for it."
    )


SECTIONS: Mapping[str, type[Settings]] = {
    "server": ServerSettings,
    "hooks": HooksSettings,
    "log": LogSettings,
    "plugins": PluginsSettings,
    "outbound": OutboundSettings,
    "store": StoreSettings,
}
"""The sections every conf file may have, by name."""


@dataclass(frozen=True, slots=True)
class Configuration:
    """Everything a server is built from.

    `dialects` and `plugin_settings` map a section's name without its prefix to its settings;
    `further` maps the whole names of what else the dialects asked for, such as `credential:NAME`.
    """

    server: ServerSettings
    hooks: HooksSettings
    log: LogSettings
    plugins: PluginsSettings
    outbound: OutboundSettings
    store: StoreSettings
    dialects: Mapping[str, Settings]
    further: Mapping[str, Settings]
    plugin_settings: Mapping[str, Settings]
