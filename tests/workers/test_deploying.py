"""What docs/deploy.md shows is used as it is shown."""

import json
import os
import re
import shutil
import socket
import ssl
import subprocess
import sys
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest

from tests.cli.running import PATIENCE, command, environment, write_conf
from tests.docs.pages import ROOT, Section, sections
from tests.processes import free_port, running
from tests.tools import MissingToolError, find_nginx
from tornado_cc.server import build

PAGE = "docs/deploy.md"
CALLER = "127.0.0.2"
REMOTE = """
from tornado_cc import Plugin
plugin = Plugin("remote")

@plugin.cloud_function("remote")
async def remote(call): return call.request.remote
"""
CONF = (
    "[server]\nbind = 127.0.0.1:{port}\ntrusted_proxies = 127.0.0.1\n"
    "[dialect:parse]\nwebhook_key = test-key\n"
    "[dialect:gamesparks]\napi_key = k3y\nserver_secret = CANARY-in-url\n"
)


def section(title: str) -> Section:
    """One heading of the page."""
    (found,) = (one for one in sections() if (one.page, one.title) == (PAGE, title))
    return found


def texts(title: str) -> list[str]:
    """The texts below it."""
    return [block.text for block in section(title).of("text")]


class Proxied:
    """A server behind nginx."""

    def __init__(self, folder: Path, port: int) -> None:
        self.folder = folder
        self._port = port

    def ask(self, method: str, path: str, headers: str = "", body: bytes = b"") -> tuple[int, Any]:
        """Status and JSON of an answer that came through nginx."""
        context = ssl.create_default_context(cafile=self.folder / "cert.pem")
        head = f"{method} {path} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n{headers}"
        head += f"Content-Length: {len(body)}\r\n\r\n"
        plain = socket.create_connection(("127.0.0.1", self._port), PATIENCE, (CALLER, 0))
        with context.wrap_socket(plain, server_hostname="localhost") as one:
            one.sendall(head.encode() + body)
            answer = b"".join(iter(lambda: one.recv(65536), b""))
        start, _, rest = answer.partition(b"\r\n\r\n")
        return int(start.split()[1]), json.loads(rest)


@pytest.fixture
def proxied(tmp_path: Path) -> Iterator[Proxied]:
    front: list[str | Path]
    try:
        nginx = find_nginx()
    except MissingToolError as missing:
        if os.environ.get("CI"):
            raise
        pytest.skip(str(missing))
    port, behind = free_port(), free_port()
    make_certificate(tmp_path)
    (tmp_path / "nginx.conf").write_text(nginx_conf(tmp_path, port, behind))
    conf = write_conf(tmp_path, CONF.format(port=behind), {"remote": REMOTE})
    with ExitStack() as stack:
        logs = [tmp_path / "server.log", tmp_path / "nginx.log"]
        server = stack.enter_context(
            running(
                "tornado_cc",
                command("--conf", conf),
                folder=tmp_path,
                log=logs[0],
                environment=environment(),
            )
        )
        front = [nginx, "-p", tmp_path, "-c", "nginx.conf", "-e", "stderr"]
        proxy = stack.enter_context(running("nginx", front, folder=tmp_path, log=logs[1]))
        server.wait_until(lambda: '"listening"' in server.output(), PATIENCE)
        proxy.wait_until(lambda: listens(port), PATIENCE)
        yield Proxied(tmp_path, port)


def make_certificate(folder: Path) -> None:
    """A certificate of its own for localhost."""
    new = ["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2"]
    named = ["-subj", "/CN=localhost", "-addext", "subjectAltName=DNS:localhost"]
    files = ["-keyout", "key.pem", "-out", "cert.pem"]
    subprocess.run([*new, *named, *files], cwd=folder, check=True, capture_output=True)


def nginx_conf(folder: Path, port: int, behind: int) -> str:
    """The text of the page, with our own ports and files, in what nginx needs around it."""
    (text,) = texts("nginx")
    for shown, ours in (
        ("127.0.0.1:8080", f"127.0.0.1:{behind}"),
        ("listen 443 ssl", f"listen 127.0.0.1:{port} ssl"),
        ("/etc/ssl/cloud.example.com.pem", "cert.pem"),
        ("/etc/ssl/cloud.example.com.key", "key.pem"),
    ):
        assert text.count(shown) == 1
        text = text.replace(shown, ours)
    kinds = ("client_body", "proxy", "fastcgi", "uwsgi", "scgi")
    paths = "".join(f"{kind}_temp_path {folder}/{kind};\n" for kind in kinds)
    around = f"daemon off;\npid nginx.pid;\nuser root;\nevents {{}}\nhttp {{\n{paths}"
    return f"{around}access_log access.log;\nerror_log error.log info;\n{text}}}\n"


def listens(port: int) -> bool:
    """Whether somebody does."""
    with socket.socket() as one:
        return one.connect_ex(("127.0.0.1", port)) == 0


def test_nginx_in_front_passes_on_who_calls_and_what_is_too_large(proxied: Proxied) -> None:
    key = "X-Parse-Webhook-Key: test-key\r\nX-Forwarded-For: 192.0.2.7\r\n"
    function = "/webhooks/functions/remote"
    assert proxied.ask("POST", function, key, b"{}") == (200, {"success": CALLER})
    status, answer = proxied.ask("POST", function, key, b'"' + b"x" * (11 << 20) + b'"')
    assert (status, answer["error"]) == (200, "The body is larger than 10485760 bytes")
    assert proxied.ask("GET", "/callback/k3y/CANARY-in-url/")[0] == 200
    assert proxied.ask("GET", "/readyz") == (200, {"status": "ready"})
    written = [path.read_text() for path in proxied.folder.glob("*.log")]
    assert any("/readyz" in text for text in written)
    assert not any("CANARY" in text for text in written)


def test_the_units_are_what_systemd_takes(tmp_path: Path) -> None:
    program = shutil.which("systemd-analyze")
    if program is None:
        pytest.skip("systemd-analyze was not found: there is no systemd here")
    sockets, service = texts("systemd")
    assert "/opt/tornado_cc/bin/python -m tornado_cc --conf" in service
    # What it would look for on this machine.
    service = service.replace("/opt/tornado_cc/bin/python", sys.executable)
    (tmp_path / "tornado_cc.socket").write_text(sockets)
    (tmp_path / "tornado_cc.service").write_text(service)
    units = [tmp_path / "tornado_cc.socket", tmp_path / "tornado_cc.service"]
    done = subprocess.run(
        [program, "verify", "--man=no", *units], capture_output=True, text=True, check=False
    )
    assert "tornado_cc" not in done.stderr, done.stderr


def test_the_dockerfile_copies_what_is_there_and_starts_what_is_valid(tmp_path: Path) -> None:
    (text,) = texts("Docker")
    lines = text.replace("\\\n", " ").splitlines()
    copied = [
        line.split()[1:-1] for line in lines if line.startswith("COPY ") and "--from" not in line
    ]
    assert all((ROOT / name).exists() for names in copied for name in names)
    installed = re.findall(r"\./(plugins/\w+)", text)
    assert installed
    assert all((ROOT / name / "pyproject.toml").exists() for name in installed)
    started = json.loads(next(line for line in lines if line.startswith("CMD ")).partition(" ")[2])
    assert started[1:4] == ["-m", "tornado_cc", "--conf"]
    assert f"COPY conf/prod.ini {started[4]}" in lines
    settings = dict(line.split()[1].split("=", 1) for line in lines if line.startswith("ENV "))
    built = build(ROOT / "conf" / "prod.ini", {**settings, "PARSE_WEBHOOK_KEY": "3q8fkYw2"})
    assert built.configuration.server.bind == ("0.0.0.0", 8080)
