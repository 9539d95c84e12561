"""A lint or type exception names what it excepts, and a lint exception of the product also why."""

import re
import tokenize
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.house.source import PRODUCT, ROOT, files

# Spelt apart, or these lines would be exceptions themselves.
EXCEPTION = re.compile(r"#\s*(type:\s*ignore|no" r"qa)")
NAMED = re.compile(r"# (type: ignore\[[a-z-]+(, ?[a-z-]+)*\]|noqa: [A-Z]+[0-9]+(, ?[A-Z]+[0-9]+)*)")
REASONED = re.compile(NAMED.pattern + r" - \w")
# What a type checker is told to pass over is named by the code; a reason would repeat it.
TYPES = re.compile(r"# type: ignore")
FILES = [path for name in ("tornado_cc", "tests", "plugins") for path in files(ROOT / name)]


def exceptions(path: Path) -> Iterator[tuple[int, str, str]]:
    """Every exception in a file: its line, the comment, and the line above."""
    lines = path.read_text(encoding="utf-8").splitlines()
    with path.open("rb") as source:
        for token in tokenize.tokenize(source.readline):
            if token.type == tokenize.COMMENT and EXCEPTION.search(token.string):
                number = token.start[0]
                yield number, token.string, lines[number - 2].strip() if number > 1 else ""


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.relative_to(ROOT).as_posix())
def test_an_exception_names_what_it_excepts(path: Path) -> None:
    assert [(line, text) for line, text, _ in exceptions(path) if not NAMED.match(text)] == []


@pytest.mark.parametrize("path", files(PRODUCT), ids=lambda path: path.relative_to(ROOT).as_posix())
def test_a_lint_exception_in_the_product_carries_its_reason(path: Path) -> None:
    bare = [
        (line, text)
        for line, text, above in exceptions(path)
        if not (TYPES.match(text) or REASONED.match(text) or above.startswith("# "))
    ]
    assert bare == []
