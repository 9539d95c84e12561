"""Parse: the webhooks a Parse Server posts to us (docs/parse.md)."""

from tornado_cc.core.ports import Dialect, Surroundings
from tornado_cc.dialects.parse.manifest import manifest, unregistrable
from tornado_cc.dialects.parse.settings import DialectSettings
from tornado_cc.dialects.parse.webhook import ParseWebhooks

__all__ = ["DialectSettings", "build", "manifest", "unregistrable"]


def build(settings: DialectSettings, surroundings: Surroundings) -> Dialect:
    """The dialect as one conf section describes it."""
    return ParseWebhooks(settings, surroundings.claims)
