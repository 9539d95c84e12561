"""Rows for people: a table as wide as the terminal, or as its widest row when nobody looks."""

import io
import os
from collections.abc import Iterable, Sequence

from tornado_cc.cli.logs import printable
from tornado_cc.cli.output import say

_ANY_WIDTH = 100_000


def show(
    columns: Sequence[str], rows: Iterable[Sequence[str]], *, numbers: Iterable[str] = ()
) -> None:
    """Print rows on standard output, whole: what does not fit goes on below, nothing is cut.

    Args:
        numbers: the columns that are aligned to the right.
    """
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    table = Table(box=None, pad_edge=False, padding=(0, 2, 0, 0), header_style="bold")
    for column in columns:
        right = column in set(numbers)
        table.add_column(column, justify="right" if right else "left", overflow="fold")
    for row in rows:
        # As a text, or square brackets in a name would be taken for markup.
        table.add_row(*(Text(printable(cell)) for cell in row))
    on_screen = os.isatty(1)
    # The console writes nothing itself: what cannot be written is for `say` to tell.
    shown = io.StringIO()
    console = Console(
        file=shown,
        force_terminal=on_screen or None,
        width=None if on_screen else _ANY_WIDTH,
        highlight=False,
    )
    console.print(table)
    for line in shown.getvalue().splitlines():
        say(line.rstrip())
