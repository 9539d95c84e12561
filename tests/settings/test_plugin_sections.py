"""`[plugin:NAME]`: the section a plugin declares its own model for."""

from pathlib import Path

import pytest

from tests.settings.confs import Conf, names
from tornado_cc.server.build import PluginsFailed

MODEL = """
from pathlib import Path
from typing import Annotated, Literal

from tornado_cc import Field, Names, Plugin, Seconds, SecretText, Settings, Size

class Model(Settings):
    limit: int = Field(3, ge=1, description="At most this many.")
    wait: Seconds = 5
    size: Size = 10
    words: Names = ()
    level: Literal[1, 2, 3] = 1
    folder: Path = Path("data")
    other: Path | None = None
    token: SecretText | None = None

plugin = Plugin("shop", settings=Model)

@plugin.cloud_function("f")
def f(call): ...
"""
PLAIN = """
from tornado_cc import Plugin

plugin = Plugin("plain")

@plugin.cloud_function("f")
def f(call): ...
"""


def test_a_plugins_section_becomes_its_model(conf: Conf) -> None:
    plugins = conf.add_plugin("shop", MODEL)
    built = conf.build(
        f"[plugin:shop]\nlimit = 7\nwait = 0.5\nsize = 1 KiB\nwords = a, b\nlevel = 2\n{plugins}"
    )
    settings = vars(built.configuration.plugin_settings["shop"])
    assert (settings["limit"], settings["wait"], settings["size"]) == (7, 0.5, 1024)
    assert (settings["words"], settings["level"]) == (("a", "b"), 2)


def test_a_plugin_without_a_section_has_its_defaults(conf: Conf) -> None:
    built = conf.build(conf.add_plugin("shop", MODEL))
    assert vars(built.configuration.plugin_settings["shop"])["limit"] == 3


def test_the_hooks_of_a_plugin_are_given_its_settings(conf: Conf) -> None:
    plugins = conf.add_plugin("shop", MODEL)
    built = conf.build(f"[plugin:shop]\nlimit = 8\n{plugins}")
    (one,) = built.registry.everything()
    assert one.settings is built.configuration.plugin_settings["shop"]


def test_relative_paths_of_a_plugin_start_at_the_conf_file(conf: Conf) -> None:
    plugins = conf.add_plugin("shop", MODEL)
    built = conf.build(f"[plugin:shop]\nother = there/../x\n{plugins}")
    settings = vars(built.configuration.plugin_settings["shop"])
    assert settings["other"] == conf.folder / "there/../x"
    assert settings["folder"] == conf.folder / "data"


def test_an_absolute_path_stays_as_it_is(conf: Conf, tmp_path: Path) -> None:
    plugins = conf.add_plugin("shop", MODEL)
    built = conf.build(f"[plugin:shop]\nfolder = {tmp_path / 'x'}\n{plugins}")
    assert vars(built.configuration.plugin_settings["shop"])["folder"] == tmp_path / "x"


def test_a_plugins_setting_is_overridden_by_a_variable(conf: Conf) -> None:
    plugins = conf.add_plugin("shop", MODEL)
    built = conf.build(plugins, {"TORNADO_CC__PLUGIN_SHOP__LIMIT": "9"})
    assert vars(built.configuration.plugin_settings["shop"])["limit"] == 9


def test_an_unknown_key_of_a_plugin_comes_with_a_suggestion(conf: Conf) -> None:
    plugins = conf.add_plugin("shop", MODEL)
    mistake = conf.mistake(f"[plugin:shop]\nlimti = 1\n{plugins}")
    assert (mistake.key, mistake.suggestion) == ("limti", "Did you mean limit?")


def test_a_plugin_without_a_model_knows_no_key(conf: Conf) -> None:
    plugins = conf.add_plugin("plain", PLAIN)
    mistake = conf.mistake(f"[plugin:plain]\nlimit = 1\n{plugins}")
    assert mistake.problem == "is not a key known here"


def test_a_wrong_value_comes_with_the_plugins_own_sentence(conf: Conf) -> None:
    plugins = conf.add_plugin("shop", MODEL)
    mistake = conf.mistake(f"[plugin:shop]\nlimit = 0\n{plugins}")
    assert mistake.suggestion == "At most this many."


def test_a_section_for_a_plugin_that_is_not_there_is_a_mistake(conf: Conf) -> None:
    plugins = conf.add_plugin("shop", MODEL)
    mistake = conf.mistake(f"[plugin:shopp]\nlimit = 1\n{plugins}")
    assert (mistake.section, mistake.problem) == ("plugin:shopp", "is not a section known here")
    assert mistake.suggestion == "Did you mean plugin:shop?"


def test_a_section_for_a_disabled_plugin_waits_until_it_is_enabled(conf: Conf) -> None:
    conf.add_plugin("shop", MODEL)
    plugins = conf.add_plugin("plain", PLAIN)
    conf.build(f"[plugin:shop]\nanything = env:NOT_SET\n{plugins}")


def test_a_section_for_a_plugin_that_fails_does_not_hide_the_failure(conf: Conf) -> None:
    plugins = conf.add_plugin("broken", "import nosuch_module_at_all")
    with pytest.raises(PluginsFailed, match=r"plugin broken .*nosuch_module_at_all"):
        conf.build(
            f"[plugin:broken]\ntoken = 1\n{plugins}", {"TORNADO_CC__PLUGIN_BROKEN__LIMIT": "1"}
        )


def test_mistakes_come_before_plugins_that_fail(conf: Conf) -> None:
    plugins = conf.add_plugin("broken", "import nosuch_module_at_all")
    assert names(conf.mistakes(f"[hooks]\nthreads = 0\n{plugins}")) == [("hooks", "threads")]


@pytest.mark.parametrize("error", ["KeyError", "RuntimeError", "ZeroDivisionError"])
def test_a_model_that_raises_the_wrong_thing_is_a_mistake_and_no_traceback(
    conf: Conf, error: str
) -> None:
    source = f"""
from pydantic import field_validator
from tornado_cc import Plugin, Settings

class Model(Settings):
    limit: str = "x"

    @field_validator("limit")
    @classmethod
    def check(cls, value):
        raise {error}(value)

plugin = Plugin("shop", settings=Model)

@plugin.cloud_function("f")
def f(call): ...
"""
    plugins = conf.add_plugin("shop", source)
    mistake = conf.mistake(f"[plugin:shop]\nlimit = CANARY\n{plugins}")
    assert mistake.problem == f"cannot be checked: its model raised {error}"
    assert "CANARY" not in str(mistake)
