"""What a conf may say of sources, and what is told when it cannot be meant."""

from pathlib import Path

import pytest

from tests.serving import PARSE, write_conf
from tornado_cc.server import build
from tornado_cc.settings import Mistakes

SHOP = "[source:shop]\nscheme = hmac\nsecret = shop-secret-of-16-letters\n"
TIMED = f"{SHOP}signed = {{timestamp}}.{{body}}\n"


def mistakes(folder: Path, conf: str) -> list[tuple[str, str, str]]:
    """Section, key and problem of each mistake."""
    with pytest.raises(Mistakes) as raised:
        build(write_conf(folder, conf, {}), {})
    return [(one.section, one.key, one.problem) for one in raised.value.mistakes]


@pytest.mark.parametrize(
    ("section", "mount"),
    [
        ("", "/in"),
        ("[dialect:sources]\n", "/in"),
        ("[dialect:sources]\nmount = /hooks\n", "/hooks"),
    ],
)
def test_a_source_turns_the_dialect_on_by_itself(tmp_path: Path, section: str, mount: str) -> None:
    (dialect,) = build(write_conf(tmp_path, f"{section}{SHOP}", {}), {}).dialects
    assert (dialect.name, dialect.mount, dialect.max_body) == ("sources", mount, 1 << 20)


def test_without_a_source_it_is_off(tmp_path: Path) -> None:
    built = build(write_conf(tmp_path, PARSE, {}), {})
    assert [one.name for one in built.dialects] == ["parse"]


def test_the_mount_can_be_set_from_outside(tmp_path: Path) -> None:
    path = write_conf(tmp_path, SHOP, {})
    environ = {"TORNADO_CC__DIALECT_SOURCES__MOUNT": "/events"}
    assert build(path, environ).dialects[0].mount == "/events"


@pytest.mark.parametrize(
    ("more", "key", "problem"),
    [
        ("secret = too-short", "secret", "is shorter than 16 characters, so it could be guessed"),
        ("secret =", "secret", "is shorter than 16 characters, so it could be guessed"),
        ("previous_secret = tiny", "previous_secret", "is shorter than 16 characters"),
        ("scheme = paypal", "scheme", "is not valid: "),
        ("tolerance = 0", "tolerance", "is not valid: "),
        ("signature_header = X Y", "signature_header", "is no name of a header"),
        ("signature_header =", "signature_header", "is empty, and the signature has to be"),
        ("id_header = Content-Length", "id_header", "is no name of a header"),
        ("signed = {timestamp}.{body}", "signed", "names {timestamp} exactly if"),
        ("timestamp_header = X-Time", "signed", "names {timestamp} exactly if"),
        ("signed = v0", "signed", "does not name {body}"),
        ("signed = {body}{body}", "signed", "may name {id}, {timestamp} and {body}, each"),
        ("signed = {host}{body}", "signed", "may name {id}, {timestamp} and {body}, each"),
        ("signed = {id}.{body}", "signed", "names {id}, which needs id_header"),
        ("secret_encoding = hex", "secret", "is not hex"),
        ("secret_encoding = base64", "secret", "is not base64"),
        ("timestamp_prefix = t=", "timestamp_prefix", "needs a separator"),
        ("scheme = stripe\nprefix = v1=", "prefix", "is a setting of the scheme hmac"),
        ("scheme = standardwebhooks\nsecret = whsec_no-base64-at-all", "secret", "is not base64"),
        ("colour = red", "colour", "is not a key known here"),
    ],
)
def test_what_cannot_be_meant_is_a_mistake(
    tmp_path: Path, more: str, key: str, problem: str
) -> None:
    given = {line.partition(" =")[0]: line for line in SHOP.splitlines()[1:]}
    given.update({line.partition(" =")[0]: line for line in more.splitlines()})
    conf = "\n".join(["[source:shop]", *given.values(), ""])
    found = mistakes(tmp_path, conf)
    assert ("source:shop", key) in [one[:2] for one in found]
    assert any(one[2].startswith(problem) for one in found), found


def test_a_source_needs_a_scheme_and_a_secret(tmp_path: Path) -> None:
    found = mistakes(tmp_path, "[source:shop]\n")
    assert ("source:shop", "scheme", "is missing") in found
    assert ("source:shop", "secret", "is missing") in found


def test_two_places_for_one_time_are_one_too_many(tmp_path: Path) -> None:
    conf = f"{TIMED}timestamp_header = X-Time\nseparator = ;\ntimestamp_prefix = t=\n"
    assert next(one[1] for one in mistakes(tmp_path, conf)) == "timestamp_prefix"


def test_production_takes_no_secret_of_an_example(tmp_path: Path) -> None:
    conf = (
        "[server]\nmode = production\n[source:shop]\nscheme = hmac\nsecret = dev-shop-secret-16\n"
    )
    (found,) = mistakes(tmp_path, conf)
    assert found[:2] == ("source:shop", "secret")


def test_secrets_are_in_no_mistake(tmp_path: Path) -> None:
    conf = "[source:shop]\nscheme = hmac\nsecret = CANARY-not-hex-at-all\nsecret_encoding = hex\n"
    with pytest.raises(Mistakes) as raised:
        build(write_conf(tmp_path, conf, {}), {})
    assert "CANARY" not in str(raised.value)


def test_every_secret_is_known_to_the_redactor(tmp_path: Path) -> None:
    conf = f"{SHOP}previous_secret = the-secret-of-last-year\n"
    built = build(write_conf(tmp_path, conf, {}), {})
    assert built.secrets() == {"shop-secret-of-16-letters", "the-secret-of-last-year"}
