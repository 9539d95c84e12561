"""Regular expressions in queries."""

import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tornado_cc.store.errors import InvalidQuery
from tornado_cc.store.regex import MAX_PATTERN, MAX_WORK, compile_regex


def quoted(text: str) -> str:
    r"""As Parse's SDKs send startsWith: \Q...\E, with every \E in the text stepped over."""
    return "\\Q" + text.replace("\\E", "\\E\\\\E\\Q") + "\\E"


@pytest.mark.parametrize(
    ("pattern", "options", "text", "found"),
    [
        ("b", "", "abc", True),
        ("B", "", "abc", False),
        ("B", "i", "abc", True),
        ("É", "i", "é", True),
        ("^.$", "", "é", True),
        ("^b", "", "a\nb", False),
        ("^b$", "m", "a\nb\nc", True),
        ("a.b", "", "a\nb", False),
        ("a.b", "s", "a\nb", True),
        ("A.B$", "smi", "a\nb\nc", True),
        ("", "", "", True),
        (r"^\Qa.b", "", "a.bc", True),
        (r"^\Qa.b", "", "axbc", False),
        (r"\pL{3}", "", "äöü", True),
    ],
)
def test_a_pattern_is_found_anywhere(pattern: str, options: str, text: str, found: bool) -> None:
    assert compile_regex(pattern, options)([text]) is found


def test_one_text_of_many_is_enough() -> None:
    assert compile_regex("b")(["a", "b"])
    assert not compile_regex("b")([])


@given(st.text(max_size=50), st.text(max_size=20))
def test_quoted_text_stands_for_itself(text: str, more: str) -> None:
    starts = compile_regex("^" + quoted(text))
    assert starts([text + more])
    assert starts([more]) == more.startswith(text)


@given(st.text(st.sampled_from("ab(|)[]{}*+?.^$\\QEdwpLx:P<>=!12,-"), max_size=60), st.text())
def test_any_pattern_matches_or_is_refused(pattern: str, text: str) -> None:
    try:
        found = compile_regex(pattern)
    except InvalidQuery:
        return
    assert found([text]) in (True, False)


@pytest.mark.parametrize("pattern", ["(?=a)", "(?!a)", "(?<=a)b", "a(?<!b)"])
def test_looking_around_is_refused_by_that_reason(pattern: str) -> None:
    with pytest.raises(InvalidQuery, match="looks ahead or behind, which is not supported"):
        compile_regex(pattern)


@pytest.mark.parametrize("pattern", [r"(a)\1", "(?P<n>a)(?P=n)", r"(?<n>a)\k<n>"])
def test_referring_back_is_refused_by_that_reason(pattern: str) -> None:
    with pytest.raises(InvalidQuery, match="refers back to a group, which is not supported"):
        compile_regex(pattern)


@pytest.mark.parametrize("pattern", ["(", "[", "a**", "\\", "a{1001}"])
def test_a_bad_pattern_is_refused_with_what_is_bad(pattern: str) -> None:
    with pytest.raises(InvalidQuery, match=r"bad \$regex: \w+"):
        compile_regex(pattern)


@pytest.mark.parametrize(
    ("options", "reason"), [("x", "comments"), ("ix", "comments"), ("g", "i, m and s")]
)
def test_other_options_are_refused(options: str, reason: str) -> None:
    with pytest.raises(InvalidQuery, match=reason):
        compile_regex("a", options)


@pytest.mark.parametrize("pattern", [r"\pL{1000}", "(.{30}a{30}é{30}){11}" * 20])
def test_a_pattern_that_becomes_too_large_is_refused(pattern: str) -> None:
    with pytest.raises(InvalidQuery, match="too large"):
        compile_regex(pattern)


def test_a_long_pattern_is_refused() -> None:
    compile_regex("é" * MAX_PATTERN)
    with pytest.raises(InvalidQuery, match="512 characters"):
        compile_regex("a" * (MAX_PATTERN + 1))


@pytest.mark.parametrize(
    "pattern", ["(x+x+)+y", "(a|aa)+$", "(.*)*b", "^(([a-z])+.)+[A-Z]([a-z])+$"]
)
def test_what_runs_away_elsewhere_is_over_at_once(pattern: str) -> None:
    began = time.monotonic()
    compile_regex(pattern)(["x" * 100_000 + "!"])
    assert time.monotonic() - began < 5


def test_texts_too_long_for_the_pattern_are_refused() -> None:
    found = compile_regex("(a?){900}c")
    with pytest.raises(InvalidQuery, match="texts of up to"):
        found(["a" * (MAX_WORK // 1000)])
    with pytest.raises(InvalidQuery, match="texts of up to"):
        found(["a" * 1000] * (MAX_WORK // 1_000_000))
    with pytest.raises(InvalidQuery, match="texts of up to"):
        found([""] * (MAX_WORK // 1000))
    assert compile_regex("c")(["a" * (1 << 20) + "c"])
