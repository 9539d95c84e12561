"""Variables that override the file: TORNADO_CC__SECTION__KEY and TORNADO_CC__SECTION__KEY_FILE."""

import pytest

from tests.settings.confs import PARSE, Conf, names
from tornado_cc.core.secret import Secret


def test_a_variable_overrides_the_file(conf: Conf) -> None:
    built = conf.build("[hooks]\nthreads = 2\n", {"TORNADO_CC__HOOKS__THREADS": "3"})
    assert built.configuration.hooks.threads == 3


def test_a_variable_sets_what_the_file_does_not_mention(conf: Conf) -> None:
    built = conf.build("", {"TORNADO_CC__SERVER__BIND": "0.0.0.0:80"})
    assert built.configuration.server.bind == ("0.0.0.0", 80)


def test_every_character_of_a_section_that_is_no_letter_or_digit_becomes_an_underscore(
    conf: Conf,
) -> None:
    built = conf.build(PARSE, {"TORNADO_CC__DIALECT_PARSE__WEBHOOK_KEY": "from outside"})
    assert _key(built.configuration.dialects["parse"]) == "from outside"


def test_a_variable_alone_turns_a_dialect_on(conf: Conf) -> None:
    built = conf.build("[server]\n", {"TORNADO_CC__DIALECT_PARSE__MOUNT": "/parse"})
    assert [(dialect.name, dialect.mount) for dialect in built.dialects] == [("parse", "/parse")]


def test_without_a_section_or_a_variable_a_dialect_is_off(conf: Conf) -> None:
    assert conf.build("[server]\n").dialects == ()


def test_a_variable_ending_in_file_names_a_file_beside_the_conf(conf: Conf) -> None:
    (conf.folder / "key").write_text("from a file\n")
    built = conf.build(PARSE, {"TORNADO_CC__DIALECT_PARSE__WEBHOOK_KEY_FILE": "key"})
    assert _key(built.configuration.dialects["parse"]) == "from a file"


def test_a_variable_may_refer_on(conf: Conf) -> None:
    environ = {"TORNADO_CC__HOOKS__THREADS": "env:THREADS", "THREADS": "5"}
    assert conf.build("", environ).configuration.hooks.threads == 5


def test_the_two_variables_of_one_key_are_a_mistake(conf: Conf) -> None:
    environ = {"TORNADO_CC__HOOKS__THREADS": "5", "TORNADO_CC__HOOKS__THREADS_FILE": "threads"}
    (conf.folder / "threads").write_text("5")
    assert str(conf.mistake("", environ)) == (
        "TORNADO_CC__HOOKS__THREADS: [hooks] threads is set by TORNADO_CC__HOOKS__THREADS"
        " and TORNADO_CC__HOOKS__THREADS_FILE. Keep one"
    )


@pytest.mark.parametrize(
    ("environ", "place"),
    [
        ({"TORNADO_CC__HOOKS__THREADS": "many"}, "TORNADO_CC__HOOKS__THREADS"),
        ({"TORNADO_CC__HOOKS__THREADS": ""}, "TORNADO_CC__HOOKS__THREADS"),
        ({"TORNADO_CC__HOOKS__THREADS_FILE": "nosuch"}, "TORNADO_CC__HOOKS__THREADS_FILE"),
    ],
)
def test_a_mistake_in_a_variable_names_the_variable(
    conf: Conf, environ: dict[str, str], place: str
) -> None:
    mistake = conf.mistake("[hooks]\nthreads = 2\n", environ)
    assert (mistake.file, mistake.line) == (place, 0)
    assert (mistake.section, mistake.key) == ("hooks", "threads")


@pytest.mark.parametrize(
    "name",
    [
        "TORNADO_CC__",
        "TORNADO_CC__BIND",
        "TORNADO_CC__NOSUCH__KEY",
        "TORNADO_CC__DIALECT_NOSUCH__MOUNT",
        "TORNADO_CC__PLUGIN_NOSUCH__KEY",
        "TORNADO_CC__server__bind",
    ],
)
def test_a_variable_that_sets_nothing_is_a_mistake(conf: Conf, name: str) -> None:
    mistake = conf.mistake("", {name: "CANARY"})
    assert (mistake.file, mistake.key, mistake.problem) == ("environment", name, "names no setting")
    assert "TORNADO_CC__SERVER__BIND" in mistake.suggestion
    assert "CANARY" not in str(mistake)


def test_a_variable_that_is_nearly_one_gets_a_suggestion(conf: Conf) -> None:
    mistake = conf.mistake("", {"TORNADO_CC__SERVER__MAX_BODI": "1"})
    assert mistake.suggestion == "Did you mean TORNADO_CC__SERVER__MAX_BODY?"


@pytest.mark.parametrize("name", ["TORNADO_CC", "TORNADO_CC_HOME", "tornado_cc__x__y", "PATH"])
def test_other_variables_are_nobodys_business(conf: Conf, name: str) -> None:
    conf.build("", {name: "x"})


def test_a_variable_for_a_disabled_plugin_waits_until_it_is_enabled(conf: Conf) -> None:
    section = conf.add_plugin("idle", "raise AssertionError('never imported')")
    text = section.replace("enable = idle", "disable = idle\nenable = none\noptional = none")
    conf.build(text, {"TORNADO_CC__PLUGIN_IDLE__TOKEN": "x"})


def test_all_unknown_variables_are_reported(conf: Conf) -> None:
    environ = {"TORNADO_CC__A__B": "", "TORNADO_CC__C__D": "", "TORNADO_CC__HOOKS__THREADS": "0"}
    assert names(conf.mistakes("", environ)) == [
        ("hooks", "threads"),
        ("", "TORNADO_CC__A__B"),
        ("", "TORNADO_CC__C__D"),
    ]


def _key(settings: object) -> str:
    key = vars(settings)["webhook_key"]
    assert isinstance(key, Secret)
    return key.reveal()
