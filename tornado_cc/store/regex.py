"""Regular expressions that cannot run away: RE2 matches in time linear in the text."""

import re
from collections.abc import Callable

import re2

from tornado_cc.store.errors import InvalidQuery

MAX_PATTERN = 512
"""Characters of a regular expression."""

MAX_WORK = 1 << 26
"""RE2's instructions times bytes of a field's texts. Linear is not free: so many take half a second
at worst."""

_MEMORY = 1 << 20
_FLAGS = frozenset("ims")
_AROUND = re.compile(r"\(\?(=|!|<=|<!)")
_BACK = re.compile(r"\\[1-9kg]|\(\?P\Z|\(\?P=")
_LARGE = "this $regex is too large: mind its repetitions and \\p classes"


def compile_regex(pattern: str, options: str = "") -> Callable[[list[str]], bool]:
    r"""A test of whether the pattern is found anywhere in one of some texts.

    The test raises `InvalidQuery` for texts so long that matching them could take too long.

    Args:
        pattern: in RE2's syntax; `\Q` and `\E` enclose text that stands for itself.
        options: any of `i` (case does not matter), `m` (`^` and `$` match at lines), `s` (the dot
            matches line ends).

    Raises:
        InvalidQuery: RE2 cannot match this, or it is too large.
    """
    if len(pattern) > MAX_PATTERN:
        raise InvalidQuery(f"a $regex has up to {MAX_PATTERN} characters")
    compiled = _compile(f"(?{_flags(options)}){pattern}" if options else pattern)
    longest = MAX_WORK // max(1, compiled.programsize)

    def found(texts: list[str]) -> bool:
        # As bytes: for a str re2 would count the characters before the match.
        encoded = [text.encode(errors="replace") for text in texts]
        # An empty text takes a step too.
        if sum(map(len, encoded)) + len(encoded) - 1 > longest:
            raise InvalidQuery(f"{_LARGE}, or search texts of up to {longest} bytes")
        return any(compiled.search(text) is not None for text in encoded)

    return found


def _flags(options: str) -> str:
    if "x" in options:
        raise InvalidQuery("$options x (spaces and comments in a $regex) is not supported")
    if not _FLAGS.issuperset(options):
        raise InvalidQuery("$options are any of i, m and s")
    return "".join(sorted(set(options)))


def _compile(pattern: str) -> "re2._Regexp":
    options = re2.Options()
    options.max_mem = _MEMORY
    options.log_errors = False
    options.never_capture = True
    try:
        return re2.compile(pattern, options)
    except re2.error as error:
        raise InvalidQuery(_explain(error)) from None


def _explain(error: Exception) -> str:
    problem = error.args[0] if error.args else b""
    text = problem.decode(errors="replace") if isinstance(problem, bytes) else str(problem)
    if _AROUND.search(text):
        return "this $regex looks ahead or behind, which is not supported"
    if _BACK.search(text):
        return "this $regex refers back to a group, which is not supported"
    if "too large" in text:
        return _LARGE
    return f"bad $regex: {text}"
