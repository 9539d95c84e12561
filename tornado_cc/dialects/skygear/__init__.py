"""Skygear: custom HTTP endpoints with Werkzeug requests and responses (docs/skygear.md)."""

from tornado_cc.core.ports import Dialect, Surroundings
from tornado_cc.dialects.skygear.endpoint import Endpoints
from tornado_cc.dialects.skygear.settings import DialectSettings

__all__ = ["DialectSettings", "build"]


def build(settings: DialectSettings, surroundings: Surroundings) -> Dialect:
    """The dialect as one conf section describes it."""
    return Endpoints(settings, surroundings)
