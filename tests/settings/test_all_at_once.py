"""Whoever writes a conf learns everything that is wrong with it in one go."""

from pathlib import Path

import pytest

from tests.settings.confs import Conf, names

STRICT = """
from tornado_cc import Field, Plugin, SecretText, Settings

class Strict(Settings):
    token: SecretText = Field(description="Where to get one.")
    limit: int = 3

plugin = Plugin("strict", settings=Strict)

@plugin.cloud_function("f")
def f(call): ...
"""


EVERYTHING_WRONG = """
[server]
bind = nowhere
mode = production
max_boddy = 1 MiB
[hooks]
threads = 0
threads = many
deadlines = after_save
[log]
level = loud
nonsense
[dialect:parse]
mount = webhooks
max_body = env:NOSUCH
[dialect:klingon]
[plugin:strict]
limit = three
limits = 4
[plugin:nosuch]
"""


def test_every_section_reports_its_mistakes_at_once(conf: Conf) -> None:
    plugins = conf.add_plugin("strict", STRICT)
    environ = {"TORNADO_CC__SERVER__BODY_TIMEOUT": "0", "TORNADO_CC__NOSUCH__KEY": ""}
    mistakes = conf.mistakes(f"{EVERYTHING_WRONG}{plugins}", environ)
    assert sorted(names(mistakes)) == sorted(
        [
            ("", ""),
            ("", "TORNADO_CC__NOSUCH__KEY"),
            ("dialect:klingon", ""),
            ("dialect:parse", "max_body"),
            ("dialect:parse", "mount"),
            ("dialect:parse", "webhook_key"),
            ("hooks", "deadlines"),
            ("hooks", "threads"),
            ("hooks", "threads"),
            ("log", "level"),
            ("plugin:nosuch", ""),
            ("plugin:strict", "limit"),
            ("plugin:strict", "limits"),
            ("plugin:strict", "token"),
            ("server", "bind"),
            ("server", "body_timeout"),
            ("server", "max_boddy"),
        ]
    )


def test_a_mistake_in_the_plugins_section_hides_no_other(conf: Conf) -> None:
    text = "[plugins]\nenabel = one\n[sevrer]\n[hooks]\nthreads = 0\n[plugin:one]\ntoken = 1\n"
    environ = {"TORNADO_CC__NOSUCH__KEY": "", "TORNADO_CC__PLUGIN_ONE__TOKEN": "2"}
    assert names(conf.mistakes(text, environ)) == [
        ("plugins", "enabel"),
        ("sevrer", ""),
        ("hooks", "threads"),
        ("", "TORNADO_CC__NOSUCH__KEY"),
    ]


def test_a_folder_that_is_not_there_hides_no_other_mistake(conf: Conf) -> None:
    text = "[plugins]\ndir = nosuch\nenable = none\noptional = none\n[log]\nlevel = loud\n"
    assert names(conf.mistakes(text)) == [("plugins", "dir"), ("log", "level")]


def test_an_example_secret_is_seen_beside_a_mistake_in_the_same_section(conf: Conf) -> None:
    text = "[server]\nmode = production\nbind = x\n[dialect:parse]\nwebhook_key = test\nmount = x\n"
    assert sorted(names(conf.mistakes(text))) == [
        ("dialect:parse", "mount"),
        ("dialect:parse", "webhook_key"),
        ("server", "bind"),
    ]


def test_plugins_that_are_not_installed_are_named_with_those_that_are(conf: Conf) -> None:
    plugins = conf.add_plugin("strict", STRICT)
    text = plugins.replace("enable = strict", "enable = strikt\ndisable = other")
    mistakes = conf.mistakes(text)
    assert [(one.key, one.problem) for one in mistakes] == [
        ("enable", "names strikt, which is not installed"),
        ("disable", "names other, which is not installed"),
    ]
    assert "strict" in mistakes[0].suggestion


def test_every_mistake_is_a_line_that_says_where_and_what_to_do(conf: Conf) -> None:
    mistakes = conf.mistakes("[server]\nbnid = 1\n\n[hooks]\nthreads = 0\n")
    assert [str(one) for one in mistakes] == [
        f"{conf.path}:2: [server] bnid is not a key known here. Did you mean bind?",
        f"{conf.path}:5: [hooks] threads is not valid: input should be greater than 0."
        " How many plain `def` hooks run at the same time.",
    ]


def test_a_missing_key_points_at_its_section_and_says_what_it_is_for(conf: Conf) -> None:
    plugins = conf.add_plugin("strict", STRICT)
    mistake = conf.mistake(f"[hooks]\n[plugin:strict]\nlimit = 4\n{plugins}")
    assert str(mistake) == (f"{conf.path}:2: [plugin:strict] token is missing. Where to get one.")


@pytest.mark.parametrize("page", ["/healthz", "/readyz"])
def test_a_dialect_cannot_have_a_page_of_the_server(conf: Conf, page: str) -> None:
    mistake = conf.mistake(f"[dialect:parse]\nmount = {page}\n")
    assert mistake.problem == f"is {page}, which is the server's own"


def test_two_dialects_cannot_have_one_mount(conf: Conf, second_dialect: Path) -> None:
    mistake = conf.mistake("[dialect:parse]\n[dialect:echo]\nmount = /webhooks/\n")
    assert mistake.section in ("dialect:parse", "dialect:echo")
    assert mistake.key == "mount"
    assert mistake.problem.startswith("is /webhooks, as in [dialect:")
    assert mistake.suggestion == "Give each dialect its own path"


def test_one_mount_may_lie_below_another(conf: Conf, second_dialect: Path) -> None:
    built = conf.build("[dialect:parse]\n[dialect:echo]\nmount = /webhooks/echo\n")
    assert sorted(dialect.mount for dialect in built.dialects) == ["/webhooks", "/webhooks/echo"]
