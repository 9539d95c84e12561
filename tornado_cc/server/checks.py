"""Settings that are each valid, and cannot be used or do not fit one another."""

from collections.abc import Mapping

from tornado_cc import flows
from tornado_cc.hooks import Registry
from tornado_cc.hooks.specs import HOOKS
from tornado_cc.server import tls
from tornado_cc.server.tls import BadCertificate
from tornado_cc.settings import (
    DIALECT,
    WEBHOOK,
    AdminSettings,
    Document,
    HooksSettings,
    MailSettings,
    ParseServerSettings,
    ServerSettings,
    Settings,
    StoreSettings,
    WebhookSettings,
)

RESERVED = ("/healthz", "/readyz")
"""Paths that no dialect and no endpoint may have."""


def check(document: Document, everything: Mapping[str, Settings | None]) -> None:
    """Add what is wrong to the mistakes of the document.

    Args:
        everything: the settings by section, None where a section is wrong by itself.
    """
    _check_deadlines(document, everything["hooks"])
    _check_binds(document, everything["server"], everything["admin"])
    _check_certificate(document, everything["server"])
    _check_workers(document, everything["server"], everything["store"])
    _check_webhooks(document, everything)
    _check_mail(document, everything["mail"], everything["server"])
    _check_parse_server(document, everything)
    _check_mounts(document, everything)


def check_mail_plugin(document: Document, mail: Settings | None, registry: Registry) -> None:
    """Add a mistake when the plugin that is to send mail does not.

    Args:
        registry: of every plugin that is loaded.
    """
    if not isinstance(mail, MailSettings) or mail.url is None or mail.url.kind != "plugin":
        return
    name = mail.url.plugin
    if registry.who("send_mail", (name,)):
        return
    able = [claim[0] for claim in registry.claims().of("send_mail")]
    document.add_mistake(
        "mail",
        "url",
        f"names the plugin {name}, which sends no mail",
        f"Plugins that do: {', '.join(sorted(able)) or 'none'}",
    )


def _check_deadlines(document: Document, settings: Settings | None) -> None:
    if not isinstance(settings, HooksSettings):
        return
    for name in settings.deadlines:
        if name not in HOOKS:
            document.add_mistake(
                "hooks",
                "deadlines",
                f"names {name}, which is no hook",
                f"Hooks: {', '.join(HOOKS)}",
            )


def _check_binds(document: Document, server: Settings | None, admin: Settings | None) -> None:
    """The second to listen on a port would say that it is taken, and not that it is by itself."""
    if not isinstance(server, ServerSettings) or not isinstance(admin, AdminSettings):
        return
    if admin.bind is None or admin.bind[1] != server.bind[1] or admin.bind[1] == 0:
        return
    hosts = {admin.bind[0], server.bind[0]}
    if len(hosts) == 1 or hosts & {"0.0.0.0", "::"}:  # noqa: S104 - compared, not listened on
        document.add_mistake(
            "admin", "bind", "has the port of [server] bind", "Set another port, or off"
        )


def _check_certificate(document: Document, server: Settings | None) -> None:
    """At the start it would be too late: a reload asks before it ends the server that runs."""
    if not isinstance(server, ServerSettings):
        return
    certificate, key = server.certificate, server.certificate_key
    if certificate is None or key is None:
        if certificate is not key:
            missing = "certificate" if certificate is None else "certificate_key"
            document.add_mistake("server", missing, "is missing: TLS needs both files")
        return
    try:
        tls.context(certificate, key)
    except BadCertificate as error:
        document.add_mistake("server", "certificate", f"cannot be used with its key: {error}")


def _check_workers(document: Document, server: Settings | None, store: Settings | None) -> None:
    """A SQLite file belongs to one process: the second worker would not start."""
    if not isinstance(server, ServerSettings) or not isinstance(store, StoreSettings):
        return
    if server.workers > 1 and store.url.path is not None:
        document.add_mistake(
            "server",
            "workers",
            f"is {server.workers}, and a SQLite file serves one process",
            "Have [store] url name a PostgreSQL, or set workers = 1",
        )


def _check_webhooks(document: Document, everything: Mapping[str, Settings | None]) -> None:
    for section, one in everything.items():
        if section.startswith(WEBHOOK) and isinstance(one, WebhookSettings):
            for key, problem in flows.unsendable(one):
                document.add_mistake(section, key, f"cannot be used: {problem}")


def _check_parse_server(document: Document, everything: Mapping[str, Settings | None]) -> None:
    section = "parse_server"
    settings = everything[section]
    if not isinstance(settings, ParseServerSettings):
        return
    for key, problem in flows.unusable(settings):
        document.add_mistake(section, key, problem)
    if settings.keep_hooks and f"{DIALECT}parse" not in everything:
        document.add_mistake(
            section, "keep_hooks", "is on, and there is no [dialect:parse] to answer webhooks"
        )


def _check_mail(document: Document, mail: Settings | None, server: Settings | None) -> None:
    if not isinstance(mail, MailSettings):
        return
    for key, problem in flows.unmailable(mail):
        document.add_mistake("mail", key, f"cannot be used: {problem}")
    is_production = isinstance(server, ServerSettings) and server.mode == "production"
    if mail.url is not None and mail.url.password.is_example() and is_production:
        document.add_mistake("mail", "url", "has the password of an example", "Set your own")


def _check_mounts(document: Document, everything: Mapping[str, Settings | None]) -> None:
    """Two dialects at one path would shadow each other."""
    owners: dict[str, str] = {}
    for section, one in everything.items():
        mount = getattr(one, "mount", None) if section.startswith(DIALECT) else None
        if mount is None:
            continue
        first = owners.setdefault(mount, section)
        if first != section:
            document.add_mistake(
                section, "mount", f"is {mount}, as in [{first}]", "Give each dialect its own path"
            )
        if mount in RESERVED:
            document.add_mistake(section, "mount", f"is {mount}, which is the server's own")
