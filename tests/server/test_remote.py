"""Whose address a request comes from, when it comes through proxies."""

import pytest
from tornado.httputil import HTTPHeaders

from tests.serving import KEY, Serve
from tornado_cc.server.remote import Remote
from tornado_cc.settings import ServerSettings

PROXIES = "127.0.0.1, ::1 10.0.0.0/8, fd00::/8"
REMOTE = """
    from tornado_cc import Plugin
    plugin = Plugin("remote")
    @plugin.cloud_function("remote")
    async def remote(call):
        return call.request.remote
"""


@pytest.mark.parametrize(
    ("peer", "forwarded", "found"),
    [
        ("127.0.0.1", ["192.0.2.1"], "192.0.2.1"),
        ("127.0.0.1", ["198.51.100.9, 192.0.2.1"], "192.0.2.1"),
        ("127.0.0.1", ["198.51.100.9", "192.0.2.1"], "192.0.2.1"),
        ("127.0.0.1", ["192.0.2.1, 10.1.2.3,10.9.9.9"], "192.0.2.1"),
        ("::1", ["192.0.2.1"], "192.0.2.1"),
        ("::ffff:127.0.0.1", ["192.0.2.1"], "192.0.2.1"),
        ("10.255.0.1", ["2001:DB8::1"], "2001:db8::1"),
        ("fd12::1", ["::ffff:192.0.2.1"], "192.0.2.1"),
        ("127.0.0.1", ["192.0.2.1:4711"], "192.0.2.1"),
        ("127.0.0.1", ["[2001:db8::1]"], "2001:db8::1"),
        ("127.0.0.1", ["[2001:db8::1]:4711"], "2001:db8::1"),
    ],
)
def test_a_trusted_proxy_says_who_the_caller_is(
    peer: str, forwarded: list[str], found: str
) -> None:
    assert remote(peer, forwarded) == found


@pytest.mark.parametrize(
    ("forwarded", "found"),
    [
        ([], "127.0.0.1"),
        ([""], "127.0.0.1"),
        (["unknown"], "127.0.0.1"),
        (["192.0.2.1, nonsense"], "127.0.0.1"),
        (["192.0.2.1,"], "127.0.0.1"),
        (["192.0.2.1, nonsense, 10.1.2.3"], "10.1.2.3"),
        (["192.0.2.01"], "127.0.0.1"),
        (["192.0.2.256"], "127.0.0.1"),
        (["fe80::1%<script>"], "127.0.0.1"),
        (["192.0.2.1/24"], "127.0.0.1"),
        (["10.0.0.1, 10.0.0.2"], "10.0.0.1"),
    ],
)
def test_where_no_address_is_named_the_last_good_one_counts(
    forwarded: list[str], found: str
) -> None:
    assert remote("127.0.0.1", forwarded) == found


@pytest.mark.parametrize("peer", ["192.0.2.7", "2001:db8::7", "", "nonsense"])
def test_whoever_is_no_trusted_proxy_may_say_what_it_likes(peer: str) -> None:
    assert remote(peer, ["198.51.100.9"]) == peer


def test_without_trusted_proxies_the_header_counts_for_nothing() -> None:
    assert remote("127.0.0.1", ["198.51.100.9"], proxies="") == "127.0.0.1"


async def test_hooks_and_the_access_log_see_the_callers_address(serve: Serve) -> None:
    conf = "[dialect:parse]\nwebhook_key = test-key\n[server]\ntrusted_proxies = 127.0.0.0/8\n"
    served = await serve(conf, {"remote": REMOTE})
    headers = {**KEY, "X-Forwarded-For": "198.51.100.9, 192.0.2.1"}
    assert await served.webhook("/functions/remote", {}, headers) == {"success": "192.0.2.1"}
    (record,) = served.logged("request")
    assert vars(record)["remote"] == "192.0.2.1"
    assert served.fired == ["cloud_function remote (remote)"]


async def test_a_caller_that_no_proxy_forwards_cannot_pass_for_another(serve: Serve) -> None:
    served = await serve(plugins={"remote": REMOTE})
    headers = {**KEY, "X-Forwarded-For": "192.0.2.1"}
    assert await served.webhook("/functions/remote", {}, headers) == {"success": "127.0.0.1"}
    assert served.fired == ["cloud_function remote (remote)"]


def remote(peer: str, forwarded: list[str], proxies: str = PROXIES) -> str:
    """The address found for a peer and its `X-Forwarded-For` lines."""
    headers = HTTPHeaders()
    for line in forwarded:
        headers.add("X-Forwarded-For", line)
    settings = ServerSettings.model_validate({"trusted_proxies": proxies})
    return Remote(settings.trusted_proxies).of(peer, headers)
