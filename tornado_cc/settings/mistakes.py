"""What is wrong with the settings, in words that say where and what to do."""

import difflib
from collections.abc import Iterable
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Mistake:
    """One thing wrong with the settings, and what to do about it."""

    file: str
    section: str
    key: str
    problem: str
    suggestion: str = ""
    line: int = 0

    def __str__(self) -> str:
        place = f"{self.file}:{self.line}" if self.line else self.file
        name = f"[{self.section}] {self.key}".strip() if self.section else self.key
        text = f"{place}: {name} {self.problem}" if name else f"{place}: {self.problem}"
        return f"{text}. {self.suggestion}" if self.suggestion else text


class Mistakes(Exception):
    """Every mistake found in the settings, in the order of their lines."""

    def __init__(self, mistakes: Iterable[Mistake]) -> None:
        self.mistakes = tuple(sorted(mistakes, key=lambda mistake: (mistake.file, mistake.line)))
        super().__init__("\n".join(str(mistake) for mistake in self.mistakes))


def reason(error: OSError | ValueError) -> str:
    """Why a file could not be read, without its path or its content."""
    if isinstance(error, UnicodeDecodeError):
        return "is not UTF-8 text"
    if isinstance(error, OSError) and error.strerror:
        return error.strerror
    return "is not a path"


def nearest(name: str, known: Iterable[str]) -> str:
    """A suggestion: the known name that was probably meant, or all of them."""
    known = sorted(known)
    close = difflib.get_close_matches(name, known, n=1)
    if close:
        return f"Did you mean {close[0]}?"
    return f"Known here: {', '.join(known)}" if known else ""
