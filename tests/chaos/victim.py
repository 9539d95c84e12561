"""A server to be killed, with everything it has started."""

import os
import signal
from collections.abc import Mapping, Sequence
from pathlib import Path

from tests.cli.running import PATIENCE, command, environment, until, write_conf
from tests.processes import Child, free_port, start

CONF = """
[server]
bind = 127.0.0.1:{port}
[dialect:parse]
webhook_key = test-key
[store]
url = {url}
[deliveries]
lease = {lease}
poll = 0.2
retry = {retry}
"""


class Victim:
    """Servers one after the other, on the same conf and port, each in a process group of its own.

    Args:
        folder: where conf, plugins and logs are; another server's is another one.
        more: further sections.
        lease: the setting, short, so that what is taken over is not waited for.
        retry: the setting.
        under: a program that starts the server, such as strace.
    """

    def __init__(
        self,
        folder: Path,
        url: str,
        plugins: Mapping[str, str],
        more: str = "",
        *,
        lease: int = 2,
        retry: str = ", ".join(["1s"] * 30),
        under: Sequence[str] = (),
    ) -> None:
        folder.mkdir(exist_ok=True)
        self.port = free_port()
        text = CONF.format(port=self.port, url=url, lease=lease, retry=retry) + more
        self._conf = write_conf(folder, text, plugins)
        self._folder = folder
        self._under = under
        self._child: Child | None = None
        self._count = 0

    @property
    def pid(self) -> int:
        """The process's id."""
        return self._running.popen.pid

    @property
    def is_running(self) -> bool:
        """Whether it has not ended."""
        return self._child is not None and self._child.is_running()

    @property
    def is_ready(self) -> bool:
        """Whether it listens, or has ended before it did."""
        return not self.is_running or '"listening"' in self.log

    @property
    def log(self) -> str:
        """What the present one has written."""
        return self._running.output()

    def spawn(self) -> None:
        """Start it and wait for nothing."""
        assert not self.is_running
        self._count += 1
        log = self._folder / f"log-{self._count}"
        self._child = start(
            "tornado_cc",
            [*self._under, *command("--conf", self._conf)],
            folder=self._folder,
            log=log,
            environment=environment(),
        )

    def start(self) -> None:
        """Start it, and wait until it listens."""
        self.spawn()
        until(lambda: self.is_ready)
        assert self.is_running, self.log

    def kill(self) -> None:
        """Kill its process group, as it is."""
        os.killpg(self.pid, signal.SIGKILL)
        self._running.popen.wait()

    def stop(self) -> None:
        """Have it end by itself; whoever started it waits for that."""
        os.killpg(self.pid, signal.SIGTERM)
        assert self._running.popen.wait(PATIENCE) == 0, self.log

    def end(self) -> None:
        """Leave nothing of it behind, whatever has happened."""
        if self._child is not None:
            self._child.kill()

    @property
    def _running(self) -> Child:
        assert self._child is not None
        return self._child
