"""Child processes that never outlive the tests, and whose output is kept."""

from __future__ import annotations

import contextlib
import os
import secrets
import shutil
import signal
import socket
import subprocess
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

KILL_AFTER = 15.0
"""Seconds a child has to end by itself once it was asked to."""

SERVER_PORTS = range(10_000, 32_768)
"""Below the ports that Linux and macOS give to clients: one of those can be anybody's at any time,
and a client that tries it while its server is down may be connected to itself."""


class ChildError(Exception):
    """A child did not do what was expected; the message ends with its output."""


@dataclass(frozen=True)
class Child:
    """A running program, the leader of its own process group."""

    name: str
    popen: subprocess.Popen[bytes]
    log: Path

    def is_running(self) -> bool:
        """Whether the program has not ended yet."""
        return self.popen.poll() is None

    def output(self) -> str:
        """Everything it has written so far, both streams."""
        return self.log.read_text(errors="replace")

    def error(self, what: str) -> ChildError:
        """An error that shows the end of the output, where the reason usually is.

        A Parse Server starts with a page of deprecations, which would push it out.
        """
        lines = (line for line in self.output().splitlines() if "DeprecationWarning" not in line)
        tail = "\n".join(list(lines)[-40:])
        return ChildError(f"{self.name} {what}; its output ends with:\n{tail}")

    def wait_until(self, is_ready: Callable[[], bool], timeout: float) -> None:
        """Wait until the program is ready, unless it ends or takes too long."""
        deadline = time.monotonic() + timeout
        while not is_ready():
            if not self.is_running():
                raise self.error(f"ended with code {self.popen.returncode}")
            if time.monotonic() > deadline:
                raise self.error(f"was not ready after {timeout:g} s")
            time.sleep(0.02)

    def stop(self, how: signal.Signals = signal.SIGTERM) -> int:
        """Ask the program to end, and kill all of it if it does not."""
        if self.is_running():
            self.popen.send_signal(how)
        try:
            return self.popen.wait(KILL_AFTER)
        except subprocess.TimeoutExpired:
            raise self.error(f"did not end within {KILL_AFTER:g} s of {how.name}") from None
        finally:
            self.kill()

    def kill(self) -> None:
        """End it, its group and its descendants; nothing may be left of them.

        It is held first, so that it neither starts another nor notices that one is gone.
        """
        family: list[int] = []
        if self.is_running():
            self.popen.send_signal(signal.SIGSTOP)
            family = list(_descendants(self.popen.pid))
        with contextlib.suppress(ProcessLookupError):
            os.killpg(self.popen.pid, signal.SIGKILL)
        for pid in family:
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
        self.popen.wait()
        deadline = time.monotonic() + KILL_AFTER
        while any(is_alive(pid) for pid in family):
            if time.monotonic() > deadline:
                raise self.error("left processes behind that cannot be killed")
            time.sleep(0.005)


def is_alive(pid: int) -> bool:
    """Whether a process runs; one that has ended and was not waited for yet does not."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] not in "XZ"
    except OSError:
        return False


def _descendants(pid: int) -> Iterator[int]:
    """Its children and theirs, which may have left its group; none where there is no /proc."""
    for children in Path(f"/proc/{pid}/task").glob("*/children"):
        with contextlib.suppress(OSError):
            for child in map(int, children.read_text().split()):
                yield child
                yield from _descendants(child)


def start(
    name: str,
    command: Sequence[str | Path],
    *,
    folder: Path,
    log: Path,
    environment: Mapping[str, str] | None = None,
    user: str | None = None,
) -> Child:
    """Start a program that the caller has to end; its output is added to the log."""
    with log.open("ab") as output:
        popen = subprocess.Popen(
            command,
            cwd=folder,
            env={**os.environ, **(environment or {})},
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
            start_new_session=True,
            user=user,
            group=user,
            extra_groups=None if user is None else [],
        )
    return Child(name, popen, log)


@contextlib.contextmanager
def running(
    name: str,
    command: Sequence[str | Path],
    *,
    folder: Path,
    log: Path,
    environment: Mapping[str, str] | None = None,
) -> Iterator[Child]:
    """Run a program for as long as the block lasts."""
    whole = [*_dying_with_us(), *command]
    child = start(name, whole, folder=folder, log=log, environment=environment)
    try:
        yield child
    finally:
        child.kill()


def _dying_with_us() -> list[str]:
    """A prefix that has the kernel kill the child should pytest itself be killed.

    A group of its own keeps Ctrl-C away from the child, and no fixture is torn
    down after a SIGKILL. `setpriv` is in every Debian; elsewhere do without.
    """
    setpriv = shutil.which("setpriv")
    return [setpriv, "--pdeathsig", "KILL"] if setpriv else []


def free_port() -> int:
    """Return a port of 127.0.0.1 on which nothing listens at the moment.

    Not from `random`, which may be seeded: tests that run beside these would choose the same.
    """
    while True:
        with socket.socket() as probe, contextlib.suppress(OSError):
            port = secrets.choice(SERVER_PORTS)
            probe.bind(("127.0.0.1", port))
            return port
