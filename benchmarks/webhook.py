"""CPU time of one authenticated function webhook, as a ratio to a bare Tornado handler.

Both servers run in processes of their own and answer the same requests over 32 kept-alive
connections, in turns, so that whatever else the machine does falls on both. The figure is the
server's own CPU time from /proc, not the wall clock. tornado_cc has its access log on.
"""

import asyncio
import os
import platform
import socket
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

CONNECTIONS = 32
REQUESTS = 250
ROUNDS = 5
HERE = Path(__file__).parent
CONF = """
[server]
bind = 127.0.0.1:{port}
[plugins]
enable = hello
[dialect:parse]
webhook_key = benchmark-key
"""
BODY = b'{"params":{"a":1},"master":false,"functionName":"helloWorld","context":{}}'
REQUEST = (
    b"POST /webhooks/functions/helloWorld HTTP/1.1\r\nHost: localhost\r\n"
    b"Content-Type: application/json\r\nX-Parse-Webhook-Key: benchmark-key\r\n"
    b"Content-Length: %d\r\n\r\n%s" % (len(BODY), BODY)
)


@contextmanager
def running(command: list[str], port: int) -> Iterator[int]:
    """A server process, once it accepts connections; yields its pid."""
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        _wait_for(port)
        yield process.pid
    finally:
        process.terminate()
        process.wait()


def _wait_for(port: int) -> None:
    for _ in range(200):
        with socket.socket() as probe:
            if probe.connect_ex(("127.0.0.1", port)) == 0:
                return
        time.sleep(0.05)
    raise TimeoutError(f"nobody listens on port {port}")


def free_port() -> int:
    """A port nobody listens on."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def cpu_seconds(pid: int) -> float:
    """The CPU time a process has used, its own and the kernel's for it."""
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


async def load(port: int) -> None:
    """Send every request over kept-alive connections and check every answer."""
    await asyncio.gather(*(_connection(port) for _ in range(CONNECTIONS)))


async def _connection(port: int) -> None:
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    for _ in range(REQUESTS):
        writer.write(REQUEST)
        head = await reader.readuntil(b"\r\n\r\n")
        length = int(head.lower().split(b"content-length: ")[1].split(b"\r\n")[0])
        body = await reader.readexactly(length)
        if b"Hello World!" not in body:
            raise ValueError(body)
    writer.close()


def microseconds(pid: int, port: int) -> float:
    """CPU µs of one request in one round."""
    before = cpu_seconds(pid)
    asyncio.run(load(port))
    return (cpu_seconds(pid) - before) / (CONNECTIONS * REQUESTS) * 1e6


def main() -> None:
    """Measure both in turns and print the medians, the ratio and the machine."""
    ours, peer = free_port(), free_port()
    with tempfile.TemporaryDirectory() as folder:
        conf = Path(folder, "bench.ini")
        conf.write_text(CONF.format(port=ours))
        command = [sys.executable, "-m", "tornado_cc", "--conf", str(conf)]
        other = [sys.executable, str(HERE / "peer_tornado.py"), str(peer)]
        with running(command, ours) as our_pid, running(other, peer) as peer_pid:
            rounds = [
                (microseconds(our_pid, ours), microseconds(peer_pid, peer)) for _ in range(ROUNDS)
            ]
    mine = statistics.median(one for one, _ in rounds[1:])
    theirs = statistics.median(other for _, other in rounds[1:])
    print(f"tornado_cc                     {mine:6.0f} µs")
    print(f"Tornado RequestHandler         {theirs:6.0f} µs")
    print(f"ratio                          {mine / theirs:6.2f}")
    print(f"{platform.machine()}, {os.cpu_count()} cores, Python {platform.python_version()}")


if __name__ == "__main__":
    main()
