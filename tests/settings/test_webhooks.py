"""`[webhook:NAME]`: where webhooks are sent to, and what of it is secret."""

import pytest

from tests.settings.confs import Conf, names
from tornado_cc.core.redact import Redactor
from tornado_cc.settings.address import WebAddress

URL = "https://user:p4ssw0rd@hooks.example:8443/services/T0/xoxb-0123456789abcdef?key=4711-8150-2342-0815&v=2"
KEY = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"
PRODUCTION = "[server]\nmode = production\n[store]\nurl = sqlite:////tmp/x.db\n"
DIALECT = "[dialect:parse]\nwebhook_key = Zx8-q41\n"


def test_there_may_be_several_each_with_a_name(conf: Conf) -> None:
    built = conf.build(
        f"[webhook:shop]\nurl = {URL}\nsecret = {KEY}\ntimeout = 3\n"
        "[webhook:crew]\nurl = http://127.0.0.1:9000\n"
    )
    webhooks = built.configuration.webhooks
    assert list(webhooks) == ["shop", "crew"]
    assert webhooks["shop"].url.url.reveal() == URL
    assert (webhooks["shop"].timeout, webhooks["crew"].timeout) == (3, 10)
    assert webhooks["crew"].secret is None
    assert built.configuration.further == {}


def test_its_settings_may_come_from_the_environment(conf: Conf) -> None:
    environ = {"TORNADO_CC__WEBHOOK_SHOP__SECRET": KEY, "SHOP_URL": URL}
    built = conf.build("[webhook:shop]\nurl = env:SHOP_URL\n", environ)
    secret = built.configuration.webhooks["shop"].secret
    assert secret is not None
    assert secret.reveal() == KEY


@pytest.mark.parametrize(
    ("url", "problem"),
    [
        ("", "is not an http or https address"),
        ("hooks.example/a", "is not an http or https address"),
        ("ftp://hooks.example", "is not an http or https address"),
        ("https:///CANARY", "is not an http or https address"),
        ("https://[CANARY", "is not an address"),
        ("https://hooks.example:CANARY", "is not an address"),
        ("https://hooks.example:22/CANARY", "cannot be used: port 22 is not allowed"),
        ("https://hooks.example/CANARY CANARY", "cannot be used: the URL holds white space"),
    ],
)
def test_an_address_nothing_could_be_sent_to_is_a_mistake(
    conf: Conf, url: str, problem: str
) -> None:
    mistake = conf.mistake(f"[webhook:shop]\nurl = {url}\n")
    assert (mistake.section, mistake.key) == ("webhook:shop", "url")
    assert mistake.problem.startswith(problem)
    assert "CANARY" not in str(mistake)


def test_a_secret_nothing_could_be_signed_with_is_a_mistake(conf: Conf) -> None:
    mistake = conf.mistake(f"[webhook:shop]\nurl = {URL}\nsecret = whsec_CANARY#\n")
    assert (mistake.section, mistake.key) == ("webhook:shop", "secret")
    assert mistake.problem == "cannot be used: what follows whsec_ is not base64"


def test_everything_that_is_wrong_is_told_at_once(conf: Conf) -> None:
    mistakes = conf.mistakes("[webhook:]\nurl = x\n[webhook:a b]\nkey = 1\n[webhook:c]\nurls = 1\n")
    assert sorted(names(mistakes)) == [
        ("webhook:", ""),
        ("webhook:", "url"),
        ("webhook:a b", ""),
        ("webhook:a b", "key"),
        ("webhook:a b", "url"),
        ("webhook:c", "url"),
        ("webhook:c", "urls"),
    ]


def test_a_section_without_a_name_is_not_known(conf: Conf) -> None:
    mistakes = conf.mistakes(f"[webhook]\nurl = {URL}\n[webhook:shop]\nurl = {URL}\n")
    assert [one.problem for one in mistakes] == ["is not a section known here"]


@pytest.mark.parametrize("secret", ["", "changeme"])
def test_production_refuses_a_secret_that_is_empty_or_an_example(conf: Conf, secret: str) -> None:
    text = f"{PRODUCTION}{DIALECT}[webhook:shop]\nurl = {URL}\nsecret = {secret}\n"
    assert names([conf.mistake(text)]) == [("webhook:shop", "secret")]


@pytest.mark.parametrize(
    ("lines", "warnings"),
    [
        (f"url = {URL}\nsecret = {KEY}", []),
        (f"url = http://127.0.0.1:9000\nsecret = {KEY}", []),
        (f"url = {URL}", ["[webhook:shop] has no secret"]),
        (f"url = http://hooks.example\nsecret = {KEY}", ["[webhook:shop] url is http"]),
    ],
)
def test_production_warns_of_what_is_not_signed_and_of_what_can_be_overheard(
    conf: Conf, lines: str, warnings: list[str]
) -> None:
    built = conf.build(f"{PRODUCTION}{DIALECT}[webhook:shop]\n{lines}\n")
    told = built.warnings()
    assert len(told) == len(warnings)
    assert all(one.startswith(words) for one, words in zip(told, warnings, strict=True))


def test_development_warns_of_neither(conf: Conf) -> None:
    built = conf.build(f"{DIALECT}[webhook:shop]\nurl = http://hooks.example\n")
    assert built.warnings() == []


def test_no_repr_shows_more_of_an_address_than_where_it_leads(conf: Conf) -> None:
    built = conf.build(f"[webhook:shop]\nurl = {URL}\nsecret = {KEY}\n")
    settings = built.configuration.webhooks["shop"]
    assert str(settings.url) == "https://hooks.example:8443"
    for shown in (built, built.configuration, settings, settings.url, vars(settings)):
        text = f"{shown!r}{shown}"
        for secret in ("user", "p4ssw0rd", "xoxb", "4711", KEY):
            assert secret not in text.replace("user_", "")


def test_the_redactor_knows_the_address_and_what_in_it_may_be_secret(conf: Conf) -> None:
    built = conf.build(f"[webhook:shop]\nurl = {URL}\nsecret = {KEY}\n")
    assert built.secrets() == {
        URL,
        KEY,
        "p4ssw0rd",
        "xoxb-0123456789abcdef",
        "4711-8150-2342-0815",
    }
    cleaned = Redactor(built.secrets()).kept("to /services/T0/xoxb-0123456789abcdef, /services")
    assert cleaned == "to /services/T0/[redacted], /services"


@pytest.mark.parametrize(
    ("text", "place"),
    [
        ("http://h", "http://h"),
        ("https://u:p@H:1/p?q#f", "https://h:1"),
        ("http://[::1]:8080/x", "http://[::1]:8080"),
    ],
)
def test_for_people_an_address_is_scheme_host_and_port(text: str, place: str) -> None:
    assert str(WebAddress.parse(text)) == place
