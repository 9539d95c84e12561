"""`[admin] bind`: an address or off, not that of the callers, and in production not anybody's."""

from pathlib import Path

import pytest

from tests.settings.confs import Conf

PRODUCTION = "[server]\nmode = production\n[dialect:parse]\nwebhook_key = 6f1ed002ab\n[admin]\n"


def about_admin(conf: Conf, text: str) -> list[str]:
    return [one for one in conf.build(text).warnings() if "[admin]" in one]


@pytest.mark.parametrize(
    ("line", "address"),
    [
        ("", ("127.0.0.1", 8081)),
        ("bind = 127.0.0.1:0", ("127.0.0.1", 0)),
        ("bind = [::1]:9000", ("::1", 9000)),
        ("bind = off", None),
        ("bind = Off", None),
    ],
)
def test_it_is_an_address_or_off(conf: Conf, line: str, address: tuple[str, int] | None) -> None:
    assert conf.build(f"[admin]\n{line}\n").configuration.admin.bind == address


@pytest.mark.parametrize("text", ["", "8081", "no", "false", "none", "off:80:", "::1:80"])
def test_anything_else_says_how_to_write_one(conf: Conf, text: str) -> None:
    mistake = conf.mistake(f"[admin]\nbind = {text}\n")
    assert (mistake.section, mistake.key) == ("admin", "bind")
    assert mistake.problem == (
        "is neither host:port nor off; write for example 127.0.0.1:8081, [::1]:8081 or off"
    )


def test_it_may_come_from_a_variable(conf: Conf) -> None:
    built = conf.build("[server]\n", {"TORNADO_CC__ADMIN__BIND": "off"})
    assert built.configuration.admin.bind is None


@pytest.mark.parametrize(
    ("server", "admin"),
    [
        ("127.0.0.1:8081", ""),
        ("0.0.0.0:8081", ""),
        ("[::]:8081", ""),
        ("127.0.0.1:9000", "bind = 0.0.0.0:9000"),
        ("localhost:9000", "bind = localhost:9000"),
    ],
)
def test_the_port_of_the_callers_is_a_mistake(conf: Conf, server: str, admin: str) -> None:
    mistake = conf.mistake(f"[server]\nbind = {server}\n[admin]\n{admin}\n")
    assert (mistake.section, mistake.key) == ("admin", "bind")
    assert mistake.problem == "has the port of [server] bind"
    assert mistake.suggestion == "Set another port, or off"


@pytest.mark.parametrize(
    ("server", "admin"),
    [
        ("127.0.0.1:8081", "bind = off"),
        ("127.0.0.1:0", "bind = 127.0.0.1:0"),
        ("192.0.2.1:9000", "bind = 127.0.0.1:9000"),
    ],
)
def test_what_does_not_collide_is_none(conf: Conf, server: str, admin: str) -> None:
    conf.build(f"[server]\nbind = {server}\n[admin]\n{admin}\n")


@pytest.mark.parametrize("host", ["0.0.0.0", "[::]", "192.0.2.1", "metrics.example"])
def test_an_address_of_others_is_warned_about_in_production(conf: Conf, host: str) -> None:
    (warning,) = about_admin(conf, f"{PRODUCTION}bind = {host}:8081\n")
    assert warning.startswith(f"[admin] bind is {host.strip('[]')}, which other machines reach")


@pytest.mark.parametrize("host", ["127.0.0.1", "127.1.2.3", "[::1]", "localhost"])
def test_an_address_of_this_machine_is_not(conf: Conf, host: str) -> None:
    assert about_admin(conf, f"{PRODUCTION}bind = {host}:8081\n") == []


@pytest.mark.parametrize("text", ["[admin]\nbind = 0.0.0.0:8081\n", f"{PRODUCTION}bind = off\n"])
def test_development_and_off_are_not(conf: Conf, text: str) -> None:
    assert about_admin(conf, text) == []


@pytest.mark.parametrize("name", ["dev.ini", "prod.ini"])
def test_the_confs_of_this_repository_state_an_address_of_this_machine(
    conf: Conf, name: str
) -> None:
    text = (Path(__file__).parents[2] / "conf" / name).read_text(encoding="utf-8")
    assert "[admin]\n" in text
    built = conf.build(text, {"PARSE_WEBHOOK_KEY": "6f1ed002ab"})
    assert built.configuration.admin.bind == ("127.0.0.1", 8081)
