"""The command line as a real process."""

import atexit
import contextlib
import functools
import json
import os
import pty
import signal
import socket
import subprocess
import sys
import tempfile
import textwrap
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from http.client import HTTPConnection
from pathlib import Path
from typing import Any

from click.testing import CliRunner

from tests.serving import WIRE
from tornado_cc.cli import main

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


def until(is_so: Callable[[], bool], seconds: float = PATIENCE) -> None:
    """Wait until something is so."""
    deadline = time.monotonic() + seconds
    while not is_so():
        assert time.monotonic() < deadline, "it never was"
        time.sleep(0.01)


def write_conf(folder: Path, text: str, plugins: Mapping[str, str] | None = None) -> Path:
    """A conf with one-file plugins beside it.

    Unless given, the binds of [server] and [admin] are any free ports, and [store] is a file of its
    own.
    """
    (folder / "plugins.d").mkdir(exist_ok=True)
    for name, source in (plugins or {}).items():
        (folder / "plugins.d" / f"{name}.py").write_text(textwrap.dedent(source))
    enabled = ", ".join(plugins or ["none"])
    text = textwrap.dedent(text)
    if "bind" not in text:
        text = text.replace("[server]\n", "[server]\nbind = 127.0.0.1:0\n")
    if "[plugins]" not in text:
        text += f"\n[plugins]\ndir = plugins.d\nenable = {enabled}\noptional = none\n"
    if "[admin]" not in text:
        text += "\n[admin]\nbind = 127.0.0.1:0\n"
    if "[store]" not in text:
        text += f"\n[store]\nurl = sqlite:///{folder}/store.db\n"
    path = folder / "test.ini"
    path.write_text(text)
    return path


def command(*arguments: str | Path) -> list[str]:
    """The command line, with warnings as errors."""
    return [sys.executable, "-W", "error", "-m", "tornado_cc", *map(str, arguments)]


def environment(more: Mapping[str, str] | None = None) -> dict[str, str]:
    """Our environment without settings of a tornado_cc, and with more."""
    kept = {
        name: value
        for name, value in os.environ.items()
        if "TORNADO_CC" not in name or name == WIRE
    }
    more = dict(more or {})
    more["PYTHONPATH"] = os.pathsep.join([str(ROOT), *filter(None, [more.get("PYTHONPATH")])])
    return {**kept, **more}


@functools.cache
def preloaded() -> subprocess.Popen[bytes]:
    """The process whose children are the commands."""
    program = [sys.executable, "-W", "error", str(ROOT / "tests" / "cli" / "preloaded.py")]
    process = subprocess.Popen(
        program, env=environment(), stdin=subprocess.PIPE, stdout=subprocess.PIPE
    )

    def end() -> None:
        with process:
            assert process.stdin is not None
            process.stdin.close()

    atexit.register(end)
    return process


def run(
    *arguments: str | Path, environ: Mapping[str, str] | None = None, stdin: bytes = b""
) -> Ended:
    """Run the command line to its end. Whatever happens, it shows nobody a traceback."""
    process = preloaded()
    assert process.stdin is not None
    assert process.stdout is not None
    with tempfile.TemporaryDirectory() as folder:
        files = [Path(folder) / name for name in ("stdin", "stdout", "stderr")]
        for file, content in zip(files, (stdin, b"", b""), strict=True):
            file.write_bytes(content)
        job = {
            "arguments": list(map(str, arguments)),
            "environment": environment(environ),
            "files": list(map(str, files)),
        }
        process.stdin.write(json.dumps(job).encode() + b"\n")
        process.stdin.flush()
        code = int(process.stdout.readline())
        ended = Ended(code, files[1].read_text(), files[2].read_text())
    lines = ended.stderr.splitlines()
    assert not any(line.startswith("Traceback") for line in lines), ended.stderr
    return ended


def done(*arguments: str | Path, stdin: bytes = b"") -> str:
    """What a command that succeeds and has nothing to complain of prints."""
    ended = run(*arguments, stdin=stdin)
    assert (ended.code, ended.stderr) == (0, ""), ended.stderr
    return ended.stdout


def refused(code: int, *arguments: str | Path, stdin: bytes = b"") -> str:
    """The one line with which a command ends that does not do what it was asked to."""
    ended = run(*arguments, stdin=stdin)
    assert (ended.code, ended.stdout) == (code, ""), ended.stderr
    (line,) = ended.stderr.splitlines()
    return line.removeprefix("tornado_cc: ")


def misused(*arguments: str | Path, stdin: bytes = b"") -> str:
    """What a command says that was not written as it has to be, after how it is used.

    In this process: what is misused is not begun, and a process for each word would take minutes.
    """
    ended = CliRunner().invoke(main, list(map(str, arguments)), input=stdin)
    assert (ended.exit_code, ended.stdout) == (2, ""), ended.output
    return ended.stderr.partition("\nError: ")[2].strip()


def on_terminal(typed: str, *arguments: str | Path) -> tuple[int, str]:
    """A command at a terminal where somebody types, a line when it asks: exit code and screen."""
    pid, screen = pty.fork()
    if not pid:
        os.execve(sys.executable, command(*arguments), environment({"TERM": "dumb"}))
    shown = b""
    lines = iter(typed.splitlines())
    with contextlib.suppress(OSError):
        while part := os.read(screen, 65536):
            shown += part
            if shown.endswith(b": ") and (line := next(lines, None)) is not None:
                os.write(screen, f"{line}\n".encode())
    os.close(screen)
    return os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]), shown.decode()


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


def get(running: Running, path: str, headers: Mapping[str, str] | None = None) -> tuple[int, Any]:
    """A request and the status and JSON of its answer."""
    connection = running.connect()
    try:
        connection.request("GET", path, headers=dict(headers or {}))
        response = connection.getresponse()
        return response.status, json.loads(response.read())
    finally:
        connection.close()


@contextmanager
def occupied_port() -> Iterator[int]:
    """A port on which somebody else listens."""
    with socket.create_server(("127.0.0.1", 0)) as listening:
        port: int = listening.getsockname()[1]
        yield port
