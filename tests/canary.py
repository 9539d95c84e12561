"""A server process at its most talkative, and the search for secrets in what it wrote."""

import asyncio
import base64
import os
import re
import signal
import subprocess
import sys
import time
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from urllib.parse import quote

import orjson


@contextmanager
def talkative_server(conf: Path, log: Path) -> Iterator[int]:
    """A server process in development mode, writing to `log`; yields its port, then drains it."""
    with log.open("wb") as output:
        process = subprocess.Popen(
            [sys.executable, "-X", "dev", "-m", "tornado_cc", "--conf", str(conf)],
            stdout=output,
            stderr=output,
            env={**os.environ, "PYTHONASYNCIODEBUG": "1"},
        )
    try:
        yield listening_port(log)
        time.sleep(0.3)
    finally:
        process.send_signal(signal.SIGTERM)
        assert process.wait(20) == 0


def check(written: str, answers: Iterable[bytes], canaries: Iterable[str]) -> None:
    """Fail when a canary stands in the log or in an answer, in any spelling."""
    told = b"\n".join(answers)
    for canary in canaries:
        for spelling in spellings(canary):
            assert spelling not in written, f"{canary} was logged as {spelling}"
            assert spelling.encode() not in told, f"{canary} was answered"


def spellings(canary: str) -> set[str]:
    raw = canary.encode()
    found = {canary, quote(canary), quote(canary, safe=""), raw.hex(), repr(raw)[2:-1]}
    found |= {orjson.dumps(canary).decode()[1:-1], canary.encode("unicode_escape").decode()}
    for shift in range(3):
        # The middle of a base64 text is the same whatever stands before and after the secret.
        text = base64.b64encode(b"x" * shift + raw).decode().rstrip("=")
        found.add(text[4:-4] if shift else text[:-4])
    return found | {orjson.dumps(one).decode()[1:-1] for one in found}


async def send_malformed(port: int, raw: bytes) -> bytes:
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    writer.write(raw)
    writer.write_eof()
    try:
        return await reader.read()
    finally:
        writer.close()


def listening_port(log: Path) -> int:
    deadline = time.monotonic() + 20
    while time.monotonic() < deadline:
        match = re.search(r"listening.*?127\.0\.0\.1:(\d+)", log.read_text())
        if match:
            return int(match[1])
        time.sleep(0.05)
    raise AssertionError(log.read_text())
