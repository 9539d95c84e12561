"""How a conf file is read, and what is wrong with one that cannot be."""

from pathlib import Path

import pytest

from tests.settings.confs import Conf, names
from tornado_cc.server import build
from tornado_cc.settings import Mistake, Mistakes


def mistakes_of(path: Path) -> list[Mistake]:
    with pytest.raises(Mistakes) as wrong:
        build(path, {})
    return list(wrong.value.mistakes)


def test_a_missing_file_is_the_only_mistake(conf: Conf) -> None:
    (mistake,) = mistakes_of(conf.path)
    assert str(mistake) == (
        f"{conf.path}: cannot be read: No such file or directory. Name a conf with --conf"
    )


def test_a_file_that_is_not_utf8_is_a_mistake(conf: Conf) -> None:
    conf.path.write_bytes(b"[server]\nbind = CANARY\xff\n")
    (mistake,) = mistakes_of(conf.path)
    assert mistake.problem == "cannot be read: is not UTF-8 text"
    assert "CANARY" not in str(mistake)


def test_a_byte_order_mark_is_passed_over(conf: Conf) -> None:
    conf.path.write_bytes(b"\xef\xbb\xbf[hooks]\nthreads = 3\n[plugins]\nenable=\n")
    assert build(conf.path, {}).configuration.hooks.threads == 3


def test_an_empty_file_leaves_every_default(conf: Conf) -> None:
    built = conf.build("")
    assert built.configuration.server.bind == ("127.0.0.1", 8080)
    assert built.configuration.server.mode == "development"


def test_a_line_before_the_first_section_is_a_mistake_and_the_rest_still_counts(
    conf: Conf,
) -> None:
    mistakes = conf.mistakes("# fine\nbind = CANARY\nmode = x\n[hooks]\nthreads = 0\n")
    assert [(one.line, one.problem[:33]) for one in mistakes] == [
        (2, "has a line before the first section"[:33]),
        (5, "is not valid: input should be greater than 0"[:33]),
    ]
    assert "CANARY" not in str(mistakes[0])


def test_a_file_without_any_section_is_one_mistake(conf: Conf) -> None:
    conf.path.write_text("bind = 127.0.0.1:80\nmode = production\n")
    (mistake,) = mistakes_of(conf.path)
    assert str(mistake) == (
        f"{conf.path}:1: has a line before the first section. Start with a section, as in [server]"
    )


def test_a_line_without_an_equals_sign_is_a_mistake_and_the_rest_still_counts(conf: Conf) -> None:
    mistakes = conf.mistakes("[hooks]\nCANARY\nthreads = 0\nmore\n")
    assert [(one.line, one.key) for one in mistakes] == [(2, ""), (3, "threads"), (4, "")]
    assert mistakes[0].problem == "has a line that is not `key = value`"
    assert not any("CANARY" in str(one) for one in mistakes)


def test_a_line_without_a_key_is_one_mistake(conf: Conf) -> None:
    assert conf.mistake("[hooks]\n= 3\n").problem == "has a line that is not `key = value`"


def test_an_unknown_section_comes_with_a_suggestion(conf: Conf) -> None:
    mistake = conf.mistake("[server]\n\n[sevrer]\nbind = 127.0.0.1:80\n")
    assert (mistake.section, mistake.line) == ("sevrer", 3)
    assert mistake.suggestion == "Did you mean server?"


def test_an_unknown_dialect_comes_with_a_suggestion(conf: Conf) -> None:
    assert conf.mistake("[dialect:prase]\n").suggestion == "Did you mean dialect:parse?"


def test_a_section_like_nothing_known_comes_with_all_that_is_known(conf: Conf) -> None:
    suggestion = conf.mistake("[zzz]\n").suggestion
    assert suggestion.startswith("Known here: ")
    assert {"server", "hooks", "log", "plugins", "dialect:parse"} <= set(
        suggestion.removeprefix("Known here: ").split(", ")
    )


def test_an_unknown_key_comes_with_a_suggestion(conf: Conf) -> None:
    mistake = conf.mistake("[hooks]\nthreds = 4\n")
    assert str(mistake) == (
        f"{conf.path}:2: [hooks] threds is not a key known here. Did you mean threads?"
    )


@pytest.mark.parametrize("key", ["Threads", "THREADS"])
def test_the_case_of_a_key_matters(conf: Conf, key: str) -> None:
    assert conf.mistake(f"[hooks]\n{key} = 4\n").problem == "is not a key known here"


def test_a_section_named_default_is_no_special_section(conf: Conf) -> None:
    assert names(conf.mistakes("[DEFAULT]\nthreads = 4\n[hooks]\n")) == [("DEFAULT", "")]


def test_a_key_that_is_there_twice_is_a_mistake(conf: Conf) -> None:
    mistake = conf.mistake("[hooks]\nthreads = 4\ndeadline = 2\nthreads = 5\n")
    assert str(mistake) == (
        f"{conf.path}:4: [hooks] threads stands here again, first on line 2. Keep one"
    )


def test_a_section_that_is_there_twice_is_a_mistake(conf: Conf) -> None:
    mistakes = conf.mistakes("[hooks]\nthreads = 4\n[log]\n[hooks]\nthreads = 4\n")
    assert [(one.section, one.key, one.line) for one in mistakes] == [
        ("hooks", "", 4),
        ("hooks", "threads", 5),
    ]


def test_a_key_that_is_there_twice_is_seen_when_it_is_indented(conf: Conf) -> None:
    mistake = conf.mistake("[hooks]\n  threads = 4\n  threads = 5\n")
    assert (mistake.key, mistake.line) == ("threads", 3)


def test_the_same_key_in_two_sections_is_no_mistake(conf: Conf) -> None:
    conf.build("[server]\nmax_body = 1 MiB\n[dialect:parse]\nmax_body = 2 MiB\n")


def test_a_value_may_go_on_in_deeper_lines(conf: Conf) -> None:
    section = conf.add_plugin(
        "one", "from tornado_cc import hookimpl\n@hookimpl\ndef on_stop(app): ..."
    )
    built = conf.build(
        section.replace("enable = one", "enable =\n  one\n  # not two\n  three\noptional = three")
    )
    assert built.configuration.plugins.enable == ("one", "three")


def test_lines_that_only_look_like_keys_in_a_long_value_are_no_duplicates(conf: Conf) -> None:
    built = conf.build("[hooks]\ndeadlines =\n  after_save = 60\n  on_stop = 5\nthreads = 2\n")
    assert built.configuration.hooks.deadlines == {"after_save": 60, "on_stop": 5}


@pytest.mark.parametrize("comment", ["# threads = 0", "; threads = 0", "   # indented", ""])
def test_comments_and_empty_lines_say_nothing(conf: Conf, comment: str) -> None:
    assert conf.build(f"[hooks]\n{comment}\nthreads = 3\n").configuration.hooks.threads == 3


@pytest.mark.parametrize(
    "value",
    ["100%", "%(threads)s", "${HOME}", "%40", "a:b", "a=b", '"quoted"', "[x]"],
)
def test_no_character_of_a_value_means_anything(conf: Conf, value: str) -> None:
    built = conf.build(f"[dialect:parse]\nwebhook_key = {value}\n")
    assert built.secrets() == {value}


@pytest.mark.parametrize("value", ["3 # three", "3 ; three", "3 ;", "env:N # three"])
def test_a_comment_behind_a_value_is_a_mistake_and_not_part_of_the_value(
    conf: Conf, value: str
) -> None:
    with pytest.raises(Mistakes, match="ends in what looks like a comment"):
        conf.build(f"[hooks]\nthreads = {value}\n")


@pytest.mark.parametrize("value", ["literal:a # b", "a#b", "a;b"])
def test_a_mark_that_is_part_of_the_value_stays(conf: Conf, value: str) -> None:
    built = conf.build(f"[dialect:parse]\nwebhook_key = {value}\n")
    assert built.secrets() == {value.removeprefix("literal:")}


def test_line_ends_may_be_those_of_windows(conf: Conf) -> None:
    conf.path.write_bytes(
        b"[hooks]\r\nthreads = 3\r\n\r\n[plugins]\r\nenable = none\r\noptional = none"
    )
    assert build(conf.path, {}).configuration.hooks.threads == 3


def test_a_folder_instead_of_a_file_is_a_mistake(conf: Conf) -> None:
    (mistake,) = mistakes_of(conf.folder)
    assert mistake.problem == "cannot be read: Is a directory"
