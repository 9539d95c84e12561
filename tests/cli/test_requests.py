"""`requests`: what came in, what came of it, and the same once more."""

import json
import signal
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.cli.delivering import conf_on, fill, record
from tests.cli.running import (
    Running,
    command,
    done,
    environment,
    misused,
    refused,
    run,
    serving,
    until,
)
from tests.store.opened import make_tables, opened

SERVER = """
[server]
[journal]
record = all
[dialect:parse]
webhook_key = Zx8-parse-key
[dialect:gamesparks]
api_key = Zx8-api-key
server_secret = Zx8-server-secret
"""
SHOP = """
from tornado_cc import Plugin

plugin = Plugin("shop")

@plugin.cloud_function("greet")
async def greet(call):
    return {"name": call.params["name"], "word": "Hello"}

@plugin.cloud_function("write")
async def write(call):
    url = "http://127.0.0.1:9999/notify?token=Zx8-query"
    await call.http.request(url, method="POST", body="abc")
    await call.store.objects("Note").create({"text": "\\x1b[31m"}, object_id="n1")
    return "done"

@plugin.cloud_function("fail")
async def fail(call):
    raise ValueError("no such Zx8-parse-key")

@plugin.after_save("Review")
async def well(call):
    call.log.info("went well")

@plugin.after_save("Review")
async def badly(call):
    raise ValueError("no")

@plugin.on_callback
async def callback(call):
    call.script_data["seen"] = call.data["name"]
"""


@pytest.fixture
def url(tmp_path: Path) -> str:
    return f"sqlite:///{tmp_path}/store.db"


@pytest.fixture
async def conf(url: str, tmp_path: Path) -> Path:
    """A conf on an empty database."""
    await make_tables(url)
    return conf_on(tmp_path, url)


@pytest.fixture
def shop(tmp_path: Path) -> Iterator[Running]:
    """A server that records everything."""
    with serving(tmp_path, SERVER, {"shop": SHOP}) as running:
        yield running


def listed(conf: Path, *arguments: str) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = json.loads(
        done("--conf", conf, "requests", "list", "--json", *arguments)
    )
    return found


def post(running: Running, path: str, body: Any = None) -> Any:
    connection = running.connect()
    headers = {"X-Parse-Webhook-Key": "Zx8-parse-key"}
    connection.request("POST", path, json.dumps(body or {}), headers)
    answer = json.loads(connection.getresponse().read())
    connection.close()
    return answer


def recorded(running: Running, path: str, body: Any = None) -> str:
    """Post something; the id under which it is recorded."""
    post(running, path, body)
    conf = running.log.parent / "test.ini"
    until(lambda: bool(found := listed(conf)) and found[0]["outcome"] is not None)
    (one,) = listed(conf)
    return str(one["id"])


async def keep(url: str, *records: Any) -> None:
    async with opened(url, command=True) as store:
        await store.requests.keep(records)


OLD, NEW = "01JZX3W8Q1000000000000000A", "01JZX3W8Q1000000000000000B"


async def test_requests_are_listed_the_newest_first(store_url: str, tmp_path: Path) -> None:
    await make_tables(store_url)
    await keep(
        store_url,
        record(OLD),
        record(NEW, dialect="gamesparks", route="/callback/*/*", outcome="failed", cause="no"),
    )
    conf = conf_on(tmp_path, store_url)
    assert [one["id"] for one in listed(conf)] == [NEW, OLD]
    assert [one["id"] for one in listed(conf, "--dialect", "parse")] == [OLD]
    assert [one["id"] for one in listed(conf, "--route", "/callback/*/*")] == [NEW]
    assert [one["id"] for one in listed(conf, "--outcome", "failed")] == [NEW]
    ended = run("--conf", conf, "requests", "list", "--json", "--limit", "1")
    assert [one["id"] for one in json.loads(ended.stdout)] == [NEW]
    assert "the newest 1 are shown, there are more requests; see --limit" in ended.stderr
    assert done("--conf", conf, "requests", "list", "--dialect", "nosuch") == ""


async def test_the_list_as_json_says_all_but_headers_and_bodies(conf: Path, url: str) -> None:
    await keep(url, record(OLD, cause="why\x1b"))
    (one,) = listed(conf)
    assert one["cause"] == "why\x1b"
    assert one["ms"] == 1.5
    assert not one.keys() & {"headers", "body", "answer"}


async def test_tables_escape_what_a_caller_chose(conf: Path, url: str) -> None:
    odd = "/a\x1b[31m\n[red]"
    await keep(url, record(OLD, path=odd, hook=odd, cause=odd, headers=[["x\x1b", "[b]\x07"]]))
    for arguments in (("list",), ("show", OLD)):
        shown = done("--conf", conf, "requests", *arguments)
        assert not {"\x1b", "\x07"} & set(shown)
        assert r"/a\x1b[31m\n[red]" in shown
    assert r"[b]\x07" in shown


async def test_one_request_is_shown_with_its_bodies_and_deliveries(
    url: str, tmp_path: Path
) -> None:
    ids = await fill(url)
    conf = conf_on(tmp_path, url)
    shown = done("--conf", conf, "requests", "show", record().id)
    fields = dict(line.split(None, 1) for line in shown.splitlines()[1:18])
    assert fields["request"] == "POST /webhooks/functions/hello"
    assert (fields["credentials"], fields["status"], fields["replay"]) == ("accepted", "200", "yes")
    assert 'body, 13 bytes as sent:\n  {"params":{}}\n' in shown
    assert 'answer:\n  {"success":"Hello"}\n' in shown
    assert ids["dead"] in shown
    assert ids["done"] not in shown
    one = json.loads(done("--conf", conf, "requests", "show", record().id, "--json"))
    assert (one["body"], one["body_encoding"]) == ('{"params":{}}', "utf-8")
    assert one["headers"] == [["host", "localhost"]]
    assert [each["id"] for each in one["deliveries"]] == [ids["dead"]]


async def test_a_body_that_is_no_text_is_shown_in_hex(conf: Path, url: str) -> None:
    await keep(url, record(OLD, body=bytes(range(250, 256)) + b"ab" * 10, answer=None))
    shown = done("--conf", conf, "requests", "show", OLD)
    assert (
        "  00000000  fa fb fc fd fe ff 61 62 61 62 61 62 61 62 61 62  ......ababababab\n" in shown
    )
    assert "answer:\n  (not kept)\n" in shown
    one = json.loads(done("--conf", conf, "requests", "show", OLD, "--json"))
    assert (one["body"], one["body_encoding"]) == ("fafbfcfdfeff" + "6162" * 10, "hex")
    assert (one["answer"], one["answer_encoding"]) == (None, None)


async def test_why_one_cannot_be_replayed_is_shown(conf: Path, url: str) -> None:
    await keep(url, record(OLD, not_replayable="it is larger than what is kept", body=None))
    shown = done("--conf", conf, "requests", "show", OLD)
    assert "replay       no: it is larger than what is kept\n" in shown


def test_a_request_nobody_knows_is_said_in_one_line(conf: Path) -> None:
    line = refused(1, "--conf", conf, "requests", "show", "no\x1bsuch")
    assert line == r"there is no request no\x1bsuch"


def test_what_is_not_written_as_it_has_to_be_is_said(conf: Path) -> None:
    assert "is not one of" in misused("--conf", conf, "requests", "list", "--outcome", "nosuch")
    assert "Missing argument 'ID'" in misused("--conf", conf, "requests", "replay")


def replay(running: Running, request_id: str, *arguments: str, code: int = 0) -> str:
    """What a replay prints, with the server running or not."""
    conf = running.log.parent / "test.ini"
    ended = run("--conf", conf, "requests", "replay", request_id, *arguments)
    assert ended.code == code, ended.stderr
    assert "Zx8" not in ended.stdout + ended.stderr
    return ended.stdout


def test_a_replay_beside_the_server_has_the_same_answer(shop: Running) -> None:
    request_id = recorded(shop, "/webhooks/functions/greet", {"params": {"name": "Ann\x1b"}})
    assert replay(shop, request_id) == (
        'HTTP 200\n{"success":{"name":"Ann\\u001b","word":"Hello"}}\n\nthe answer is the same\n'
    )
    found = json.loads(replay(shop, request_id, "--json"))
    assert found["answer"] == found["stored"]
    assert (found["same"], found["diff"], found["ran"]) == (True, [], None)
    assert (found["dry_run"], found["notes"]) == (False, None)


def test_code_that_was_changed_shows_as_a_difference(shop: Running) -> None:
    request_id = recorded(shop, "/webhooks/functions/greet", {"params": {"name": "Ann"}})
    path = shop.log.parent / "plugins.d" / "shop.py"
    path.write_text(SHOP.replace('"Hello"', '"Good-bye"'))
    _, _, shown = replay(shop, request_id).partition("the answer differs:\n")
    assert shown.splitlines() == [
        "--- stored",
        "+++ now",
        "@@ -2,6 +2,6 @@",
        " {",
        '   "success": {',
        '     "name": "Ann",',
        '-    "word": "Hello"',
        '+    "word": "Good-bye"',
        "   }",
        " }",
    ]
    found = json.loads(replay(shop, request_id, "--json"))
    assert found["same"] is False
    assert found["diff"] == shown.splitlines()
    assert found["stored"]["body"] == '{"success":{"name":"Ann","word":"Hello"}}'


def test_a_dry_run_prints_what_it_would_have_done(shop: Running) -> None:
    request_id = recorded(shop, "/webhooks/functions/write")
    shown = replay(shop, request_id, "--dry-run")
    assert shown.startswith('HTTP 200\n{"success":"done"}\n')
    assert shown.partition("not done, as this was a dry run:\n")[2].splitlines() == [
        '  POST http://127.0.0.1:9999/notify {"bytes":3}',
        r'  insert objects Note n1 {"fields":{"text":"\u001b[31m"}}',
        "Requests to others were answered with an empty 200; what plugins do without `call` was"
        " done.",
    ]
    notes = json.loads(replay(shop, request_id, "--dry-run", "--json"))["notes"]
    assert [(one["what"], one["verb"], one["subject"]) for one in notes] == [
        ("http", "POST", "http://127.0.0.1:9999/notify"),
        ("store", "insert", "objects Note n1"),
    ]
    assert "nothing would have been done" in replay(
        shop, recorded_again(shop, "/webhooks/functions/fail"), "--dry-run"
    )


def recorded_again(running: Running, path: str) -> str:
    post(running, path)
    conf = running.log.parent / "test.ini"
    until(lambda: len(found := listed(conf)) == 2 and found[0]["outcome"] is not None)
    return str(listed(conf)[0]["id"])


def test_a_failing_hook_says_why_in_the_log(shop: Running) -> None:
    request_id = recorded(shop, "/webhooks/functions/fail")
    conf = shop.log.parent / "test.ini"
    ended = run("--conf", conf, "requests", "replay", request_id)
    assert ended.code == 0
    assert "the answer is the same" in ended.stdout
    (line,) = ended.stderr.splitlines()
    failed = json.loads(line)
    assert failed["message"] == "hook failed"
    assert "ValueError: no such [redacted]" in failed["exception"]


def test_the_hooks_of_an_after_event_are_shown_one_by_one(shop: Running) -> None:
    body = {"triggerName": "afterSave", "object": {"className": "Review", "objectId": "r1"}}
    request_id = recorded(shop, "/webhooks/triggers/Review/afterSave", body)
    head, first, second = replay(shop, request_id).splitlines()
    assert head.split() == ["plugin", "what", "how", "it", "ended", "error", "id"]
    assert first.split() == [
        "shop",
        "after_save",
        "Review",
        "tornado_cc_file_shop.well",
        "done",
        "-",
    ]
    assert "raised ValueError: no" in second
    found = json.loads(replay(shop, request_id, "--json"))
    assert (found["answer"], found["same"]) == (None, None)
    assert [one["error"] for one in found["ran"]] == [None, "raised ValueError: no"]


def test_a_callback_is_replayed_without_its_secret_and_without_a_server(tmp_path: Path) -> None:
    with serving(tmp_path, SERVER, {"shop": SHOP}) as running:
        path = "/callback/Zx8-api-key/Zx8-server-secret/?name=Coin"
        request_id = recorded(running, path)
    shown = done("--conf", tmp_path / "test.ini", "requests", "show", request_id)
    assert "POST /callback/[redacted]/[redacted]/?name=Coin" in shown
    assert "Zx8" not in shown
    assert replay(running, request_id) == 'HTTP 200\n{"seen":"Coin"}\n\nthe answer is the same\n'


def test_what_was_not_kept_whole_is_replayed_by_force_only(shop: Running) -> None:
    body = {"params": {"name": "Ann", "password": "Zx8-word"}}
    request_id = recorded(shop, "/webhooks/functions/greet", body)
    conf = shop.log.parent / "test.ini"
    assert refused(1, "--conf", conf, "requests", "replay", request_id) == (
        f"request {request_id} cannot be replayed as it was: a secret was taken out of it; --force"
        " replays what was kept of it"
    )
    ended = run("--conf", conf, "requests", "replay", request_id, "--force")
    assert (ended.code, ended.stderr) == (
        0,
        "tornado_cc: note: this is not the request as it came: a secret was taken out of it\n",
    )
    assert "the answer is the same" in ended.stdout


def test_a_replay_that_is_interrupted_stops_its_plugins_and_says_so(shop: Running) -> None:
    request_id = recorded(shop, "/webhooks/functions/greet", {"params": {"name": "Ann"}})
    folder = shop.log.parent
    waiting = "import asyncio, pathlib; pathlib.Path('begun').touch(); await asyncio.sleep(60)"
    answer = 'return {"name": call.params["name"], "word": "Hello"}'
    stop = "@plugin.on_stop\ndef stop(app): __import__('pathlib').Path('stopped').touch()\n"
    assert answer in SHOP
    source = f"{SHOP.replace(answer, waiting)}\n{stop}"
    (folder / "plugins.d" / "shop.py").write_text(source)
    with subprocess.Popen(
        command("--conf", folder / "test.ini", "requests", "replay", request_id),
        env=environment(),
        cwd=folder,
        text=True,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    ) as process:
        until(lambda: (folder / "begun").exists() or process.poll() is not None)
        process.send_signal(signal.SIGINT)
        output, errors = process.communicate()
    assert (process.returncode, output) == (1, ""), errors
    assert errors.splitlines()[-1] == (
        "tornado_cc: interrupted; what the plugins had done by then is done"
    )
    assert (folder / "stopped").exists()


def test_what_cannot_be_replayed_is_said_in_one_line(shop: Running) -> None:
    request_id = recorded(shop, "/webhooks/functions/greet", {"params": {"name": "Ann"}})
    conf = shop.log.parent / "test.ini"
    assert refused(1, "--conf", conf, "requests", "replay", "no\x1bsuch") == (
        r"there is no request no\x1bsuch"
    )
    text = conf.read_text()
    conf.write_text(text.replace("webhook_key", "webhook_kye"))
    ended = run("--conf", conf, "requests", "replay", request_id)
    assert (ended.code, ended.stdout) == (78, "")
    assert "1 mistake in the settings" in ended.stderr
    conf.write_text(text)
    path = shop.log.parent / "plugins.d" / "shop.py"
    path.write_text(f"{SHOP}\n@plugin.on_start\ndef start(app): raise ValueError('no')\n")
    ended = run("--conf", conf, "requests", "replay", request_id)
    assert (ended.code, ended.stdout) == (70, "")
    assert ended.stderr.splitlines()[-1].startswith("tornado_cc: plugin shop: on_start ")
    path.write_text("import nosuch_module\n")
    assert run("--conf", conf, "requests", "replay", request_id).code == 70
