"""Under a service manager: sockets it has opened, and what it is told."""

import json
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from http.client import HTTPConnection
from pathlib import Path

import pytest

from tests.cli.running import PATIENCE, command, environment, until, write_conf
from tests.processes import Child, free_port, start
from tests.workers.site import Site

# What systemd does: the sockets become files 3 and 4 of a process that is told its own id.
LAUNCHER = """
import os, sys
public, admin, *command = sys.argv[1:]
os.dup2(int(public), 3)
os.dup2(int(admin), 4)
os.environ.update(LISTEN_PID=str(os.getpid()), LISTEN_FDS="2", LISTEN_FDNAMES="http:admin")
os.execv(command[0], command)
"""
ALONE = "[server]\nbind = 192.0.2.1:1\n[dialect:parse]\nwebhook_key = test-key\n"


class Manager:
    """Opens two sockets, starts a server on them, and hears what it says."""

    def __init__(self, folder: Path) -> None:
        self.sockets = [socket.create_server(("127.0.0.1", free_port())) for _ in range(2)]
        self.public, self.admin = (one.getsockname()[1] for one in self.sockets)
        self._heard = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self._heard.bind(str(folder / "notify"))
        self._heard.settimeout(PATIENCE)
        self._folder = folder
        self.child: Child | None = None

    def start(self, conf: Path, *, watchdog: int = 0) -> Child:
        """Start it."""
        files = [os.dup(one.fileno()) for one in self.sockets]
        # Numbers that are not those the server shall find them at.
        for one in files:
            os.set_inheritable(one, True)
        environ = environment({"NOTIFY_SOCKET": str(self._folder / "notify")})
        if watchdog:
            environ["WATCHDOG_USEC"] = str(watchdog)
        log = self._folder / "log"
        with log.open("ab") as output:
            popen = subprocess.Popen(
                [sys.executable, "-c", LAUNCHER, *map(str, files), *command("--conf", conf)],
                env=environ,
                pass_fds=files,
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=output,
                start_new_session=True,
            )
        for one in files:
            os.close(one)
        self.child = Child("tornado_cc", popen, log)
        return self.child

    def hear(self) -> list[str]:
        """The next thing it says, line by line."""
        return self._heard.recv(4096).decode().splitlines()

    def get(self, port: int, path: str) -> tuple[int, object]:
        """Ask it something."""
        connection = HTTPConnection("127.0.0.1", port, timeout=PATIENCE)
        try:
            connection.request("GET", path)
            response = connection.getresponse()
            return response.status, json.loads(response.read())
        finally:
            connection.close()

    def end(self) -> None:
        """Leave nothing behind."""
        if self.child is not None:
            self.child.kill()
        for one in (*self.sockets, self._heard):
            one.close()


@pytest.fixture
def manager(tmp_path: Path) -> Iterator[Manager]:
    found = Manager(tmp_path)
    yield found
    found.end()


def test_one_process_serves_on_the_sockets_it_is_given_and_says_how_far_it_is(
    manager: Manager, tmp_path: Path
) -> None:
    conf = write_conf(tmp_path, ALONE)
    for _ in range(2):
        child = manager.start(conf)
        # The manager holds the socket, so that a caller waits where otherwise nobody would listen.
        assert manager.get(manager.public, "/healthz") == (200, {"status": "ok"})
        assert manager.hear() == ["READY=1"]
        assert manager.get(manager.admin, "/readyz") == (200, {"status": "ready"})
        os.kill(child.popen.pid, signal.SIGHUP)
        assert manager.hear() == ["STOPPING=1"]
        assert child.popen.wait(PATIENCE) == 0


def test_a_loop_that_turns_shows_that_to_a_manager_that_watches(
    manager: Manager, tmp_path: Path
) -> None:
    manager.start(write_conf(tmp_path, ALONE), watchdog=200_000)
    assert [manager.hear() for _ in range(3)] == [["READY=1"], *[["WATCHDOG=1"]] * 2]


def test_workers_serve_on_the_sockets_their_parent_is_given(manager: Manager, site: Site) -> None:
    conf = site.write(workers=2)
    child = manager.start(conf)
    assert manager.hear() == ["READY=1"]
    assert manager.get(manager.public, "/healthz") == (200, {"status": "ok"})
    assert manager.get(manager.admin, "/readyz") == (200, {"status": "ready"})
    os.kill(child.popen.pid, signal.SIGHUP)
    first, second = manager.hear()
    assert first == "RELOADING=1"
    assert second.startswith("MONOTONIC_USEC=")
    assert 0 <= time.monotonic() - int(second.partition("=")[2]) / 1e6 < PATIENCE
    assert manager.hear() == ["READY=1"]
    os.kill(child.popen.pid, signal.SIGTERM)
    assert manager.hear() == ["STOPPING=1"]
    assert child.popen.wait(PATIENCE) == 0


def test_what_a_manager_has_said_is_not_passed_on_to_a_plugins_own_processes(
    manager: Manager, tmp_path: Path
) -> None:
    source = """
        import os
        from pathlib import Path
        from tornado_cc import Plugin
        plugin = Plugin("looks")

        @plugin.on_start
        def look(app): Path(__file__).with_name("seen").write_text("\\n".join(os.environ))
    """
    manager.start(write_conf(tmp_path, ALONE, {"looks": source}))
    seen = tmp_path / "plugins.d" / "seen"
    until(seen.exists)
    assert manager.hear() == ["READY=1"]
    names = seen.read_text().split()
    assert not [one for one in names if one.startswith(("LISTEN_", "NOTIFY_"))]


def test_a_socket_that_is_meant_for_another_process_is_left_alone(tmp_path: Path) -> None:
    port = free_port()
    text = ALONE.replace("192.0.2.1:1", f"127.0.0.1:{port}")
    child = start(
        "tornado_cc",
        command("--conf", write_conf(tmp_path, text)),
        folder=tmp_path,
        log=tmp_path / "log",
        environment=environment({"LISTEN_PID": "1", "LISTEN_FDS": "1"}),
    )
    try:
        child.wait_until(lambda: '"listening"' in child.output(), PATIENCE)
        assert f'"address":"127.0.0.1:{port}"' in child.output()
    finally:
        child.kill()
