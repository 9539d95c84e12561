"""`plugins`: what is loaded, and how a running server stands with the hosts it asks."""

import json
import socket
from pathlib import Path

from tests.cli.running import done, run, serving, write_conf
from tests.receiver import closed_port

PARSE = "[server]\n[dialect:parse]\n"
SHOP = """
from tornado_cc import Field, OutboundError, Plugin, Settings

class ShopSettings(Settings):
    url: str = Field("", description="Where the shop is.")

plugin = Plugin("shop", settings=ShopSettings)

@plugin.every("hour")
def tidy(call): ...

@plugin.before_save("Order")
def check(call): ...

@plugin.cloud_function("price")
async def price(call): ...

@plugin.on_start
async def start(app):
    for _ in range(5):
        try:
            await app.http.request(app.settings.url)
        except OutboundError:
            pass
"""
QUIET = """
from tornado_cc import hookimpl

@hookimpl
def cloud_function(call): ...
"""


def test_plugins_are_listed_with_what_they_do_and_whom_they_may_reach(tmp_path: Path) -> None:
    conf = write_conf(
        tmp_path,
        f"{PARSE}[plugin:shop]\nhosts = api.example.com, *.example.org:8443\n"
        f"[plugin:mute]\nhosts =\n[admin]\nbind = 127.0.0.1:{closed_port()}\n",
        {"shop": SHOP, "quiet": QUIET, "mute": QUIET},
    )
    head, *rows = done("--conf", conf, "plugins").splitlines()
    assert head.split() == ["plugin", "version", "from", "hosts", "schedules", "hooks"]
    assert [" ".join(row.split()) for row in rows[:3]] == [
        "mute - file mute.py none - cloud_function",
        "quiet - file quiet.py any - cloud_function",
        "shop - file shop.py api.example.com, *.example.org:8443 tidy every hour"
        " on_start, cloud_function price, before_save Order",
    ]


def test_json_has_the_same(tmp_path: Path) -> None:
    port = closed_port()
    conf = write_conf(
        tmp_path,
        f"{PARSE}[plugins]\nenable = hello, shop\ndir = plugins.d\n"
        f"[admin]\nbind = 127.0.0.1:{port}\n",
        {"shop": SHOP},
    )
    found = json.loads(done("--conf", conf, "plugins", "--json"))
    hello, shop = found["plugins"]
    assert hello == {
        "name": "hello",
        "version": "0.1.0",
        "distribution": "tornado_cc_hello",
        "hooks": ["cloud_function helloWorld"],
        "schedules": [],
        "hosts": None,
    }
    (schedule,) = shop["schedules"]
    assert schedule.pop("next").endswith("Z")
    assert schedule == {"name": "tidy", "every": "hour"}
    assert found["server"] == {
        "address": f"127.0.0.1:{port}",
        "status": "not running",
        "breakers": [],
    }


def test_it_says_so_when_no_server_runs(tmp_path: Path) -> None:
    port = closed_port()
    conf = write_conf(tmp_path, f"{PARSE}[admin]\nbind = 0.0.0.0:{port}\n")
    assert done("--conf", conf, "plugins").splitlines() == [
        f"server at 127.0.0.1:{port}: not running"
    ]


def test_it_says_so_when_none_can_be_asked(tmp_path: Path) -> None:
    conf = write_conf(tmp_path, f"{PARSE}[admin]\nbind = off\n")
    assert done("--conf", conf, "plugins") == "server: not asked, as [admin] bind is off\n"


def test_somebody_else_at_that_port_is_no_server(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as silent:
        port = silent.getsockname()[1]
        conf = write_conf(tmp_path, f"{PARSE}[admin]\nbind = 127.0.0.1:{port}\n")
        assert done("--conf", conf, "plugins").endswith(": not running\n")


def test_a_running_server_says_which_hosts_it_leaves_alone(tmp_path: Path) -> None:
    admin, nobody = closed_port(), closed_port()
    text = (
        f"[server]\nbind = 127.0.0.1:0\n[dialect:parse]\n[admin]\nbind = 127.0.0.1:{admin}\n"
        f"[plugin:shop]\nurl = http://127.0.0.1:{nobody}/\n"
    )
    with serving(tmp_path, text, {"shop": SHOP}):
        lines = done("--conf", tmp_path / "test.ini", "plugins").splitlines()
        found = json.loads(done("--conf", tmp_path / "test.ini", "plugins", "--json"))
    assert lines[2:5] == ["", f"server at 127.0.0.1:{admin}: ready", ""]
    assert lines[5].split() == ["host", "circuit", "failures", "asked", "again", "in"]
    assert lines[6].split()[:3] == [f"127.0.0.1:{nobody}", "open", "5"]
    (held,) = found["server"]["breakers"]
    assert (held["host"], held["state"]) == (f"127.0.0.1:{nobody}", "open")


def test_a_plugin_that_cannot_be_loaded_ends_it(tmp_path: Path) -> None:
    conf = write_conf(tmp_path, PARSE, {"broken": "import nothing_of_that_name"})
    ended = run("--conf", conf, "plugins")
    assert (ended.code, ended.stdout) == (70, "")
    assert "plugin broken" in ended.stderr


def test_settings_that_are_wrong_end_it(tmp_path: Path) -> None:
    conf = write_conf(tmp_path, f"{PARSE}[plugin:shop]\nhosts = *\n", {"shop": SHOP})
    ended = run("--conf", conf, "plugins")
    assert (ended.code, ended.stdout) == (78, "")
    assert "[plugin:shop] hosts names *, which is no host" in ended.stderr
