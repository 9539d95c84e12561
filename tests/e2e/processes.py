"""Child processes that never outlive the tests, and whose output is kept."""

from __future__ import annotations

import contextlib
import os
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
            time.sleep(0.05)

    def stop(self, how: signal.Signals = signal.SIGTERM) -> int:
        """Ask the program to end, and kill its whole group if it does not."""
        if self.is_running():
            self.popen.send_signal(how)
        try:
            return self.popen.wait(KILL_AFTER)
        except subprocess.TimeoutExpired:
            raise self.error(f"did not end within {KILL_AFTER:g} s of {how.name}") from None
        finally:
            self.kill()

    def kill(self) -> None:
        """End whatever is left of the group; nothing may be left of it."""
        with contextlib.suppress(ProcessLookupError):
            os.killpg(self.popen.pid, signal.SIGKILL)
        self.popen.wait()


@contextlib.contextmanager
def running(
    name: str,
    command: Sequence[str | Path],
    *,
    folder: Path,
    log: Path,
    environment: Mapping[str, str] | None = None,
    user: str | None = None,
    orphaned: signal.Signals = signal.SIGKILL,
) -> Iterator[Child]:
    """Run a program for as long as the block lasts.

    `orphaned` is what it gets should we be killed ourselves.
    """
    with log.open("wb") as output:
        popen = subprocess.Popen(
            [*_dying_with_us(orphaned), *command],
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
    child = Child(name, popen, log)
    try:
        yield child
    finally:
        child.kill()


def _dying_with_us(how: signal.Signals) -> list[str]:
    """A prefix that has the kernel signal the child should pytest itself be killed.

    A group of its own keeps Ctrl-C away from the child, and no fixture is torn
    down after a SIGKILL. `setpriv` is in every Debian; elsewhere do without.
    """
    setpriv = shutil.which("setpriv")
    return [setpriv, "--pdeathsig", how.name.removeprefix("SIG")] if setpriv else []


def free_port() -> int:
    """Return a port of 127.0.0.1 on which nothing listens at the moment."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port
