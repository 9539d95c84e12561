"""tornado_cc itself, started the way an administrator starts it."""

from __future__ import annotations

import contextlib
import json
import shutil
import subprocess
import sys
import urllib.error
import urllib.request
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tests.processes import Child, free_port, running

from .parse import ParseServer

START_SECONDS = 20.0
"""How long it may take to be ready."""

PLUGINS = Path(__file__).resolve().parent / "plugins"
"""The one-file plugins of these tests."""

CONFIGURATION = """\
[server]
bind = 127.0.0.1:{port}
mode = development
[admin]
bind = 127.0.0.1:0
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
[plugin:comments]
post_field = comments
[outbound]
timeout = 1
"""

PARSE_SERVER = """
[parse_server]
url = {url}
application_id = {app_id}
master_key = {master_key}
public_url = http://127.0.0.1:{port}
"""


@dataclass(frozen=True)
class TornadoCC:
    """A running tornado_cc."""

    child: Child
    url: str
    conf: Path

    @property
    def plugin_folder(self) -> Path:
        """Where its plugins are."""
        return self.conf.parent / "plugins.d"

    def hooks(self, *words: str) -> subprocess.CompletedProcess[str]:
        """Run `hooks` with these words, on its conf, to the end."""
        return run_hooks(self.conf, *words)

    def function_url(self, name: str) -> str:
        """Where a Parse Server calls a function."""
        return f"{self.url}/webhooks/functions/{name}"

    def trigger_url(self, class_name: str, trigger: str) -> str:
        """Where a Parse Server calls a trigger."""
        return f"{self.url}/webhooks/triggers/{class_name}/{trigger}"

    def log(self) -> list[dict[str, Any]]:
        """The records it has logged so far."""
        return list(_records(self.child))


def run_hooks(conf: Path, *words: str) -> subprocess.CompletedProcess[str]:
    """Run `hooks` with these words to the end."""
    command = [sys.executable, "-m", "tornado_cc", "--conf", str(conf), "hooks", *words]
    return subprocess.run(
        command, capture_output=True, text=True, timeout=60, check=False, stdin=subprocess.DEVNULL
    )


def write_conf(
    folder: Path,
    webhook_key: str,
    paid_up: str = "",
    third_party: str = "",
    parse: ParseServer | None = None,
    more: str = "",
) -> Path:
    """Fill a folder with a configuration and plugins.

    The plugins are copied, so that what they write beside themselves is gone
    with the folder. `parse` is what it talks back to; `more` are further lines
    of `[parse_server]`.
    """
    shutil.copytree(PLUGINS, folder / "plugins.d", ignore=shutil.ignore_patterns("__pycache__"))
    port = free_port()
    text = CONFIGURATION.format(
        port=port,
        webhook_key=webhook_key,
        paid_up=paid_up,
        third_party=third_party,
        billing_url=third_party and f"{third_party}/billing",
    )
    if parse is not None:
        keys, url = parse.keys, parse.anyone.url
        text += PARSE_SERVER.format(url=url, app_id=keys.app_id, master_key=keys.master, port=port)
    conf = folder / "tornado_cc.conf"
    conf.write_text(text + more)
    return conf


@contextlib.contextmanager
def tornado_cc(
    folder: Path,
    webhook_key: str,
    paid_up: str = "",
    third_party: str = "",
    parse: ParseServer | None = None,
) -> Iterator[TornadoCC]:
    """Run tornado_cc in a folder, which gets its configuration, plugins and log."""
    with serving(write_conf(folder, webhook_key, paid_up, third_party, parse)) as running:
        yield running


@contextlib.contextmanager
def serving(conf: Path) -> Iterator[TornadoCC]:
    """Run tornado_cc on a conf."""
    folder = conf.parent
    command = [sys.executable, "-m", "tornado_cc", "--conf", str(conf)]
    with running("tornado_cc", command, folder=folder, log=folder / "log") as child:
        child.wait_until(lambda: _address(child) is not None, START_SECONDS)
        server = TornadoCC(child, f"http://{_address(child)}", conf)
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
