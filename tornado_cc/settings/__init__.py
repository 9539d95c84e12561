"""The conf file and the environment, read into typed settings.

Owns pydantic: who declares settings elsewhere takes `Field` from here.
"""

from pydantic import Field

from tornado_cc.settings.database import Database
from tornado_cc.settings.ini import Document
from tornado_cc.settings.mistakes import Mistake, Mistakes
from tornado_cc.settings.schema import (
    SECTIONS,
    Configuration,
    HooksSettings,
    LogSettings,
    OutboundSettings,
    PluginsSettings,
    ServerSettings,
    StoreSettings,
)
from tornado_cc.settings.types import (
    Durations,
    Mount,
    Names,
    Seconds,
    SecretText,
    Settings,
    Size,
    secrets_in,
)

__all__ = [
    "SECTIONS",
    "Configuration",
    "Database",
    "Document",
    "Durations",
    "Field",
    "HooksSettings",
    "LogSettings",
    "Mistake",
    "Mistakes",
    "Mount",
    "Names",
    "OutboundSettings",
    "PluginsSettings",
    "Seconds",
    "SecretText",
    "ServerSettings",
    "Settings",
    "Size",
    "StoreSettings",
    "secrets_in",
]
