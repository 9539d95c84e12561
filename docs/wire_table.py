"""The table of docs/reliability.md that sums up what a wire makes of bytes, written from the cases.

It stands between `<!-- table: wire -->` and `<!-- end of wire -->`. Run this module to write it
anew; a test compares the page with what the cases give.
"""

import re
from collections.abc import Sequence
from pathlib import Path

from tests.server.wire.cases import GROUPS, Case

PAGE = Path(__file__).with_name("reliability.md")
_TABLE = re.compile(r"(<!-- table: wire -->\n).*?(<!-- end of wire -->)", re.DOTALL)
_REFUSED = ("400", "431")


def table() -> str:
    """One row for each group of cases, and one for all."""
    rows = ["| about | cases | answered | refused | not so on `tornado` |", "|---|---|---|---|---|"]
    rows += [_row(about, cases) for about, cases in GROUPS.items()]
    rows.append(_row("**all**", [case for cases in GROUPS.values() for case in cases]))
    return "\n".join(rows) + "\n"


def page(text: str) -> str:
    """The page with the table written anew."""
    return _TABLE.sub(lambda match: match[1] + table() + match[2], text)


def _row(about: str, cases: Sequence[Case]) -> str:
    refused = sum(_is_refused(case) for case in cases)
    others = sum(bool(case.stock) for case in cases)
    return f"| {about} | {len(cases)} | {len(cases) - refused} | {refused} | {others or ''} |"


def _is_refused(case: Case) -> bool:
    """Whether it ends in a refusal, or in nothing because there was no whole request."""
    return case.verdict == "closed" or any(status in case.verdict for status in _REFUSED)


if __name__ == "__main__":
    PAGE.write_text(page(PAGE.read_text(encoding="utf-8")), encoding="utf-8")
