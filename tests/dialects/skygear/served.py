"""What the tests of this dialect share: a conf, users, and one-file plugins of one endpoint."""

SKYGEAR = """
[dialect:skygear]
api_key = client-key
master_key = master-key
"""

IMPORTS = """
import asyncio
import threading
import time
from tornado_cc import Plugin
from tornado_cc.skygear import *
"""


TOKENS = {"good-token": "user-42", "other-token": "user-7"}
"""Whose token each is, as the conformance table has them: `await served.know(tokens=TOKENS)`."""


def plugin(source: str, name: str = "mine") -> dict[str, str]:
    """A one-file plugin with the usual imports before its endpoints."""
    return {name: f'{IMPORTS}\nplugin = Plugin("{name}")\n{source}'}
