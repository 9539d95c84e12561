"""What an answered request costs, beside that of others: writes the table in `RESULTS.md`.

All servers run at once, in processes of their own, and are asked in turns, so that whatever else
the machine does falls on all of them. The figure is the server's own CPU time from /proc, not the
wall clock: wrk shares the cores with it. `setup.sh` gets wrk and the peers.

    python benchmarks/wire.py [--rounds 4] [--seconds 2] [--only NAME]... [--print]
"""

import argparse
import http.client
import os
import platform
import shutil
import socket
import statistics
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path

from process import Process, free_port, running
from scenarios import SCENARIOS, Scenario
from servers import HERE, Entrant, entrants, missing

CONNECTIONS = 32
IDLE = 500
RESULTS = HERE / "RESULTS.md"
BARE = "bare httptools"


@dataclass(frozen=True)
class Turn:
    """What wrk and the kernel say of some seconds with one server.

    Attributes:
        cpu: microseconds of CPU for a request.
        rate: requests a second.
        p50: milliseconds.
        p99: milliseconds.
    """

    cpu: float
    rate: float
    p50: float
    p99: float


@dataclass
class Row:
    """One server and what was measured of it, by scenario."""

    entrant: Entrant
    process: Process
    turns: dict[str, list[Turn]] = field(default_factory=dict)
    idle: float = 0.0
    rss: float = 0.0

    def cpu(self, scenario: Scenario) -> float | None:
        """The median, in microseconds."""
        turns = self.turns.get(scenario.name)
        return None if not turns else statistics.median(one.cpu for one in turns)

    def median(self, scenario: Scenario) -> Turn:
        """The turn in the middle by CPU."""
        turns = sorted(self.turns[scenario.name], key=lambda one: one.cpu)
        return turns[len(turns) // 2]


def ask(process: Process, scenario: Scenario) -> bytes:
    """One answer, before many of them are counted."""
    connection = http.client.HTTPConnection("127.0.0.1", process.port, timeout=10)
    connection.request(
        scenario.method, scenario.target, scenario.body or None, dict(scenario.headers)
    )
    answer = connection.getresponse()
    body = answer.read()
    connection.close()
    if answer.status != 200:
        raise ValueError(f"{answer.status} {body!r}")
    return body


def load(process: Process, scenario: Scenario, seconds: float, folder: Path) -> Turn:
    """Keep a server busy.

    Raises:
        ValueError: some request was not answered with 200.
    """
    script = folder / "request.lua"
    script.write_text(scenario.lua())
    url = f"http://127.0.0.1:{process.port}{scenario.target}"
    command = ["wrk", "-t1", f"-c{CONNECTIONS}", f"-d{seconds}s", "-s", str(script), url]
    before = process.cpu()
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    used = process.cpu() - before
    said = next(line for line in done.stdout.splitlines() if line.startswith("measured "))
    requests, microseconds, p50, p99, errors = map(int, said.split()[1:])
    if errors or not requests:
        raise ValueError(done.stdout)
    return Turn(used / requests * 1e6, requests / microseconds * 1e6, p50 / 1e3, p99 / 1e3)


def idle_bytes(process: Process, scenario: Scenario) -> float:
    """Bytes that one more connection costs, which has had an answer and waits."""
    body = scenario.body.encode()
    lines = [f"{name}: {value}\r\n" for name, value in scenario.headers.items()]
    head = f"{scenario.method} {scenario.target} HTTP/1.1\r\nHost: localhost\r\n{''.join(lines)}"
    request = f"{head}Content-Length: {len(body)}\r\n\r\n".encode() + body
    before = process.rss()
    with ExitStack() as stack:
        for _ in range(IDLE):
            one = stack.enter_context(socket.create_connection(("127.0.0.1", process.port)))
            one.sendall(request)
            if not one.recv(4096):
                raise ValueError("a connection was closed")
        return (process.rss() - before) / IDLE


@contextmanager
def all_running(chosen: Sequence[Entrant], folder: Path) -> Iterator[list[Row]]:
    """Every server, started one after the other."""
    with ExitStack() as stack:
        rows = []
        for index, entrant in enumerate(chosen):
            port = free_port()
            log = folder / f"{index}.log"
            command = entrant.command(port, folder)
            process = stack.enter_context(running(command, port, log, entrant.environment))
            rows.append(Row(entrant, process))
        yield rows


def measure(rows: Sequence[Row], rounds: int, seconds: float, folder: Path) -> None:
    """Ask all in turns; the first round only warms up what learns, as V8 and our caches do."""
    for row in rows:
        row.idle = idle_bytes(row.process, SCENARIOS[0])
    for number in range(rounds + 1):
        for scenario in SCENARIOS:
            for row in rows:
                if row.entrant.only_first and scenario is not SCENARIOS[0]:
                    continue
                answer = ask(row.process, scenario)
                if row.entrant.name != BARE and scenario.expected not in answer:
                    raise ValueError(f"{row.entrant.name}: {answer!r}")
                turn = load(row.process, scenario, seconds if number else 1, folder)
                if number:
                    row.turns.setdefault(scenario.name, []).append(turn)
    for row in rows:
        row.rss = row.process.rss()


def table(head: Sequence[str], lines: Sequence[Sequence[str]]) -> str:
    """A Markdown table."""
    rows = [head, ["---"] * len(head), *lines]
    return "\n".join(f"| {' | '.join(cells)} |" for cells in rows)


def report(rows: Sequence[Row], left_out: Sequence[str], rounds: int, seconds: float) -> str:
    """The text of `RESULTS.md`."""
    bare = next((row for row in rows if row.entrant.name == BARE), rows[0])
    parts = [
        "# What an answered request costs",
        f"Written by `make bench` on {datetime.now(UTC):%Y-%m-%d %H:%M} UTC; README.md says what is"
        f" compared.\nMedians of {rounds} turns of {seconds:g} s, {CONNECTIONS} kept-alive"
        f" connections.\n{_machine()}.",
        "## CPU",
        "Microseconds of the server's CPU for each answered request, and the ratio to bare"
        " httptools.",
        table(["", *(one.name for one in SCENARIOS)], [_cpu_line(row, bare) for row in rows]),
        "## Rates",
        "wrk and the server share the cores: requests a second, p50 and p99 in milliseconds.",
        table(["", *(one.name for one in SCENARIOS)], [_rate_line(row) for row in rows]),
        "## Memory and start",
        "KiB for each idle connection that has had an answer, MiB after the last turn, and seconds"
        "\nfrom the start of the process to its first connection.",
        table(["", "idle, KiB", "RSS, MiB", "ready, s"], [_memory_line(row) for row in rows]),
    ]
    if left_out:
        parts.append(f"Not installed, so left out: {', '.join(left_out)}.")
    return "\n\n".join(parts) + "\n"


def _cpu_line(row: Row, bare: Row) -> list[str]:
    cells = [row.entrant.name]
    for scenario in SCENARIOS:
        cpu, least = row.cpu(scenario), bare.cpu(scenario)
        known = cpu is not None and least is not None
        cells.append(f"{cpu:.1f} ({cpu / least:.2f} x)" if known else "")
    return cells


def _rate_line(row: Row) -> list[str]:
    cells = [row.entrant.name]
    for scenario in SCENARIOS:
        if scenario.name not in row.turns:
            cells.append("")
            continue
        turn = row.median(scenario)
        cells.append(f"{turn.rate:,.0f}; {turn.p50:.1f}, {turn.p99:.1f}")
    return cells


def _memory_line(row: Row) -> list[str]:
    name, ready = row.entrant.name, row.process.ready
    return [name, f"{row.idle / 1024:.1f}", f"{row.rss / 2**20:.0f}", f"{ready:.2f}"]


def _machine() -> str:
    lines = Path("/proc/cpuinfo").read_text().splitlines()
    model = next((line.partition(":")[2].strip() for line in lines if "model name" in line), "?")
    load_average = os.getloadavg()[0]
    return (
        f"{os.cpu_count()} cores ({model}), Linux {platform.release()}, Python"
        f" {platform.python_version()}, at a load of {load_average:.1f} at the end"
    )


def main() -> None:
    """Measure and write the table."""
    parser = argparse.ArgumentParser(description="What an answered request costs.")
    parser.add_argument("--rounds", type=int, default=4)
    parser.add_argument("--seconds", type=int, default=2)
    parser.add_argument("--only", action="append", default=[], metavar="NAME")
    parser.add_argument("--print", action="store_true", help="leave RESULTS.md as it is")
    options = parser.parse_args()
    if shutil.which("wrk") is None:
        sys.exit("wrk is not there: sh benchmarks/setup.sh")
    found = entrants()
    chosen = [one for one in found if not options.only or one.name in options.only]
    with tempfile.TemporaryDirectory() as name, all_running(chosen, Path(name)) as rows:
        measure(rows, options.rounds, options.seconds, Path(name))
        text = report(rows, missing(found), options.rounds, options.seconds)
    print(text)
    if not options.print:
        RESULTS.write_text(text)


if __name__ == "__main__":
    main()
