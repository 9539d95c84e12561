"""A PostgreSQL that stands still, as when its disk hangs: connections open and nothing comes."""

import contextlib
import os
import signal
from collections.abc import Iterator
from pathlib import Path

from tests.postgres import Cluster


@contextlib.contextmanager
def held(cluster: Cluster) -> Iterator[None]:
    """Hold every process of a server for as long as the block lasts."""
    postmaster = int((cluster.data / "postmaster.pid").read_text().split()[0])
    stopped: list[int] = []
    try:
        # First the one that starts the others.
        for pid in [postmaster, *_children(postmaster)]:
            stopped += [pid] if _signal(pid, signal.SIGSTOP) else []
        yield
    finally:
        for pid in stopped:
            _signal(pid, signal.SIGCONT)


def _children(pid: int) -> Iterator[int]:
    for children in Path(f"/proc/{pid}/task").glob("*/children"):
        yield from map(int, children.read_text().split())


def _signal(pid: int, number: signal.Signals) -> bool:
    with contextlib.suppress(ProcessLookupError):
        os.kill(pid, number)
        return True
    return False
