"""`[mail]`: where mail is handed over, and what of it is secret."""

from typing import Any

import pytest

from tests.settings.confs import PARSE, Conf
from tornado_cc.core.redact import Redactor
from tornado_cc.settings import MailPlace

URL = "smtp+starttls://SG-0123456789abcdef:Zx8%2Fk9%40s2@mail.example:587"
PRODUCTION = "[server]\nmode = production\n[store]\nurl = sqlite:////tmp/x.db\n"
CARRYING = """
from tornado_cc import Plugin

plugin = Plugin("carrying")

@plugin.send_mail
async def carry(call):
    pass
"""
QUIET = """
from tornado_cc import Plugin

plugin = Plugin("quiet")

@plugin.on_start
async def start(app):
    pass
"""


@pytest.mark.parametrize(
    ("text", "meant"),
    [
        ("console:", {"kind": "console", "place": "console:"}),
        ("plugin:post", {"kind": "plugin", "plugin": "post", "place": "plugin:post"}),
        ("smtp://h", {"security": "none", "host": "h", "port": 25, "place": "smtp://h:25"}),
        ("smtps://h", {"security": "tls", "port": 465, "place": "smtps://h:465"}),
        ("smtp+starttls://h", {"security": "starttls", "port": 587, "user": ""}),
        ("smtp://[::1]:2525/", {"host": "::1", "port": 2525, "place": "smtp://[::1]:2525"}),
        (URL, {"user": "SG-0123456789abcdef", "place": "smtp+starttls://mail.example:587"}),
    ],
)
def test_a_url_says_where_mail_goes(text: str, meant: dict[str, Any]) -> None:
    place = MailPlace.parse(text)
    assert {name: getattr(place, name) for name in meant} == meant
    assert str(place) == place.place


@pytest.mark.parametrize(
    ("url", "problem"),
    [
        ("", "is no place for mail"),
        ("mail.example", "is no place for mail"),
        ("https://CANARY:CANARY@h", "is no place for mail"),
        ("console:x", "is no place for mail"),
        ("plugin:", "is no place for mail"),
        ("plugin:a b", "is no place for mail"),
        ("smtp:CANARY", "is no place for mail"),
        ("smtp://", "names no mail server"),
        ("smtp://CANARY:CANARY@h:CANARY", "is not an address"),
        ("smtp://CANARY:CANARY@h/CANARY", "has something behind the port"),
        ("smtp://CANARY:CAN?ARY@h", "has something behind the port"),
        ("smtp://CANARY:CAN#ARY@h", "has something behind the port"),
        ("smtp://CANARY@h", "has a user without a password"),
        ("smtp://:CANARY@h", "has a user without a password"),
        ("smtp://CANARY:CANARY%0D@h", "has a line break or a NUL"),
    ],
)
def test_what_is_no_place_for_mail_is_a_mistake_that_quotes_nothing(
    conf: Conf, url: str, problem: str
) -> None:
    mistake = conf.mistake(f"[mail]\nurl = literal:{url}\n")
    assert (mistake.section, mistake.key) == ("mail", "url")
    assert mistake.problem.startswith(problem)
    assert "CANARY" not in str(mistake)


@pytest.mark.parametrize(
    ("sender", "problem"),
    [
        ("nobody", "cannot be used: it: 'nobody' is no mail address"),
        ("a@b.de, c@d.de", "cannot be used: it is one address, not 2"),
        ("", "cannot be used: it is one address, not 0"),
    ],
)
def test_a_sender_that_mail_cannot_be_from_is_a_mistake(
    conf: Conf, sender: str, problem: str
) -> None:
    mistake = conf.mistake(f"[mail]\nsender = {sender}\n")
    assert (mistake.section, mistake.key) == ("mail", "sender")
    assert mistake.problem.startswith(problem)


def test_it_may_come_from_the_environment(conf: Conf) -> None:
    built = conf.build("[mail]\nurl = env:MAIL\n", {"MAIL": URL})
    assert str(built.configuration.mail.url) == "smtp+starttls://mail.example:587"
    built = conf.build("", {"TORNADO_CC__MAIL__URL": URL})
    assert str(built.configuration.mail.url) == "smtp+starttls://mail.example:587"


def test_without_a_section_there_is_no_mail(conf: Conf) -> None:
    assert conf.build("").configuration.mail.url is None


def test_no_repr_shows_more_than_where_mail_goes(conf: Conf) -> None:
    built = conf.build(f"[mail]\nurl = {URL}\n")
    place = built.configuration.mail.url
    for shown in (built, built.configuration, built.configuration.mail, place):
        text = f"{shown!r}{shown}"
        for secret in ("SG-0123", "Zx8", "k9@s2"):
            assert secret not in text


def test_the_redactor_knows_the_password_and_a_user_that_may_be_a_key(conf: Conf) -> None:
    built = conf.build(f"[mail]\nurl = {URL}\n")
    assert built.secrets() == {"Zx8/k9@s2", "SG-0123456789abcdef"}
    assert Redactor(built.secrets()).kept("Zx8%2fk9%40s2") == "[redacted]"
    built = conf.build("[mail]\nurl = smtp://notifications%40shop.example:Zx8-k9s2@h\n")
    assert built.secrets() == {"Zx8-k9s2"}


def test_the_plugin_that_is_to_send_mail_has_to(conf: Conf) -> None:
    quiet = conf.add_plugin("quiet", QUIET)
    mistake = conf.mistake(f"[mail]\nurl = plugin:quiet\n{quiet}")
    assert (mistake.section, mistake.key) == ("mail", "url")
    assert mistake.problem == "names the plugin quiet, which sends no mail"
    assert mistake.suggestion == "Plugins that do: none"
    carrying = conf.add_plugin("carrying", CARRYING)
    assert conf.mistake(f"[mail]\nurl = plugin:quiet\n{carrying}").suggestion == (
        "Plugins that do: carrying"
    )
    built = conf.build(f"{PARSE}[mail]\nurl = plugin:carrying\n{carrying}")
    assert built.warnings() == []


def test_production_refuses_the_password_of_an_example(conf: Conf) -> None:
    text = f"{PRODUCTION}{PARSE}[mail]\nurl = smtps://user:password@mail.example\n"
    mistake = conf.mistake(text)
    assert (mistake.section, mistake.key) == ("mail", "url")
    assert mistake.problem == "has the password of an example"


@pytest.mark.parametrize(
    ("url", "warnings"),
    [
        ("smtps://mail.example", []),
        ("smtp://127.0.0.1", []),
        ("smtp://mail.example", ["[mail] url is smtp, which everybody on the way can read"]),
        ("console:", ["[mail] url is console:, so mail is written to the log"]),
    ],
)
def test_production_warns_of_mail_that_others_read_or_nobody_gets(
    conf: Conf, url: str, warnings: list[str]
) -> None:
    told = conf.build(f"{PRODUCTION}{PARSE}[mail]\nurl = {url}\n").warnings()
    assert len(told) == len(warnings)
    assert all(one.startswith(words) for one, words in zip(told, warnings, strict=True))
