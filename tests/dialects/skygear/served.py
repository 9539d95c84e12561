"""What the tests of this dialect share: a conf, users, and one-file plugins of one endpoint."""

from collections.abc import Mapping

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


class Tokens:
    """The `Users` port over a dictionary of access tokens."""

    def __init__(self, users: Mapping[str, str]) -> None:
        self._users = users

    async def by_token(self, token: str) -> str | None:
        """The user a token belongs to."""
        return self._users.get(token)


USERS = Tokens({"good-token": "user-42", "other-token": "user-7"})


def plugin(source: str, name: str = "mine") -> dict[str, str]:
    """A one-file plugin with the usual imports before its endpoints."""
    return {name: f'{IMPORTS}\nplugin = Plugin("{name}")\n{source}'}
