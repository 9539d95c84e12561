"""A value that is compared and never shown."""

import copy

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tornado_cc.core.secret import Secret

# What a variable can hold: text, and surrogates for the bytes that are none.
VARIABLES = st.binary().map(lambda raw: raw.replace(b"\0", b"").decode("utf-8", "surrogateescape"))
ASCII = st.text(st.characters(max_codepoint=127))


@given(VARIABLES)
def test_a_secret_matches_itself(value: str) -> None:
    assert Secret(value).matches(value)


@given(VARIABLES)
def test_a_secret_matches_its_bytes_as_a_header_holds_them(value: str) -> None:
    sent = value.encode("utf-8", "surrogateescape")
    assert Secret(value).matches(sent.decode("latin-1"))


@given(ASCII, ASCII)
def test_a_secret_matches_nothing_else(value: str, candidate: str) -> None:
    assert Secret(value).matches(candidate) == (value == candidate)


@given(st.text())
def test_a_candidate_beyond_latin_1_is_no_question_mark(candidate: str) -> None:
    assert Secret("????").matches(candidate) == (candidate == "????")


@pytest.mark.parametrize("candidate", [None, "", "hunter", "hunter22", "HUNTER2", " hunter2"])
def test_a_wrong_or_absent_candidate_does_not_match(candidate: str | None) -> None:
    assert not Secret("hunter2").matches(candidate)


@pytest.mark.parametrize("value", ["CANARY", "CANARY\n"])
def test_a_secret_is_shown_in_no_form(value: str) -> None:
    secret = Secret(value)
    shown = [repr(secret), str(secret), f"{secret}", f"{secret!s:>20}", repr([secret])]
    assert not any("CANARY" in text for text in shown)
    assert repr(secret) == "Secret(***)"
    assert "CANARY" not in repr(copy.deepcopy(secret))


def test_an_empty_secret_says_that_it_is_empty() -> None:
    assert repr(Secret("")) == "Secret()"
    assert not Secret("")
    assert Secret("a")


def test_whoever_sends_a_secret_can_reveal_it() -> None:
    assert Secret("hunter2").reveal() == "hunter2"


@pytest.mark.parametrize(
    "value",
    [
        "changeme",
        "CHANGE_ME",
        "change-me ",
        "dev-webhook-key",
        "your-secret-key",
        "YOUR_WEBHOOK_KEY",
        "<webhook-key>",
        "webhookKey",
        "password",
        "test",
    ],
)
def test_what_an_example_would_say_is_an_example(value: str) -> None:
    assert Secret(value).is_example()


@pytest.mark.parametrize("value", ["", "Zx8-changeme-41", "4f1c2a9d", "tested by fire"])
def test_a_secret_of_ones_own_is_no_example(value: str) -> None:
    assert not Secret(value).is_example()
