"""The kinds of value a setting can have."""

import pytest

from tests.settings.confs import Conf


@pytest.mark.parametrize(
    ("text", "size"),
    [
        ("1", 1),
        ("512B", 512),
        ("16 KiB", 16 << 10),
        ("10MiB", 10 << 20),
        ("2 gib", 2 << 30),
        ("  3  mib ", 3 << 20),
    ],
)
def test_a_size_is_a_number_with_or_without_a_unit(conf: Conf, text: str, size: int) -> None:
    built = conf.build(f"[server]\nmax_body = {text}\n")
    assert built.configuration.server.max_body == size


@pytest.mark.parametrize("text", ["", "MiB", "1.5 MiB", "-1", "10 MB", "1 KiB 2", "0x10"])
def test_a_size_that_is_none_says_how_to_write_one(conf: Conf, text: str) -> None:
    mistake = conf.mistake(f"[server]\nmax_body = {text}\n")
    assert mistake.problem == (
        "is not a size; write a number with B, KiB, MiB or GiB, as in 10 MiB"
    )


def test_a_size_of_nothing_is_a_mistake(conf: Conf) -> None:
    assert "greater than 0" in conf.mistake("[server]\nmax_body = 0\n").problem


@pytest.mark.parametrize(("text", "seconds"), [("10", 10), ("0.5", 0.5), ("1e2", 100)])
def test_a_duration_is_a_number_of_seconds(conf: Conf, text: str, seconds: float) -> None:
    assert conf.build(f"[hooks]\ndeadline = {text}\n").configuration.hooks.deadline == seconds


@pytest.mark.parametrize("text", ["", "10s", "0", "-1", "nan", "inf", "1e400", "86401", "one"])
def test_a_duration_that_is_none_is_a_mistake(conf: Conf, text: str) -> None:
    mistake = conf.mistake(f"[hooks]\ndeadline = {text}\n")
    assert mistake.problem.startswith("is not valid: ")
    assert mistake.suggestion == "Seconds one implementation of a hook may take."


@pytest.mark.parametrize(
    ("text", "networks"),
    [
        ("", []),
        ("127.0.0.1, ::1", ["127.0.0.1/32", "::1/128"]),
        ("10.0.0.0/8 fd00::/8,192.0.2.1", ["10.0.0.0/8", "fd00::/8", "192.0.2.1/32"]),
        ("10.0.0.0/255.0.0.0", ["10.0.0.0/8"]),
    ],
)
def test_networks_are_addresses_and_networks(conf: Conf, text: str, networks: list[str]) -> None:
    built = conf.build(f"[server]\ntrusted_proxies = {text}\n")
    assert [str(one) for one in built.configuration.server.trusted_proxies] == networks


@pytest.mark.parametrize("text", ["localhost", "127.0.0.1:80", "10.0.0.0/33", "10.0.0", "[::1]"])
def test_a_network_that_is_none_says_how_to_write_one(conf: Conf, text: str) -> None:
    assert conf.mistake(f"[server]\ntrusted_proxies = ::1, {text}\n").problem == (
        f"names {text}, which is no address or network; write for example 127.0.0.1, 10.0.0.0/8"
        " or fd00::/8"
    )


def test_an_address_with_the_length_of_a_network_asks_which_of_the_two_is_meant(
    conf: Conf,
) -> None:
    assert conf.mistake("[server]\ntrusted_proxies = 10.0.0.1/8\n").problem == (
        "names 10.0.0.1/8, which is 10.0.0.0/8 as a network and 10.0.0.1 as an address"
    )


@pytest.mark.parametrize("text", ["0", "-1", "1.5", ""])
def test_a_limit_of_bad_credentials_is_one_or_more(conf: Conf, text: str) -> None:
    mistake = conf.mistake(f"[server]\nbad_credentials_per_minute = {text}\n")
    assert mistake.problem.startswith("is not valid: ")


def test_durations_are_listed_by_name(conf: Conf) -> None:
    built = conf.build("[hooks]\ndeadlines = after_save = 60,cloud_function  =  0.5 on_stop=1\n")
    assert built.configuration.hooks.deadlines == {
        "after_save": 60,
        "cloud_function": 0.5,
        "on_stop": 1,
    }


@pytest.mark.parametrize("text", ["after_save", "=5", "after_save=", "after_save=1 5"])
def test_durations_that_are_none_say_how_to_write_them(conf: Conf, text: str) -> None:
    assert "is not a list of name=seconds" in conf.mistake(f"[hooks]\ndeadlines = {text}\n").problem


@pytest.mark.parametrize("text", ["after_save=x", "after_save=0", "after_save=1=2"])
def test_a_duration_in_a_list_is_checked_like_any(conf: Conf, text: str) -> None:
    assert conf.mistake(f"[hooks]\ndeadlines = {text}\n").problem.startswith("is not valid")


def test_a_name_that_is_listed_twice_is_a_mistake(conf: Conf) -> None:
    mistake = conf.mistake("[hooks]\ndeadlines = after_save=1, after_save=2\n")
    assert mistake.problem == "says one name twice"


def test_a_deadline_for_something_that_is_no_hook_is_a_mistake(conf: Conf) -> None:
    mistake = conf.mistake("[hooks]\ndeadlines = after_safe=1\n")
    assert mistake.problem == "names after_safe, which is no hook"
    assert "after_save" in mistake.suggestion


@pytest.mark.parametrize(
    ("text", "address"),
    [
        ("127.0.0.1:8080", ("127.0.0.1", 8080)),
        ("localhost:0", ("localhost", 0)),
        ("my_host.example:65535", ("my_host.example", 65535)),
        ("[::1]:8080", ("::1", 8080)),
        ("[0:0:0:0:0:0:0:1]:80", ("::1", 80)),
        ("[::]:80", ("::", 80)),
    ],
)
def test_an_address_is_a_host_and_a_port(conf: Conf, text: str, address: tuple[str, int]) -> None:
    assert conf.build(f"[server]\nbind = {text}\n").configuration.server.bind == address


@pytest.mark.parametrize(
    "text",
    [
        "",
        "8080",
        ":8080",
        "localhost",
        "localhost:",
        "localhost:http",
        "localhost:65536",
        "localhost:-1",
        "localhost:²",
        "local host:80",
        "a..b:80",
        f"{'a' * 64}:80",
        "::1:8080",
        "[::1]",
        "[nonsense]:80",
        "[127.0.0.1]:80",
        "http://localhost:80",
    ],
)
def test_an_address_that_is_none_says_how_to_write_one(conf: Conf, text: str) -> None:
    mistake = conf.mistake(f"[server]\nbind = {text}\n")
    assert mistake.problem == ("is not host:port; write for example 127.0.0.1:8080 or [::1]:8080")


@pytest.mark.parametrize(
    ("text", "mount"),
    [
        ("/", "/"),
        ("/webhooks", "/webhooks"),
        ("/webhooks/", "/webhooks"),
        ("/a/b.c-~d", "/a/b.c-~d"),
    ],
)
def test_a_mount_is_a_path_without_its_last_slash(conf: Conf, text: str, mount: str) -> None:
    (dialect,) = conf.build(f"[dialect:parse]\nmount = {text}\n").dialects
    assert dialect.mount == mount


@pytest.mark.parametrize("text", ["", "webhooks", "./webhooks", "http://x/y"])
def test_a_mount_starts_with_a_slash(conf: Conf, text: str) -> None:
    assert "starts with a slash" in conf.mistake(f"[dialect:parse]\nmount = {text}\n").problem


@pytest.mark.parametrize(
    "text", ["//", "/a//b", "/./a", "/a/..", "/a?b", "/a#b", "/%61", "/a b", "/ä"]
)
def test_a_mount_that_no_request_could_match_is_a_mistake(conf: Conf, text: str) -> None:
    mistake = conf.mistake(f"[dialect:parse]\nmount = {text}\n")
    assert "no request could match it" in mistake.problem


@pytest.mark.parametrize(("text", "access"), [("yes", True), ("off", False), ("1", True)])
def test_a_switch_is_yes_or_no(conf: Conf, text: str, access: bool) -> None:
    assert conf.build(f"[log]\naccess = {text}\n").configuration.log.access is access


def test_a_choice_names_what_there_is_to_choose_from(conf: Conf) -> None:
    mistake = conf.mistake("[server]\nmode = prod\n")
    assert mistake.problem == "is not valid: input should be 'development' or 'production'"


@pytest.mark.parametrize("status", [200, 401])
def test_a_choice_of_numbers_is_read_from_text(conf: Conf, status: int) -> None:
    built = conf.build(f"[dialect:parse]\nunauthorized_status = {status}\n")
    assert vars(built.configuration.dialects["parse"])["unauthorized_status"] == status


@pytest.mark.parametrize("text", ["403", "200.0", "0200", ""])
def test_a_number_that_is_no_choice_is_a_mistake(conf: Conf, text: str) -> None:
    mistake = conf.mistake(f"[dialect:parse]\nunauthorized_status = {text}\n")
    assert mistake.problem == "is not valid: input should be 200 or 401"


@pytest.mark.parametrize("text", ["a, b", "a b", "a,b,", " a ,\tb "])
def test_names_are_separated_by_commas_or_white_space(conf: Conf, text: str) -> None:
    built = conf.build(f"[plugins]\noptional = {text}\nenable = a\n")
    assert built.configuration.plugins.optional == ("a", "b")


@pytest.mark.parametrize(
    ("folder", "reason"),
    [
        ("nosuch", "No such file or directory"),
        ("test.ini", "Not a directory"),
        ("x" * 300, "File name too long"),
        ("a\0b", "is not a path"),
    ],
)
def test_a_folder_of_plugins_that_cannot_be_read_is_a_mistake(
    conf: Conf, folder: str, reason: str
) -> None:
    mistake = conf.mistake(f"[plugins]\ndir = {folder}\nenable = none\noptional = none\n")
    assert (mistake.section, mistake.key) == ("plugins", "dir")
    assert mistake.problem.endswith(f"which cannot be read: {reason}")


def test_a_home_folder_of_nobody_is_a_mistake(conf: Conf) -> None:
    mistake = conf.mistake("[plugins]\ndir = ~nosuchuser/x\nenable = none\noptional = none\n")
    assert mistake.problem == "names a home folder that does not exist"


def test_an_empty_folder_setting_is_none_at_all(conf: Conf) -> None:
    built = conf.build("[plugins]\ndir =\nenable = none\noptional = none\n")
    assert built.configuration.plugins.dir is None
