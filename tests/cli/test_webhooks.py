"""`--check` says where webhooks go, and no more of their addresses."""

from pathlib import Path

from tests.cli.running import run, write_conf

CONF = """
[server]
mode = development

[dialect:parse]

[webhook:shop]
url = https://CANARY:CANARY@shop.example/CANARY?key=CANARY
secret = CANARY-secret

[webhook:crew]
url = http://127.0.0.1:9000/CANARY
"""


def test_a_check_lists_them(tmp_path: Path) -> None:
    ended = run("--conf", write_conf(tmp_path, CONF), "--check")
    assert ended.code == 0
    lines = ended.stdout.splitlines()
    assert "webhook shop to https://shop.example, signed" in lines
    assert "webhook crew to http://127.0.0.1:9000, not signed" in lines
    assert "CANARY" not in ended.stdout + ended.stderr


def test_a_check_says_what_is_wrong_with_one(tmp_path: Path) -> None:
    text = CONF.replace("secret = CANARY-secret", "secret = whsec_CANARY!")
    ended = run("--conf", write_conf(tmp_path, text), "--check")
    assert ended.code == 78
    assert "[webhook:shop] secret cannot be used: what follows whsec_ is not base64" in ended.stderr
    assert "CANARY" not in ended.stderr
