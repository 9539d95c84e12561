"""A server of several workers in processes of its own."""

import http.client
import json
import os
import signal
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from prometheus_client.parser import text_string_to_metric_families

from tests.cli.running import command, environment, until, write_conf
from tests.processes import Child, free_port, is_alive, start
from tests.workers.load import ECHO

CONF = """
[server]
bind = 127.0.0.1:{port}
workers = {workers}
{more}
[admin]
bind = 127.0.0.1:{admin}
[dialect:parse]
webhook_key = test-key
[store]
url = {url}
pool = 2
[hooks]
deadline = {deadline}
stuck_threads = 1
[log]
access = false
"""


class Site:
    """One of them, on ports of its own: `start`, and `end` whatever happens."""

    def __init__(self, folder: Path, url: str) -> None:
        self.port = free_port()
        self.admin = free_port()
        self._folder = folder
        self._url = url
        self._count = 0
        self._child: Child | None = None

    def write(
        self,
        workers: int = 2,
        more: str = "",
        plugins: Mapping[str, str] | None = None,
        deadline: int = 1,
    ) -> Path:
        """Write the conf, and the plugins beside it; `more` goes to [server]."""
        facts = {"port": self.port, "admin": self.admin, "url": self._url}
        text = CONF.format(workers=workers, more=more, deadline=deadline, **facts)
        return write_conf(self._folder, text, plugins or {"echo": ECHO})

    def start(self, **conf: Any) -> None:
        """Write the conf, start it, and wait until every worker is ready."""
        self.spawn(**conf)
        workers = conf.get("workers", 2)
        until(lambda: not self.child.is_running() or len(self.ready()) == workers)
        assert self.child.is_running(), self.child.output()

    def spawn(self, *, environ: Mapping[str, str] | None = None, **conf: Any) -> None:
        """Write the conf, start it, and wait for nothing."""
        path = self.write(**conf)
        self._count += 1
        self._child = start(
            "tornado_cc",
            command("--conf", path),
            folder=self._folder,
            log=self._folder / f"log-{self._count}",
            environment=environment(environ),
        )

    @property
    def child(self) -> Child:
        """The parent of the workers."""
        assert self._child is not None
        return self._child

    def end(self) -> None:
        """Leave nothing of it behind."""
        if self._child is not None:
            self._child.kill()

    def signal(self, number: signal.Signals) -> None:
        """Send the parent a signal."""
        os.kill(self.child.popen.pid, number)

    def reload(self) -> None:
        """Ask it to take up the conf and the plugins of now."""
        self.signal(signal.SIGHUP)

    def stop(self) -> None:
        """Have it end, with exit 0."""
        self.signal(signal.SIGTERM)
        assert self.child.popen.wait(20) == 0, self.child.output()

    def get(self, path: str) -> tuple[int, bytes]:
        """A page of the admin listener; status 0 when nobody answers."""
        connection = http.client.HTTPConnection("127.0.0.1", self.admin, timeout=10)
        try:
            connection.request("GET", path)
            response = connection.getresponse()
            return response.status, response.read()
        except OSError:
            return 0, b""
        finally:
            connection.close()

    def workers(self) -> list[dict[str, Any]]:
        """What `/status` says of the workers, or of the process that is alone."""
        status, body = self.get("/status")
        if status != 200:
            return []
        page = json.loads(body)
        alone = {"pid": self.child.popen.pid, "status": page["status"]}
        found: list[dict[str, Any]] = page.get("workers", [alone])
        return found

    def ready(self) -> list[int]:
        """The ids of those that are ready."""
        return [one["pid"] for one in self.workers() if one["status"] == "ready"]

    def figure(self, name: str, **labels: str) -> float:
        """The sum of the samples of one metric that have these labels."""
        text = self.get("/metrics")[1].decode()
        return sum(
            sample.value
            for family in text_string_to_metric_families(text)
            for sample in family.samples
            if sample.name == f"tornado_cc_{name}" and labels.items() <= sample.labels.items()
        )

    def logged(self, message: str) -> list[dict[str, Any]]:
        """The lines of the log with this message."""
        lines = self.child.output().rpartition("\n")[0].splitlines()
        found = [json.loads(line) for line in lines if line.startswith("{")]
        return [line for line in found if line["message"] == message]

    def until_logged(self, message: str, times: int = 1) -> dict[str, Any]:
        """Wait until the log has said this so often; the last of these lines."""
        until(lambda: len(self.logged(message)) >= times)
        return self.logged(message)[times - 1]

    def until_ready(self, is_so: Callable[[list[int]], bool]) -> list[int]:
        """Wait until this is so of the workers that are ready."""
        until(lambda: is_so(self.ready()))
        return self.ready()


def are_gone(pids: list[int]) -> bool:
    """Whether none of these processes runs."""
    return not any(map(is_alive, pids))
