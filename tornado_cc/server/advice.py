"""Settings that are valid and, in production, probably not meant."""

from ipaddress import ip_address

from tornado_cc.settings import Configuration


def about(configuration: Configuration) -> list[str]:
    """A sentence for each of them, with what to write instead."""
    if configuration.server.mode != "production":
        return []
    return [
        *_about_store(configuration),
        *_about_admin(configuration),
        *_about_webhooks(configuration),
        *_about_parse_server(configuration),
        *_about_mail(configuration),
    ]


def _about_store(configuration: Configuration) -> list[str]:
    """A service manager chooses the folder in which a relative path starts."""
    path = configuration.store.url.path
    if path is None or path.is_absolute():
        return []
    return [
        f"[store] url is a relative path, so another working folder is another, empty store;"
        f" write sqlite:///{path.absolute()}"
    ]


def _about_admin(configuration: Configuration) -> list[str]:
    """Who reaches the metrics may be anybody: they need no key."""
    bind = configuration.admin.bind
    if bind is None or _is_loopback(bind[0]):
        return []
    return [
        f"[admin] bind is {bind[0]}, which other machines reach, and metrics need no key; let a"
        " firewall keep strangers out, or bind to 127.0.0.1"
    ]


def _about_webhooks(configuration: Configuration) -> list[str]:
    """Whoever knows or overhears an address may speak in our name."""
    found = []
    for name, one in configuration.webhooks.items():
        if not one.secret:
            found.append(
                f"[webhook:{name}] has no secret, so its receiver cannot tell who sends; set one"
            )
        if one.url.is_plain and not _is_loopback(one.url.host):
            found.append(
                f"[webhook:{name}] url is http, which everybody on the way can read; use https"
            )
    return found


def _about_mail(configuration: Configuration) -> list[str]:
    """Mail that nobody gets, and a password that everybody on the way reads."""
    place = configuration.mail.url
    if place is None:
        return []
    if place.kind == "console":
        return ["[mail] url is console:, so mail is written to the log and sent to nobody"]
    if place.kind == "smtp" and place.security == "none" and not _is_loopback(place.host):
        return [
            "[mail] url is smtp, which everybody on the way can read, the password too;"
            " write smtp+starttls or smtps"
        ]
    return []


def _about_parse_server(configuration: Configuration) -> list[str]:
    """The master key goes along in a header."""
    url = configuration.parse_server.url
    if url is None or not url.is_plain or _is_loopback(url.host):
        return []
    return ["[parse_server] url is http, and everybody on the way can read the keys; use https"]


def _is_loopback(host: str) -> bool:
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"
