"""tornado_cc itself, started the way an administrator starts it."""

from __future__ import annotations

import contextlib
import json
import shutil
import sys
import urllib.error
import urllib.request
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tests.processes import Child, running

START_SECONDS = 20.0
"""How long it may take to be ready."""

PLUGINS = Path(__file__).resolve().parent / "plugins"
"""The one-file plugins of these tests."""

CONFIGURATION = """\
[server]
bind = 127.0.0.1:0
mode = development
[log]
format = json
level = debug
[plugins]
dir = plugins.d
[dialect:parse]
webhook_key = {webhook_key}
[plugin:bloggers]
paid_up = {paid_up}
billing_url = {billing_url}
[plugin:e2e_calling]
url = {third_party}
[outbound]
timeout = 1
"""


@dataclass(frozen=True)
class TornadoCC:
    """A running tornado_cc."""

    child: Child
    url: str
    plugin_folder: Path

    def function_url(self, name: str) -> str:
        """Where a Parse Server calls a function."""
        return f"{self.url}/webhooks/functions/{name}"

    def trigger_url(self, class_name: str, trigger: str) -> str:
        """Where a Parse Server calls a trigger."""
        return f"{self.url}/webhooks/triggers/{class_name}/{trigger}"

    def log(self) -> list[dict[str, Any]]:
        """The records it has logged so far."""
        return list(_records(self.child))


@contextlib.contextmanager
def tornado_cc(
    folder: Path, webhook_key: str, paid_up: str = "", third_party: str = ""
) -> Iterator[TornadoCC]:
    """Run tornado_cc in a folder, which gets its configuration, plugins and log.

    The plugins are copied, so that what they write beside themselves is gone
    with the folder.
    """
    plugin_folder = folder / "plugins.d"
    shutil.copytree(PLUGINS, plugin_folder, ignore=shutil.ignore_patterns("__pycache__"))
    conf = folder / "tornado_cc.conf"
    text = CONFIGURATION.format(
        webhook_key=webhook_key,
        paid_up=paid_up,
        third_party=third_party,
        billing_url=third_party and f"{third_party}/billing",
    )
    conf.write_text(text)
    command = [sys.executable, "-m", "tornado_cc", "--conf", str(conf)]
    with running("tornado_cc", command, folder=folder, log=folder / "log") as child:
        child.wait_until(lambda: _address(child) is not None, START_SECONDS)
        server = TornadoCC(child, f"http://{_address(child)}", plugin_folder)
        child.wait_until(lambda: _is_ready(server.url), START_SECONDS)
        yield server
        code = child.stop()
        if code != 0:
            raise child.error(f"ended with code {code} after SIGTERM")


def _records(child: Child) -> Iterator[dict[str, Any]]:
    """The JSON lines of the output; a line half written is left for later."""
    for line in child.output().splitlines():
        with contextlib.suppress(ValueError):
            record = json.loads(line)
            if isinstance(record, dict):
                yield record


def _address(child: Child) -> str | None:
    """The address it says it listens on, None as long as it does not."""
    for record in _records(child):
        if record.get("message") == "listening":
            return str(record["address"])
    return None


def _is_ready(url: str) -> bool:
    """Whether it wants to be sent requests."""
    try:
        with urllib.request.urlopen(f"{url}/readyz", timeout=5) as response:
            return bool(response.status == 200)
    except (urllib.error.URLError, OSError):
        return False
