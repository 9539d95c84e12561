"""`requests explain`: why a signature was not taken, and what to do."""

import asyncio
import contextlib
import json
import signal
import time
from http.client import HTTPConnection
from pathlib import Path

import pytest

from tests.cli.delivering import conf_on, record
from tests.cli.running import Running, done, refused, serving, until
from tests.dialects.sources.signing import stripe
from tests.store.opened import make_tables, opened
from tornado_cc.cli import explanation
from tornado_cc.core.verdict import Verdict

SECRET = "Zx8-stripe-signing-secret"
SERVER = f"""
[server]
[source:stripe]
scheme = stripe
secret = {SECRET}
"""
SLOW = """
import time
from pathlib import Path
from tornado_cc import Plugin

plugin = Plugin("slow")

@plugin.on_callback(source="stripe")
def paid(call):
    runs = Path(call.data["runs"])
    runs.write_text(runs.read_text() + "x" if runs.exists() else "x")
    while runs.read_text() == "x":
        time.sleep(0.01)
    return "done"
"""


def sent(running: Running, body: bytes, signed: bytes = b"") -> HTTPConnection:
    """A connection on which an event has been sent, with the signature of perhaps another body."""
    connection = running.connect()
    headers = stripe(signed or body, secret=SECRET, at=int(time.time()))
    connection.request("POST", "/in/stripe", body, headers)
    return connection


def answered(connection: HTTPConnection) -> int:
    """The status of the answer, once it is there."""
    with contextlib.closing(connection):
        response = connection.getresponse()
        response.read()
        return response.status


def the_only(conf: Path) -> str:
    """The id of the request that is kept, once it is."""

    def found() -> list[dict[str, str]]:
        listed: list[dict[str, str]] = json.loads(
            done("--conf", conf, "requests", "list", "--json")
        )
        return listed

    until(lambda: bool(found()))
    (one,) = found()
    return one["id"]


def test_a_refused_event_is_explained_with_what_to_do(tmp_path: Path) -> None:
    with serving(tmp_path, SERVER) as running:
        connection = sent(running, b'{"id": "evt_1"}', signed=b'{"id":"evt_1"}')
        assert answered(connection) == 401
        conf = tmp_path / "test.ini"
        request_id = the_only(conf)
        shown = done("--conf", conf, "requests", "explain", request_id)
        told = json.loads(done("--conf", conf, "requests", "explain", request_id, "--json"))
    assert "verdict   body re-encoded" in shown
    assert "cause     the signature fits the body as JSON compact" in shown
    assert shown.rstrip().endswith("byte for byte.")
    assert (told["id"], told["verdict"], told["status"]) == (request_id, "body re-encoded", 401)
    assert told["to_do"] in shown


async def test_it_is_told_from_what_was_stored_without_the_secrets_of_now(tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path}/store.db"
    await make_tables(url)
    conf = conf_on(tmp_path, url)
    cause = "signed 400 s ago \x1b[31m, and tolerance is 300 s"
    async with opened(url, command=True) as store:
        await store.requests.keep([record(verdict="clock off", cause=cause, status=401)])
    arguments = ("--conf", conf, "requests", "explain", "01JZX3W8Q1000000000000000A")
    shown = await asyncio.to_thread(done, *arguments)
    assert "signed 400 s ago" in shown
    assert "\x1b" not in shown
    assert "timedatectl" in shown


async def test_an_id_of_nothing_is_refused(tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path}/store.db"
    await make_tables(url)
    arguments = ("--conf", conf_on(tmp_path, url), "requests", "explain", "nothing")
    assert await asyncio.to_thread(refused, 1, *arguments) == "there is no request nothing"


@pytest.mark.parametrize("verdict", [*map(str, Verdict), "unauthorized", "bad token"])
def test_there_is_something_to_do_about_every_verdict(verdict: str) -> None:
    found = explanation.of(record(verdict=verdict))
    assert len(found.to_do) > 20
    assert found.to_do.endswith(".")


def test_a_verdict_of_another_version_is_told_as_it_is() -> None:
    assert explanation.of(record(verdict="of tomorrow")).to_do == "-"


def test_an_event_that_a_crash_cuts_off_is_run_when_it_is_sent_again(tmp_path: Path) -> None:
    runs = tmp_path / "runs"
    body = json.dumps({"id": "evt_1", "runs": str(runs)}).encode()
    with serving(tmp_path, SERVER, {"slow": SLOW}) as running:
        cut_off = sent(running, body)
        until(runs.exists)
        running.signal(signal.SIGKILL)
        running.end()
        cut_off.close()
    with serving(tmp_path, SERVER, {"slow": SLOW}) as running:
        assert answered(sent(running, body)) == 200
        assert answered(sent(running, body)) == 200
    assert runs.read_text() == "xx"
