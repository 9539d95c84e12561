"""The real Parse Server: how it is started, and how hooks are registered with it."""

from __future__ import annotations

import contextlib
import secrets
import urllib.error
import urllib.request
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from tests.processes import Child, free_port, running
from tests.tools import START_SCRIPT, find_node, install_parse_server

from .rest import Client

START_SECONDS = 60.0
"""How long it may take to create its tables and answer."""

HOOK_EXISTS = 143
"""The error code for a hook that is registered already."""


@dataclass(frozen=True)
class Keys:
    """The secrets of this run; each is new, so none can be mixed up with another's."""

    app_id: str = "e2e"
    master: str = field(default_factory=lambda: secrets.token_hex(16))
    webhook: str = field(default_factory=lambda: secrets.token_hex(16))


@dataclass(frozen=True)
class ParseServer:
    """A running Parse Server and its two strangers: anyone and the master."""

    child: Child
    keys: Keys
    anyone: Client
    master: Client

    def is_alive(self) -> bool:
        """Whether it runs and answers; a bad webhook answer can crash it."""
        return self.child.is_running() and _is_healthy(self.anyone)

    def registered(self) -> dict[str, str]:
        """What is registered, as `NAME` or `CLASS TRIGGER`, each with its address."""
        functions = self.master.call("GET", "hooks/functions").ok()
        triggers = self.master.call("GET", "hooks/triggers").ok()
        found = {one["functionName"]: one["url"] for one in functions}
        return found | {f"{one['className']} {one['triggerName']}": one["url"] for one in triggers}

    def register_function(self, name: str, url: str) -> None:
        """Have a function answered by a webhook."""
        self._register("functions", name, {"functionName": name, "url": url})

    def register_trigger(self, class_name: str, trigger: str, url: str) -> None:
        """Have a trigger of a class answered by a webhook."""
        hook = {"className": class_name, "triggerName": trigger, "url": url}
        self._register("triggers", f"{class_name}/{trigger}", hook)

    def _register(self, kind: str, item: str, hook: dict[str, str]) -> None:
        """Create the hook, or change its url when it exists."""
        answer = self.master.call("POST", f"hooks/{kind}", hook)
        if answer.code == HOOK_EXISTS:
            answer = self.master.call("PUT", f"hooks/{kind}/{item}", {"url": hook["url"]})
        answer.ok()


@contextlib.contextmanager
def parse_server(
    database_uri: str,
    log: Path,
    *,
    keys: Keys | None = None,
    custom_ids: bool = False,
    port: int = 0,
    cloud: Path | None = None,
) -> Iterator[ParseServer]:
    """Run a Parse Server on a database; one that has its hooks already calls them.

    `cloud` is a file of cloud code in JavaScript.
    """
    port, keys = port or free_port(), keys or Keys()
    anyone = Client(
        f"http://127.0.0.1:{port}/parse",
        {"X-Parse-Application-Id": keys.app_id},
    )
    with running(
        "Parse Server",
        [find_node(), START_SCRIPT],
        folder=install_parse_server(),
        log=log,
        environment={
            "PORT": str(port),
            "APP_ID": keys.app_id,
            "MASTER_KEY": keys.master,
            "WEBHOOK_KEY": keys.webhook,
            "DATABASE_URI": database_uri,
            "NODE_ENV": "production",
            "CUSTOM_IDS": "yes" if custom_ids else "",
            "CLOUD": str(cloud or ""),
        },
    ) as child:
        child.wait_until(lambda: _is_healthy(anyone), START_SECONDS)
        yield ParseServer(child, keys, anyone, anyone.having(X_Parse_Master_Key=keys.master))
        child.stop()


def _is_healthy(client: Client) -> bool:
    """Whether the Parse Server says that it works."""
    try:
        with urllib.request.urlopen(f"{client.url}/health", timeout=5) as response:
            return bool(response.status == 200 and b'"ok"' in response.read())
    except (urllib.error.URLError, OSError):
        return False


@dataclass(frozen=True)
class Person:
    """A user with an account, logged in."""

    object_id: str
    name: str
    password: str
    client: Client

    def private_acl(self) -> dict[str, Any]:
        """An ACL that lets nobody but this person in."""
        return {self.object_id: {"read": True, "write": True}}


def sign_up(client: Client, **fields: Any) -> Person:
    """Create an account with a name and a password of its own."""
    name, password = f"user-{secrets.token_hex(4)}", secrets.token_urlsafe(16)
    account = {"username": name, "password": password, **fields}
    body = client.call("POST", "users", account).ok()
    logged_in = client.having(X_Parse_Session_Token=body["sessionToken"])
    return Person(body["objectId"], name, password, logged_in)
