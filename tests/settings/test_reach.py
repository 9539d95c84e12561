"""Whom requests may reach, as it is written: `[outbound] allow` and `[plugin:NAME] hosts`."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.settings.confs import Conf
from tornado_cc.server.build import PluginsFailed
from tornado_cc.settings import OutboundSettings, PluginSection
from tornado_cc.settings.reach import HostPattern, Opening

PLUGIN = """
from tornado_cc import Field, Plugin, Settings

class Model(Settings):
    url: str = Field("", description="Where it asks.")

plugin = Plugin("shop", settings=Model)

@plugin.cloud_function("f")
def f(call): ...
"""


def allowed(text: str) -> tuple[Opening, ...]:
    settings: Any = OutboundSettings.model_validate({"allow": text})
    return tuple(settings.allow)


def hosts(text: str) -> tuple[HostPattern, ...]:
    section: Any = PluginSection.model_validate({"hosts": text})
    return tuple(section.hosts)


def test_places_are_names_addresses_and_networks_each_with_a_port() -> None:
    found = allowed(
        "intranet.example:8443, 127.0.0.1:8080 10.0.0.0/8:443,[::1]:80, [fd00::/8]:443, Db:1337"
    )
    assert [(one.name, str(one.network), one.port) for one in found] == [
        ("intranet.example", "None", 8443),
        ("", "127.0.0.1/32", 8080),
        ("", "10.0.0.0/8", 443),
        ("", "::1/128", 80),
        ("", "fd00::/8", 443),
        ("db", "None", 1337),
    ]
    assert [str(one) for one in found][2:4] == ["10.0.0.0/8:443", "[::1]:80"]


NO_PLACES = {
    "intranet.example": "no place",
    "10.0.0.0/8": "no place",
    ":8080": "no place",
    "*.example.com:443": "no place",
    "https://intranet.example:443": "no place",
    "::1:8080": "no place",
    "[10.0.0.1]:8080": "no place",
    "[intranet.example]:8080": "no place",
    "fd00::/8:443": "no place",
    "127.1:8080": "no place",
    "2130706433:8080": "no place",
    "0x7f000001:8080": "no place",
    "10.0.0.300:8080": "no place",
    "b\u00fccher.example:443": "no place",
    "a..b:443": "no place",
    "-a.example:443": "no place",
    f"{'a' * 64}.example:443": "no place",
    "intranet.example:22": "ports 80, 443 and 1025-65535 only",
    "intranet.example:0": "ports 80, 443 and 1025-65535 only",
    "intranet.example:65536": "ports 80, 443 and 1025-65535 only",
    "10.1.2.3/8:443": "10.0.0.0/8 as a network and 10.1.2.3 as an address",
    "[fd00::1/8]:443": "fd00::/8 as a network and fd00::1 as an address",
}


@pytest.mark.parametrize("text", NO_PLACES)
def test_what_opens_nothing_is_a_mistake(conf: Conf, text: str) -> None:
    mistake = conf.mistake(f"[outbound]\nallow = 127.0.0.1:8080, {text}\n")
    assert (mistake.section, mistake.key) == ("outbound", "allow")
    assert mistake.problem.startswith(f"names {text}, ")
    assert NO_PLACES[text] in mistake.problem


def test_hosts_are_names_and_addresses_with_or_without_a_port() -> None:
    found = hosts("api.Example.com., *.example.org:8443 10.0.0.1 [::0:1]:8080, [2001:DB8::1]")
    assert [(one.name, one.port, one.below) for one in found] == [
        ("api.example.com", None, False),
        ("example.org", 8443, True),
        ("10.0.0.1", None, False),
        ("::1", 8080, False),
        ("2001:db8::1", None, False),
    ]


def test_a_star_is_every_name_below_and_not_the_name_itself() -> None:
    (pattern,) = hosts("*.example.com:443")
    for name in ("a.example.com", "a.b.example.com"):
        assert pattern.covers(name, 443)
        assert not pattern.covers(name, 80)
    for name in ("example.com", "aexample.com", "a.example.com.org", "xn--example.com"):
        assert not pattern.covers(name, 443)


@pytest.mark.parametrize(
    "text",
    ["*", "*.", "a.*.example", "https://a.example", "a.example/", "127.1", "::1", "a.example:22"],
)
def test_what_is_no_host_is_a_mistake(conf: Conf, text: str) -> None:
    mistake = conf.mistake(f"[plugin:shop]\nhosts = {text}\n{conf.add_plugin('shop', PLUGIN)}")
    assert (mistake.section, mistake.key) == ("plugin:shop", "hosts")
    assert mistake.problem.startswith(f"names {text}")


def test_every_plugins_section_may_say_its_hosts(conf: Conf) -> None:
    plugins = conf.add_plugin("shop", PLUGIN)
    built = conf.build(f"[plugin:shop]\nhosts = api.example.com\nurl = x\n{plugins}")
    (pattern,) = built.configuration.plugin_sections["shop"].hosts or ()
    assert str(pattern) == "api.example.com"
    # The plugin's own settings are what its own model says, and nothing else.
    own = built.configuration.plugin_settings["shop"]
    assert (type(own).__name__, own.model_dump()) == ("Model", {"url": "x"})


def test_a_plugin_that_says_none_may_reach_all_and_an_empty_list_is_none(conf: Conf) -> None:
    plugins = conf.add_plugin("shop", PLUGIN)
    assert conf.build(plugins).configuration.plugin_sections["shop"].hosts is None
    built = conf.build(f"[plugin:shop]\nhosts =\n{plugins}")
    assert built.configuration.plugin_sections["shop"].hosts == ()


def test_hosts_may_come_from_the_environment(conf: Conf) -> None:
    environ = {"TORNADO_CC__PLUGIN_SHOP__HOSTS": "a.example", "TORNADO_CC__PLUGIN_SHOP__URL": "u"}
    built = conf.build(conf.add_plugin("shop", PLUGIN), environ)
    assert [str(one) for one in built.configuration.plugin_sections["shop"].hosts or ()] == [
        "a.example"
    ]
    assert built.configuration.plugin_settings["shop"].model_dump() == {"url": "u"}


def test_a_word_close_to_it_is_taken_for_it(conf: Conf) -> None:
    mistake = conf.mistake(f"[plugin:shop]\nhost = a\n{conf.add_plugin('shop', PLUGIN)}")
    assert mistake.suggestion == "Did you mean hosts?"


def test_mistakes_in_both_kinds_of_keys_are_told_at_once(conf: Conf) -> None:
    text = f"[plugin:shop]\nhosts = *\nurls = x\n{conf.add_plugin('shop', PLUGIN)}"
    assert [one.key for one in conf.mistakes(text)] == ["hosts", "urls"]


def test_no_plugin_may_have_the_key_for_itself(conf: Conf) -> None:
    source = PLUGIN.replace("url: str", "hosts: str")
    with pytest.raises(PluginsFailed, match="its settings have hosts, a key that every plugin's"):
        conf.build(conf.add_plugin("shop", source))


@given(st.text(max_size=20) | st.text("0123456789abcdefx.:/[]*-", max_size=20))
def test_any_text_is_a_mistake_or_a_list_of_places(text: str) -> None:
    for read in (allowed, hosts):
        try:
            found = read(text)
        except ValueError:
            continue
        assert all(1 <= (one.port or 1) <= 65535 for one in found)
