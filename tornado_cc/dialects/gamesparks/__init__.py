"""GameSparks: external HTTP callbacks (docs/gamesparks.md)."""

from tornado_cc.core.ports import Dialect, Surroundings
from tornado_cc.dialects.gamesparks.callback import Callbacks
from tornado_cc.dialects.gamesparks.settings import CredentialSettings, DialectSettings

__all__ = ["SECTIONS", "CredentialSettings", "DialectSettings", "build"]

SECTIONS = {"credential": CredentialSettings}
"""Further sections of the conf that belong to this dialect: `[credential:NAME]`."""


def build(settings: DialectSettings, surroundings: Surroundings) -> Dialect:
    """The dialect as one conf section and its credentials describe it."""
    return Callbacks(settings, surroundings)
