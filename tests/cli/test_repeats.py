"""What a sender repeats after a kill -9: run when it was not answered, else answered alike."""

import json
import signal
from http.client import HTTPConnection
from pathlib import Path
from typing import Any

from tests.cli.running import Running, serving, until

TEXT = """
[server]
mode = development
[dialect:gamesparks]
api_key = KEY
server_secret = SECRET
"""
PLUGIN = """
import asyncio
from pathlib import Path
from tornado_cc import Plugin

plugin = Plugin("till")

@plugin.on_callback
async def callback(call):
    runs = Path(call.data["runs"])
    with runs.open("a") as file:
        file.write("run\\n")
    while "until" in call.data and not Path(call.data["until"]).exists():
        await asyncio.sleep(0.01)
    return {"runs": len(runs.read_text().splitlines())}
"""


def send(running: Running, folder: Path, query: str = "", key: str = "order-17") -> HTTPConnection:
    """Send a callback without waiting for its answer."""
    connection = running.connect()
    path = f"/callback/KEY/SECRET/?runs={folder}/runs{query}"
    connection.request("POST", path, headers={"Idempotency-Key": key})
    return connection


def answer(connection: HTTPConnection) -> tuple[int, Any, str | None]:
    """Status and JSON of the answer, and whether it says that it is one of before."""
    response = connection.getresponse()
    found = response.status, json.loads(response.read()), response.getheader("Idempotent-Replayed")
    connection.close()
    return found


def test_what_kill_9_cuts_off_is_run_again_and_what_was_answered_is_not(tmp_path: Path) -> None:
    with serving(tmp_path, TEXT, {"till": PLUGIN}) as running:
        assert answer(send(running, tmp_path, key="order-16")) == (200, {"runs": 1}, None)
        connection = send(running, tmp_path, f"&until={tmp_path}/never")
        until(lambda: (tmp_path / "runs").read_text() == "run\nrun\n")
        running.signal(signal.SIGKILL)
        running.end()
        connection.close()
    with serving(tmp_path, TEXT, {"till": PLUGIN}) as running:
        assert answer(send(running, tmp_path)) == (200, {"runs": 3}, None)
        assert answer(send(running, tmp_path)) == (200, {"runs": 3}, "true")
        assert answer(send(running, tmp_path, key="order-16")) == (200, {"runs": 1}, "true")


def test_an_answer_was_kept_before_it_was_sent(tmp_path: Path) -> None:
    for number in range(1, 4):
        with serving(tmp_path, TEXT, {"till": PLUGIN}) as running:
            key = f"order-{number}"
            assert answer(send(running, tmp_path, key=key)) == (200, {"runs": number}, None)
            running.signal(signal.SIGKILL)
            running.end()
        with serving(tmp_path, TEXT, {"till": PLUGIN}) as running:
            assert answer(send(running, tmp_path, key=key)) == (200, {"runs": number}, "true")
