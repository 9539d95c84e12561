"""The tables of docs/reliability.md about what a wire makes of bytes, written from the cases.

The summary stands between `<!-- table: wire -->` and `<!-- end of wire -->`, every case between
`<!-- table: wire cases -->` and `<!-- end of wire cases -->`. Run this module to write them anew; a
test compares the page with what the cases give.
"""

import re
from collections.abc import Sequence
from itertools import groupby
from pathlib import Path

from tests.server.wire.cases import GROUPS, OPEN, Case

PAGE = Path(__file__).with_name("reliability.md")
_TABLE = re.compile(
    r"(?P<start><!-- table: (?P<name>wire|wire cases) -->\n).*?(?P<end><!-- end of (?P=name) -->)",
    re.DOTALL,
)
_SIGNS = re.compile(r"[\\`*_<>\[\]|&~]")
"""What Markdown may take for its own."""
_REFUSED = ("400", "431")
_MANY = 4
"""So many equal statuses in a row are counted."""


def table() -> str:
    """One row for each group of cases, and one for all."""
    rows = ["| about | cases | answered | refused | not so on `tornado` |", "|---|---|---|---|---|"]
    rows += [_row(about, cases) for about, cases in GROUPS.items()]
    rows.append(_row("**all**", [case for cases in GROUPS.values() for case in cases]))
    return "\n".join(rows) + "\n"


def conversations() -> str:
    """A heading for each group, and below it one row for each case."""
    return "\n".join(_group(about, cases) for about, cases in GROUPS.items())


def page(text: str) -> str:
    """The page with the tables written anew."""
    return _TABLE.sub(_anew, text)


def plain(text: str) -> str:
    """The text as Markdown that says nothing but this text."""
    return _SIGNS.sub(r"\\\g<0>", text)


def _anew(match: re.Match[str]) -> str:
    content = table() if match["name"] == "wire" else conversations()
    return match["start"] + content + match["end"]


def _row(about: str, cases: Sequence[Case]) -> str:
    refused = sum(_is_refused(case) for case in cases)
    others = sum(bool(case.stock) for case in cases)
    return f"| {about} | {len(cases)} | {len(cases) - refused} | {refused} | {others or ''} |"


def _group(about: str, cases: Sequence[Case]) -> str:
    rows = ["| what is sent | verdict | not so on `tornado` |", "|---|---|---|"]
    rows += [
        f"| {plain(case.sentence)} | {_said(case.verdict)} | {_said(case.stock)} |"
        for case in cases
    ]
    return "\n".join([f"### {about[0].upper()}{about[1:]}", "", *rows, ""])


def _said(verdict: str) -> str:
    """A verdict for people."""
    if verdict == OPEN:
        return "left to chance"
    runs = [(word, len(list(run))) for word, run in groupby(verdict.split())]
    return " ".join(
        f"{word} ({count:,} times)" if count >= _MANY else " ".join([word] * count)
        for word, count in runs
    )


def _is_refused(case: Case) -> bool:
    """Whether it ends in a refusal, or in nothing because there was no whole request."""
    return case.verdict == "closed" or any(status in case.verdict for status in _REFUSED)


if __name__ == "__main__":
    PAGE.write_text(page(PAGE.read_text(encoding="utf-8")), encoding="utf-8")
