"""The conf file and the environment, read into typed settings.

Owns pydantic: who declares settings elsewhere takes `Field` and what validates from here.
"""

from pydantic import Field, ValidationInfo, field_validator

from tornado_cc.settings.database import Database
from tornado_cc.settings.ini import Document
from tornado_cc.settings.mail import MailPlace, MailSettings
from tornado_cc.settings.mistakes import Mistake, Mistakes
from tornado_cc.settings.parse_server import ParseServerSettings
from tornado_cc.settings.reach import HostPattern, Opening
from tornado_cc.settings.schema import (
    DIALECT,
    NAMED,
    PLUGIN,
    SECTIONS,
    WEBHOOK,
    AdminSettings,
    Configuration,
    DeliveriesSettings,
    HooksSettings,
    JournalSettings,
    LogSettings,
    OutboundSettings,
    PluginSection,
    PluginsSettings,
    ServerSettings,
    StoreSettings,
    WebhookSettings,
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
    "DIALECT",
    "NAMED",
    "PLUGIN",
    "SECTIONS",
    "WEBHOOK",
    "AdminSettings",
    "Configuration",
    "Database",
    "DeliveriesSettings",
    "Document",
    "Durations",
    "Field",
    "HooksSettings",
    "HostPattern",
    "JournalSettings",
    "LogSettings",
    "MailPlace",
    "MailSettings",
    "Mistake",
    "Mistakes",
    "Mount",
    "Names",
    "Opening",
    "OutboundSettings",
    "ParseServerSettings",
    "PluginSection",
    "PluginsSettings",
    "Seconds",
    "SecretText",
    "ServerSettings",
    "Settings",
    "Size",
    "StoreSettings",
    "ValidationInfo",
    "WebhookSettings",
    "field_validator",
    "secrets_in",
]
