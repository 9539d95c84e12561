"""`[parse_server]`: what it takes to talk back, and what of it is secret."""

import pytest

from tests.settings.confs import PARSE, Conf, names
from tornado_cc.core.redact import Redactor

SECTION = "[parse_server]\nurl = https://parse.example/parse\napplication_id = app\n"
KEEPING = "keep_hooks = on\npublic_url = https://cc.example\nmaster_key = Zx8-q41-Uw\n"


def test_without_the_section_there_is_none(conf: Conf) -> None:
    settings = conf.build(PARSE).configuration.parse_server
    assert (settings.url, settings.master_key, settings.keep_hooks) == (None, None, False)


def test_a_whole_one_is_valid(conf: Conf) -> None:
    settings = conf.build(f"{PARSE}{SECTION}{KEEPING}").configuration.parse_server
    assert (str(settings.url), str(settings.public_url)) == (
        "https://parse.example",
        "https://cc.example",
    )
    assert (settings.keep_hooks, settings.keep_hooks_every, settings.timeout) == (True, 60, 5)


@pytest.mark.parametrize(
    ("text", "keys"),
    [
        ("[parse_server]\nurl = ftp://parse.example", ["url"]),
        ("[parse_server]\nurl = https://parse.example:22\napplication_id = a", ["url"]),
        ("[parse_server]\nurl = https://parse.example?CANARY\napplication_id = a", ["url"]),
        ("[parse_server]\nurl = https://parse.example", ["application_id"]),
        (f"{SECTION}public_url = https://cc.example/#CANARY", ["public_url"]),
        ("[parse_server]\npublic_url = https://cc.example", ["url"]),
        (f"{SECTION}keep_hooks = on", ["public_url", "master_key"]),
        ("[parse_server]\nkeep_hooks = on", ["url", "public_url", "master_key"]),
        (f"{SECTION}{KEEPING}keep_hooks_every = 0.5", ["keep_hooks_every"]),
    ],
)
def test_what_cannot_be_used_is_a_mistake(conf: Conf, text: str, keys: list[str]) -> None:
    mistakes = conf.mistakes(f"{PARSE}{text}\n")
    assert names(mistakes) == [("parse_server", key) for key in keys]
    assert "CANARY" not in str(mistakes)


def test_keeping_hooks_needs_somebody_who_answers_them(conf: Conf) -> None:
    mistake = conf.mistake(f"{SECTION}{KEEPING}")
    assert (mistake.section, mistake.key) == ("parse_server", "keep_hooks")


@pytest.mark.parametrize("key", ["", "changeme"])
def test_production_takes_no_example_for_a_master_key(conf: Conf, key: str) -> None:
    production = "[server]\nmode = production\n[store]\nurl = sqlite:////tmp/x.db\n"
    mistake = conf.mistake(f"{production}{PARSE}{SECTION}master_key = {key}\n")
    assert (mistake.section, mistake.key) == ("parse_server", "master_key")


def test_production_advises_against_a_key_that_everybody_on_the_way_reads(conf: Conf) -> None:
    production = "[server]\nmode = production\n[store]\nurl = sqlite:////tmp/x.db\n"
    section = SECTION.replace("https", "http")
    warned = conf.build(f"{production}{PARSE}{section}").warnings()
    assert any("[parse_server] url is http" in warning for warning in warned)
    loopback = section.replace("parse.example", "127.0.0.1:1337")
    warned = conf.build(f"{production}{PARSE}{loopback}").warnings()
    assert not any("parse_server" in warning for warning in warned)


def test_its_keys_are_masked_and_its_addresses_are_not(conf: Conf) -> None:
    section = SECTION.replace("https://", "https://user:CANARY-pass@")
    keys = "master_key = CANARY-master\nrest_api_key = CANARY-rest\n"
    redactor = Redactor(conf.build(f"{PARSE}{section}{keys}").secrets())
    text = "CANARY-pass CANARY-master CANARY-rest https://parse.example/parse/classes/A"
    assert "CANARY" not in redactor.clean(text)
    assert "https://parse.example/parse/classes/A" in redactor.clean(text)
