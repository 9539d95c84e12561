"""Sources: third parties whose webhooks are signed, and verified first (docs/sources.md)."""

from tornado_cc.core.ports import Dialect, Surroundings
from tornado_cc.dialects.sources.events import Events
from tornado_cc.dialects.sources.settings import DialectSettings, SourceSettings

__all__ = ["IMPLIED", "SECTIONS", "DialectSettings", "SourceSettings", "build"]

SECTIONS = {"source": SourceSettings}
"""Further sections of the conf that belong to this dialect: `[source:NAME]`."""

IMPLIED = True
"""Such a section alone turns the dialect on: `[dialect:sources]` may be left out."""


def build(settings: DialectSettings, surroundings: Surroundings) -> Dialect:
    """The dialect as one conf section and its sources describe it."""
    return Events(settings, surroundings)
