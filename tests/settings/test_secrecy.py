"""A secret of the settings is never shown, whatever goes wrong."""

from pathlib import Path

import pytest

from tests.settings.confs import Conf
from tornado_cc.core.secret import Secret
from tornado_cc.settings import Document, Mistakes, SecretText, Settings, secrets_in

CANARY = "CANARY-7f31"
TELLTALE = """
from pydantic import field_validator, model_validator
from tornado_cc import Plugin, Secret, SecretText, Settings

class Telltale(Settings):
    token: SecretText
    length: int = 0

    @field_validator("token")
    @classmethod
    def long_enough(cls, value):
        raise ValueError(f"{value.reveal()} is too short")

plugin = Plugin("telltale", settings=Telltale)

@plugin.cloud_function("f")
def f(call): ...
"""


class Nested(Settings):
    """A model with more than one place for a secret."""

    one: SecretText
    several: tuple[SecretText, ...] = ()
    named: dict[str, SecretText] = {}  # noqa: RUF012 - pydantic copies it


@pytest.mark.parametrize(
    "text",
    [
        "[dialect:parse]\nwebhook_key = {0}\nmount = x\n",
        "[dialect:parse]\nwebhook_key = {0}\nwebhook_key = {0}\n",
        "[dialect:parse]\nwebhook_key {0}\n",
        "webhook_key = {0}\n[dialect:parse]\n",
        "[dialect:parse]\nwebhook_kye = {0}\n",
        "[dialect:prase]\nwebhook_key = {0}\n",
        "[dialect:parse]\nwebhook_key = {0}\nmax_body = {0}\n",
        "[dialect:parse]\nunchanged = {0}\n",
        "[server]\nbind = {0}\nmode = {0}\nmax_body = {0}\nmax_headers = {0}\n",
        "[hooks]\ndeadline = {0}\ndeadlines = {0}\nthreads = {0}\n",
    ],
)
def test_no_mistake_quotes_a_value(conf: Conf, text: str) -> None:
    for mistake in conf.mistakes(text.format(CANARY)):
        assert CANARY not in str(mistake) + repr(mistake)


def test_a_model_that_quotes_a_secret_does_not_give_it_away(conf: Conf) -> None:
    plugins = conf.add_plugin("telltale", TELLTALE)
    mistake = conf.mistake(f"[plugin:telltale]\ntoken = {CANARY}\n{plugins}")
    assert mistake.problem == "[redacted] is too short"


def test_what_a_mistake_was_made_of_cannot_be_reached_from_it(conf: Conf) -> None:
    with pytest.raises(Mistakes) as wrong:
        conf.build(f"[dialect:parse]\nwebhook_key = {CANARY}\nmount = x\n")
    assert wrong.value.__context__ is None
    assert CANARY not in repr(wrong.value)


def test_no_repr_shows_a_secret(conf: Conf) -> None:
    built = conf.build(f"[dialect:parse]\nwebhook_key = {CANARY}\n")
    settings = built.configuration.dialects["parse"]
    shown = [built, built.configuration, settings, *built.dialects, vars(settings)]
    assert not any(CANARY in f"{one!r}{one}" for one in shown)
    assert "webhook_key=Secret(***)" in repr(settings)


def test_a_document_shows_neither_values_nor_the_environment(conf: Conf) -> None:
    conf.path.write_text(f"[dialect:parse]\nwebhook_key = {CANARY}\nother = env:OTHER\n")
    document = Document.read(conf.path, {"OTHER": CANARY})
    document.validate("dialect:parse", Nested)
    assert CANARY not in repr(document)


def test_every_secret_is_known_to_the_redactor(conf: Conf) -> None:
    source = TELLTALE.replace('raise ValueError(f"{value.reveal()} is too short")', "return value")
    plugins = conf.add_plugin("telltale", source)
    built = conf.build(
        f"[dialect:parse]\nwebhook_key = {CANARY}\n[plugin:telltale]\ntoken = other\n{plugins}"
    )
    assert built.secrets() == {CANARY, "other"}


def test_secrets_are_found_however_deep_they_lie() -> None:
    settings = Nested(one=Secret("a"), several=(Secret("b"), Secret("c")), named={"d": Secret("d")})
    assert {secret.reveal() for secret in secrets_in([settings])} == {"a", "b", "c", "d"}


def test_a_document_can_be_read_before_anybody_validates(tmp_path: Path) -> None:
    assert CANARY not in repr(Document.read(tmp_path / "nosuch.ini", {"X": CANARY}))
