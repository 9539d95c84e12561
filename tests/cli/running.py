"""The command line as a real process."""

import json
import os
import signal
import socket
import subprocess
import sys
import textwrap
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from http.client import HTTPConnection
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parents[2]
PATIENCE = 20.0
"""Seconds after which something that should have happened has not."""


@dataclass(frozen=True)
class Ended:
    """A command that has ended."""

    code: int
    stdout: str
    stderr: str


@dataclass(frozen=True)
class Running:
    """A server in a process of its own."""

    popen: subprocess.Popen[bytes]
    log: Path

    @property
    def stderr(self) -> str:
        """What it has written so far."""
        return self.log.read_text(encoding="utf-8")

    @property
    def lines(self) -> list[dict[str, Any]]:
        """What it has logged so far as JSON, an error when a line is anything else."""
        whole = self.stderr.rpartition("\n")[0]
        return [json.loads(line) for line in whole.splitlines()]

    def logged(self, message: str) -> list[dict[str, Any]]:
        """The lines with this message."""
        return [line for line in self.lines if line["message"] == message]

    def wait_for(self, text: str) -> None:
        """Wait until it has written this."""
        until(lambda: text in self.stderr or self.popen.poll() is not None)
        assert text in self.stderr, self.stderr

    def connect(self) -> HTTPConnection:
        """A connection that stays open until it is closed."""
        address = self.logged("listening")[0]["address"]
        connection = HTTPConnection("127.0.0.1", int(address.rpartition(":")[2]), PATIENCE)
        connection.connect()
        return connection

    def signal(self, number: signal.Signals) -> None:
        """Send a signal."""
        self.popen.send_signal(number)

    def end(self) -> int:
        """Wait for its end and return its exit code."""
        return self.popen.wait(PATIENCE)


def until(is_so: Callable[[], bool]) -> None:
    """Wait until something is so."""
    deadline = time.monotonic() + PATIENCE
    while not is_so():
        assert time.monotonic() < deadline, "it never was"
        time.sleep(0.01)


def write_conf(folder: Path, text: str, plugins: Mapping[str, str] | None = None) -> Path:
    """A conf with one-file plugins beside it; [server] bind is any free port unless given."""
    (folder / "plugins.d").mkdir(exist_ok=True)
    for name, source in (plugins or {}).items():
        (folder / "plugins.d" / f"{name}.py").write_text(textwrap.dedent(source))
    enabled = ", ".join(plugins or ["none"])
    text = textwrap.dedent(text)
    if "bind" not in text:
        text = text.replace("[server]\n", "[server]\nbind = 127.0.0.1:0\n")
    if "[plugins]" not in text:
        text += f"\n[plugins]\ndir = plugins.d\nenable = {enabled}\noptional = none\n"
    path = folder / "test.ini"
    path.write_text(text)
    return path


def command(*arguments: str | Path) -> list[str]:
    """The command line, with warnings as errors."""
    return [sys.executable, "-W", "error", "-m", "tornado_cc", *map(str, arguments)]


def environment(more: Mapping[str, str] | None = None) -> dict[str, str]:
    """Our environment without settings of a tornado_cc, and with more."""
    kept = {name: value for name, value in os.environ.items() if "TORNADO_CC" not in name}
    more = dict(more or {})
    more["PYTHONPATH"] = os.pathsep.join([str(ROOT), *filter(None, [more.get("PYTHONPATH")])])
    return {**kept, **more}


def run(*arguments: str | Path, environ: Mapping[str, str] | None = None) -> Ended:
    """Run the command line to its end."""
    done = subprocess.run(
        command(*arguments),
        env=environment(environ),
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=PATIENCE,
        check=False,
    )
    return Ended(done.returncode, done.stdout, done.stderr)


@contextmanager
def serving(folder: Path, text: str, plugins: Mapping[str, str] | None = None) -> Iterator[Running]:
    """A server that listens, for as long as the block lasts."""
    path = write_conf(folder, text, plugins)
    log = folder / "stderr"
    with log.open("wb") as output:
        popen = subprocess.Popen(
            command("--conf", path),
            env=environment(),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=output,
        )
    running = Running(popen, log)
    try:
        running.wait_for("listening")
        until(lambda: running.stderr.endswith("\n"))
        yield running
    finally:
        popen.kill()
        popen.wait()


@contextmanager
def occupied_port() -> Iterator[int]:
    """A port on which somebody else listens."""
    with socket.create_server(("127.0.0.1", 0)) as listening:
        port: int = listening.getsockname()[1]
        yield port
