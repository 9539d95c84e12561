"""What a mail says is shown to whoever asks for it, and to nobody else."""

import json
from pathlib import Path

from tests.cli.delivering import conf_on, new
from tests.cli.running import done, run, write_conf
from tests.store.opened import make_tables, opened
from tornado_cc.core.json_value import dump
from tornado_cc.outbound import mail_of

FILE = {"name": "a.txt", "type": "text/plain", "content": b"CANARY"}
MAIL = {
    "from": "a@example.com",
    "to": "Zoë <b@example.com>",
    "subject": "Hi",
    "text": "CANARY",
    "html": "<b>CANARY</b>",
    "attachments": [FILE],
}


async def test_a_mail_is_shown_without_what_it_says(tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path}/store.db"
    await make_tables(url)
    payload = dump(mail_of(MAIL, most=1).facts()).decode()
    async with opened(url, command=True) as store:
        (delivery_id,) = await store.outbox.add([new("mail", kind="mail", payload=payload)])
    conf = conf_on(tmp_path, url)
    shown = done("--conf", conf, "deliveries", "show", delivery_id)
    assert '"subject": "Hi"' in shown
    assert '"text": "(6 characters)"' in shown
    assert "CANARY" not in shown
    assert "Q0FOQVJZ" not in shown
    facts = json.loads(done("--conf", conf, "deliveries", "show", delivery_id, "--json"))
    assert facts["payload"]["to"] == [{"name": "Zoë", "address": "b@example.com"}]
    assert facts["payload"]["html"] == "(13 characters)"
    assert facts["payload"]["attachments"] == [{**FILE, "content": "(6 bytes)"}]
    whole = done("--conf", conf, "deliveries", "show", delivery_id, "--json", "--reveal")
    assert json.loads(whole)["payload"] == json.loads(payload)
    assert "CANARY" in done("--conf", conf, "deliveries", "show", delivery_id, "--reveal")


def test_a_check_says_where_mail_goes(tmp_path: Path) -> None:
    text = "[mail]\nurl = smtps://CANARY-0123456789abc:CANARY@mail.example\n[dialect:parse]\n"
    ended = run("--conf", write_conf(tmp_path, text), "--check")
    assert ended.code == 0
    assert "mail to smtps://mail.example:465" in ended.stdout.splitlines()
    assert "CANARY" not in ended.stdout + ended.stderr
