"""Values that stand somewhere else: `env:`, `file:`, and `literal:` for those that do not."""

from pathlib import Path

import pytest

from tests.settings.confs import Conf
from tornado_cc.core.secret import Secret
from tornado_cc.server import Built


def key_of(built: Built) -> str:
    key = vars(built.configuration.dialects["parse"])["webhook_key"]
    assert isinstance(key, Secret)
    return key.reveal()


def parse_with(value: str) -> str:
    return f"[dialect:parse]\nwebhook_key = {value}\n"


def test_env_takes_the_value_of_a_variable(conf: Conf) -> None:
    assert key_of(conf.build(parse_with("env:HOOK_KEY"), {"HOOK_KEY": "s3cr:t = %40"})) == (
        "s3cr:t = %40"
    )


def test_a_value_from_a_variable_is_not_looked_up_again(conf: Conf) -> None:
    environ = {"HOOK_KEY": "env:OTHER", "OTHER": "no"}
    assert key_of(conf.build(parse_with("env:HOOK_KEY"), environ)) == "env:OTHER"


def test_white_space_after_env_makes_no_difference(conf: Conf) -> None:
    assert key_of(conf.build(parse_with("env: HOOK_KEY"), {"HOOK_KEY": "abc"})) == "abc"


def test_a_variable_that_is_not_set_is_a_mistake(conf: Conf) -> None:
    mistake = conf.mistake(parse_with("env:HOOK_KEY"))
    assert str(mistake) == (
        f"{conf.path}:2: [dialect:parse] webhook_key"
        " names the variable HOOK_KEY, which is not set. Set HOOK_KEY"
    )


def test_a_variable_that_is_empty_is_set(conf: Conf) -> None:
    assert key_of(conf.build(parse_with("env:HOOK_KEY"), {"HOOK_KEY": ""})) == ""


@pytest.mark.parametrize("content", ["abc", "abc\n", "abc\r\n"])
def test_file_takes_the_content_without_its_trailing_newline(conf: Conf, content: str) -> None:
    (conf.folder / "key").write_bytes(content.encode())
    assert key_of(conf.build(parse_with("file:key"))) == "abc"


def test_other_white_space_in_a_file_is_part_of_the_value(conf: Conf) -> None:
    (conf.folder / "key").write_text(" a\nb ä \n", encoding="utf-8")
    assert key_of(conf.build(parse_with("file:key"))) == " a\nb ä "


def test_a_file_is_looked_for_beside_the_conf_and_not_in_the_working_folder(
    conf: Conf, tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch
) -> None:
    (conf.folder / "secrets").mkdir()
    (conf.folder / "secrets" / "key").write_text("beside")
    monkeypatch.chdir(tmp_path_factory.mktemp("elsewhere"))
    assert key_of(conf.build(parse_with("file:secrets/key"))) == "beside"


def test_a_file_may_be_named_from_the_root_or_from_home(
    conf: Conf, monkeypatch: pytest.MonkeyPatch
) -> None:
    (conf.folder / "key").write_text("found")
    monkeypatch.setenv("HOME", str(conf.folder))
    assert key_of(conf.build(parse_with(f"file:{conf.folder / 'key'}"))) == "found"
    assert key_of(conf.build(parse_with("file:~/key"))) == "found"


@pytest.mark.parametrize(
    ("name", "reason"),
    [
        ("nosuch", "No such file or directory"),
        (".", "Is a directory"),
        ("nul\0", "is not a path"),
        ("~nosuchuser/key", "is not a path"),
        ("x" * 300, "File name too long"),
        ("latin", "is not UTF-8 text"),
    ],
)
def test_a_file_that_cannot_be_read_is_a_mistake(conf: Conf, name: str, reason: str) -> None:
    (conf.folder / "latin").write_bytes(b"CANARY-\xe9")
    mistake = conf.mistake(parse_with(f"file:{name}"))
    assert mistake.key == "webhook_key"
    assert mistake.problem == f"names the file {name}, which cannot be read: {reason}"
    assert "CANARY" not in str(mistake)


@pytest.mark.parametrize("value", ["env:HOME", "file:key", "literal:x", "", " leading", "plain"])
def test_literal_takes_what_follows_as_it_is(conf: Conf, value: str) -> None:
    assert key_of(conf.build(parse_with(f"literal:{value}"))) == value


@pytest.mark.parametrize("value", ["postgres://a:b@c/d", "ENV:HOME", "environment:x", ":", "a:b"])
def test_other_words_before_a_colon_mean_nothing(conf: Conf, value: str) -> None:
    assert key_of(conf.build(parse_with(value))) == value


def test_a_reference_works_for_any_setting(conf: Conf) -> None:
    (conf.folder / "threads").write_text("7\n")
    built = conf.build(
        "[hooks]\nthreads = file:threads\ndeadline = env:SECONDS\n", {"SECONDS": "2.5"}
    )
    assert (built.configuration.hooks.threads, built.configuration.hooks.deadline) == (7, 2.5)


def test_a_wrong_value_behind_a_reference_is_a_mistake_of_the_key(conf: Conf) -> None:
    mistake = conf.mistake("[hooks]\nthreads = env:THREADS\n", {"THREADS": "many"})
    assert (mistake.section, mistake.key, mistake.line) == ("hooks", "threads", 2)


def test_a_reference_that_leads_nowhere_is_one_mistake_only(conf: Conf) -> None:
    section = conf.add_plugin(
        "needy",
        """
        from tornado_cc import Plugin, SecretText, Settings

        class Needs(Settings):
            token: SecretText

        plugin = Plugin("needy", settings=Needs)

        @plugin.cloud_function("f")
        def f(call): ...
        """,
    )
    text = f"[server]\nmode = production\n{section}[plugin:needy]\ntoken = env:TOKEN\n"
    assert conf.mistake(text).problem == "names the variable TOKEN, which is not set"


def test_a_path_setting_starts_at_the_conf_file(conf: Conf) -> None:
    section = conf.add_plugin(
        "one", "from tornado_cc import hookimpl\n@hookimpl\ndef on_stop(app): ..."
    )
    built = conf.build(section)
    assert built.configuration.plugins.dir == conf.folder / "plugins.d"
    assert built.configuration.plugins.dir != Path("plugins.d")
