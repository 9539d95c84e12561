"""What stops a start: names no request reaches, names with two owners, names in another's mount."""

import subprocess
import sys
from pathlib import Path

import pytest

from tests.dialects.skygear.served import SKYGEAR, plugin
from tests.serving import PARSE, Serve, write_conf
from tornado_cc.server import build
from tornado_cc.server.build import PathsTaken, PluginsFailed
from tornado_cc.settings import Mistakes

BESIDE = f"{SKYGEAR}\n{PARSE}"


def handler(name: str, method: str = "GET", text: str = "mine") -> str:
    return f"""
@plugin.handler({name!r}, method={method!r})
def serve(request):
    return {text!r}
"""


@pytest.mark.parametrize("name", ["", "/", ":", "files/", "pubsub", "_:pubsub"])
async def test_row_100_a_name_that_the_server_has_itself_stops_the_start(
    serve: Serve, name: str
) -> None:
    with pytest.raises(PluginsFailed, match=r"plugin mine .*: the path .* is taken"):
        await serve(SKYGEAR, plugin(handler(name)))


@pytest.mark.parametrize("name", ["a//b", "a/./b", "a/../b", "..", "a::b", "a//"])
async def test_a_name_that_no_clean_path_has_stops_the_start(serve: Serve, name: str) -> None:
    with pytest.raises(PluginsFailed, match=r"no request reaches an endpoint named"):
        await serve(SKYGEAR, plugin(handler(name)))


async def test_row_28_a_name_declared_twice_in_one_plugin_warns_and_the_second_counts(
    serve: Serve, tmp_path: Path
) -> None:
    source = plugin(handler("dup", text="first") + handler("/dup", text="second"))
    served = await serve(SKYGEAR, source)
    assert (await served.request("GET", "/dup")).body == b"second"
    built = build(write_conf(tmp_path / "again", SKYGEAR, source), {})
    assert built.warnings() == [
        "plugin mine declares http_endpoint /dup GET twice; the last counts"
    ]


@pytest.mark.parametrize(("first", "second"), [("a:b", "a/b"), ("/dup", "dup")])
async def test_row_28_a_name_of_two_plugins_stops_the_start_and_both_are_named(
    serve: Serve, first: str, second: str
) -> None:
    plugins = plugin(handler(first), "one") | plugin(handler(second), "two")
    with pytest.raises(PluginsFailed, match=r"plugin two .*which .* of plugin one .*claims too"):
        await serve(SKYGEAR, plugins)


async def test_two_plugins_may_share_a_path_by_method_and_by_its_slash(serve: Serve) -> None:
    plugins = plugin(handler("dup"), "one") | plugin(
        handler("dup", "POST", "two's") + handler("dup/", text="below"), "two"
    )
    served = await serve(SKYGEAR, plugins)
    assert (await served.request("GET", "/dup")).body == b"mine"
    assert (await served.request("POST", "/dup")).body == b"two's"
    assert (await served.request("GET", "/dup/x")).body == b"below"


@pytest.mark.parametrize(
    ("name", "owner"),
    [
        ("webhooks", "parse"),
        ("webhooks/", "parse"),
        ("webhooks:functions:hello", "parse"),
        ("healthz", "the server"),
        ("readyz", "the server"),
        ("healthz/", "the server"),
    ],
)
async def test_a_name_in_anothers_mount_stops_the_start(
    serve: Serve, name: str, owner: str
) -> None:
    path = "/" + name.replace(":", "/")
    text = f"the skygear endpoint {path} lies below /.* which belongs to {owner}"
    with pytest.raises(PathsTaken, match=text):
        await serve(BESIDE, plugin(handler(name)))


def test_the_start_ends_with_70_and_names_the_path(tmp_path: Path) -> None:
    path = write_conf(tmp_path, BESIDE, plugin(handler("webhooks/mine")))
    command = [sys.executable, "-m", "tornado_cc", "--check", "--conf", str(path)]
    ended = subprocess.run(command, capture_output=True, text=True, timeout=30)
    assert ended.returncode == 70
    assert "the skygear endpoint /webhooks/mine lies below /webhooks" in ended.stderr


async def test_every_name_in_anothers_mount_is_told_at_once(serve: Serve) -> None:
    with pytest.raises(PathsTaken) as raised:
        await serve(BESIDE, plugin(handler("webhooks/a") + handler("webhooks/b")))
    assert len(str(raised.value).splitlines()) == 2


async def test_below_a_mount_of_its_own_the_same_names_are_free(serve: Serve) -> None:
    conf = f"{BESIDE}".replace("[dialect:skygear]", "[dialect:skygear]\nmount = /api/")
    served = await serve(conf, plugin(handler("healthz") + handler("webhooks/")))
    assert (await served.request("GET", "/api/healthz")).body == b"mine"
    assert (await served.request("GET", "/api/webhooks/x")).body == b"mine"
    assert (await served.request("GET", "/healthz")).json() == {"status": "ok"}


async def test_a_name_that_only_begins_like_a_mount_is_free(serve: Serve) -> None:
    served = await serve(BESIDE, plugin(handler("webhooksandmore") + handler("healthzy")))
    assert (await served.request("GET", "/webhooksandmore")).body == b"mine"
    assert (await served.request("GET", "/healthzy")).body == b"mine"


@pytest.mark.parametrize("origin", ["https://a b", "https://a\n b", "https://\u4f60"])
async def test_an_origin_that_no_header_could_hold_is_a_mistake(serve: Serve, origin: str) -> None:
    with pytest.raises(Mistakes, match=r"\[dialect:skygear\] cors_origin"):
        await serve(f"[dialect:skygear]\ncors_origin = {origin}\n", plugin(handler("a")))


KEYS = "api_key = 7Jq2vX9p\nmaster_key = Zt4mR8wL\n"


@pytest.mark.parametrize(
    ("conf", "warning"),
    [
        ("api_key = same\nmaster_key = same\n", "api_key and master_key are the same"),
        (f"unmatched = home\n{PARSE}", "unmatched = home answers 200"),
        (f"traceback = on\n{KEYS}[server]\nmode = production\n", "traceback = on has no effect"),
    ],
)
def test_what_is_hardly_meant_is_a_warning(tmp_path: Path, conf: str, warning: str) -> None:
    path = write_conf(tmp_path, f"[dialect:skygear]\n{conf}", plugin(handler("a")))
    (found,) = build(path, {}).warnings()
    assert found.startswith(f"dialect skygear: {warning}")


def test_a_sound_conf_warns_of_nothing(tmp_path: Path) -> None:
    conf = f"[dialect:skygear]\n{KEYS}[server]\nmode = production\n"
    assert build(write_conf(tmp_path, conf, plugin(handler("a"))), {}).warnings() == []
