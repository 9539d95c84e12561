"""Implementations and runners made by hand, for tests of the registry and the runner."""

import logging
import math
from collections.abc import Callable
from pathlib import Path
from typing import Any

from tornado_cc.core.redact import Redactor
from tornado_cc.flows import Afterwards, Attempts, Jobs, Mails, Records, Webhooks
from tornado_cc.hooks import Implementation, Registry, Runner
from tornado_cc.hooks.declare import OnTimeout
from tornado_cc.hooks.kinds import is_async, is_inline
from tornado_cc.outbound import HttpClient
from tornado_cc.server.runtime import parse_server
from tornado_cc.server.services import HookServices
from tornado_cc.settings import (
    Database,
    HooksSettings,
    MailSettings,
    ParseServerSettings,
    Settings,
    StoreSettings,
)
from tornado_cc.store import Store


def runner(folder: Path, settings: HooksSettings, client: HttpClient) -> Runner:
    """A runner whose hooks have a store in this folder, which stays closed."""
    url = Database.parse(f"sqlite:///{folder}/store.db")
    store = Store(StoreSettings(url=url))
    nobody = parse_server(ParseServerSettings(), client)
    services = HookServices(client, store.config, Attempts(10), nobody)
    made, registry = Runner(settings, services), Registry(())
    afterwards = Afterwards(store, registry, made, Redactor())
    services.records = Records(store, registry, made, afterwards)
    services.promised = Jobs(store, registry, made, Redactor())
    services.mails = Mails(store, MailSettings(), None, Redactor())
    services.sent = Webhooks(store, client.bound(math.inf), {}, Redactor())
    return made


def implementation(
    plugin: str,
    *claim: str | None,
    hook: str = "before_save",
    function: Callable[..., Any] | None = None,
    function_name: str = "function",
    tryfirst: bool = False,
    trylast: bool = False,
    on_timeout: OnTimeout = "refuse",
) -> Implementation:
    """One implementation; `None` as its claim makes it a plain hookimpl."""

    def do_nothing(call: object) -> None: ...

    do_nothing.__name__ = function_name
    chosen = function or do_nothing
    return Implementation(
        hook=hook,
        claim=None if None in claim else tuple(name for name in claim if name is not None),
        function=chosen,
        plugin=plugin,
        distribution=plugin,
        is_async=is_async(chosen),
        inline=is_inline(chosen),
        settings=Settings(),
        log=logging.getLogger(f"tornado_cc.plugin.{plugin}"),
        on_timeout=on_timeout,
        tryfirst=tryfirst,
        trylast=trylast,
    )
