"""`[server] mode = production`: no secret that somebody could guess."""

import pytest

from tests.settings.confs import Conf, names

PRODUCTION = "[server]\nmode = production\n"
KEYED = """
from tornado_cc import Field, Plugin, Secret, SecretText, Settings

class Keyed(Settings):
    token: SecretText = Field(Secret("Zx8-out-of-the-box"), description="x")
    other: SecretText | None = None

plugin = Plugin("keyed", settings=Keyed)

@plugin.cloud_function("f")
def f(call): ...
"""


@pytest.mark.parametrize("line", ["", "webhook_key =", "webhook_key = literal:"])
def test_an_empty_secret_is_refused(conf: Conf, line: str) -> None:
    mistake = conf.mistake(f"{PRODUCTION}[dialect:parse]\n{line}\n")
    assert (mistake.section, mistake.key) == ("dialect:parse", "webhook_key")
    assert mistake.problem == "is empty, which production does not allow"
    assert mistake.suggestion == "Set a secret of your own, as in webhook_key = env:WEBHOOK_KEY"


@pytest.mark.parametrize("value", ["changeme", "dev-webhook-key", "YOUR_KEY", "<key>", "Password"])
def test_an_example_is_refused_without_being_quoted(conf: Conf, value: str) -> None:
    mistake = conf.mistake(f"{PRODUCTION}[dialect:parse]\nwebhook_key = {value}\n")
    assert mistake.problem == "is an example or a default, which production does not allow"
    assert value not in str(mistake)


def test_an_example_is_refused_wherever_it_comes_from(conf: Conf) -> None:
    (conf.folder / "key").write_text("changeme\n")
    text = f"{PRODUCTION}[dialect:parse]\n"
    key = "TORNADO_CC__DIALECT_PARSE__WEBHOOK_KEY"
    for environ in ({key: "changeme"}, {f"{key}_FILE": "key"}, {key: "env:K", "K": "changeme"}):
        assert conf.mistake(text, environ).file.startswith(key)


def test_a_secret_of_ones_own_is_accepted(conf: Conf) -> None:
    conf.build(f"{PRODUCTION}[dialect:parse]\nwebhook_key = 6f1ed002ab\n")


@pytest.mark.parametrize("line", ["", "webhook_key = changeme", "webhook_key = dev-webhook-key"])
def test_development_takes_any_secret(conf: Conf, line: str) -> None:
    conf.build(f"[server]\nmode = development\n[dialect:parse]\n{line}\n")


def test_the_mode_may_come_from_a_variable(conf: Conf) -> None:
    environ = {"TORNADO_CC__SERVER__MODE": "production"}
    assert conf.mistake("[dialect:parse]\n", environ).key == "webhook_key"


@pytest.mark.parametrize("line", ["", "token = Zx8-out-of-the-box"])
def test_the_default_of_a_plugins_secret_is_refused(conf: Conf, line: str) -> None:
    plugins = conf.add_plugin("keyed", KEYED)
    mistake = conf.mistake(f"{PRODUCTION}[plugin:keyed]\n{line}\n{plugins}")
    assert (mistake.section, mistake.key) == ("plugin:keyed", "token")
    assert mistake.problem == "is an example or a default, which production does not allow"
    assert "Zx8" not in str(mistake)


def test_a_plugin_without_a_section_is_held_to_its_defaults(conf: Conf) -> None:
    plugins = conf.add_plugin("keyed", KEYED)
    assert names(conf.mistakes(f"{PRODUCTION}{plugins}")) == [("plugin:keyed", "token")]


def test_a_secret_a_plugin_can_do_without_may_be_absent_and_not_an_example(conf: Conf) -> None:
    plugins = conf.add_plugin("keyed", KEYED)
    text = f"{PRODUCTION}{plugins}[plugin:keyed]\ntoken = 6f1ed002ab\n"
    conf.build(text)
    assert conf.mistake(f"{text}other = changeme\n").key == "other"


def test_development_takes_the_default_of_a_plugins_secret(conf: Conf) -> None:
    conf.build(conf.add_plugin("keyed", KEYED))
