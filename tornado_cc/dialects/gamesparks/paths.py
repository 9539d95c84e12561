"""What a callback's path says: the api key, a credential, its secret and perhaps a player."""

from collections.abc import Container
from dataclasses import dataclass, field
from urllib.parse import unquote

SERVER = "server"
"""The built-in credential of the default callback."""


@dataclass(frozen=True, slots=True)
class Path:
    """A path taken apart; nothing of it is verified yet. All but the credential may be secrets."""

    api_key: str = field(repr=False)
    credential: str
    secret: str = field(repr=False)
    player_id: str | None = field(repr=False)


def resolve(rest: str, credentials: Container[str], *, strict: bool) -> Path | None:
    """The path behind `{mount}/`, or None when it has no form that is served.

    Args:
        rest: raw, everything after the mount and its slash.
        credentials: the names that serve callbacks.
        strict: whether a URL without a player has to end in a slash.
    """
    parts = [unquote(part) for part in rest.split("/")]
    if not all(parts[:-1]) or not parts[0]:
        return None
    known = len(parts) > 2 and (parts[1] == SERVER or parts[1] in credentials)
    match parts:
        case [key, secret] if secret and not strict:
            return Path(key, SERVER, secret, None)
        case [key, secret, ""]:
            return Path(key, SERVER, secret, None)
        case [key, credential, secret] if known:
            return Path(key, credential, secret, None)
        case [key, secret, player]:
            return Path(key, SERVER, secret, player)
        case [key, credential, secret, player] if known or player:
            return Path(key, credential, secret, player or None)
        case [key, secret, player, ""]:
            return Path(key, SERVER, secret, player)
    return None
