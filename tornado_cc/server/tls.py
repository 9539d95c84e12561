"""What the server proves its name with."""

import ssl
from pathlib import Path

from tornado_cc.settings import ServerSettings


class BadCertificate(ValueError):
    """A certificate and a key that cannot be used; the message says why."""


def context_of(settings: ServerSettings) -> ssl.SSLContext | None:
    """What speaks TLS as a conf has it; None when it does not.

    Raises:
        BadCertificate: as `context` does.
    """
    if settings.certificate is None or settings.certificate_key is None:
        return None
    return context(settings.certificate, settings.certificate_key)


def context(certificate: Path, key: Path) -> ssl.SSLContext:
    """What speaks TLS 1.2 and 1.3 with this certificate.

    Args:
        certificate: a file with it and those that vouch for it, PEM.
        key: a file with its private key, PEM.

    Raises:
        BadCertificate: one of them cannot be read, the key has a password, or it is not the key of
            this certificate.
    """
    made = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    made.minimum_version = ssl.TLSVersion.TLSv1_2
    made.set_alpn_protocols(["http/1.1"])
    try:
        # Without a password OpenSSL would ask for one on the terminal.
        made.load_cert_chain(certificate, key, password="")
    except ssl.SSLError as error:
        raise BadCertificate((error.reason or "it is no PEM").lower().replace("_", " ")) from None
    except (OSError, ValueError) as error:
        raise BadCertificate(getattr(error, "strerror", None) or "it cannot be read") from None
    return made
