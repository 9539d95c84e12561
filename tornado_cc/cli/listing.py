"""What lists have in common: how long they are, and in which form they are printed."""

from collections.abc import Sequence
from typing import Any

import click

from tornado_cc.cli.output import say
from tornado_cc.core import json_value

as_json = click.option("--json", "as_json", is_flag=True, help="Print one JSON document.")

limit = click.option(
    "--limit",
    type=click.IntRange(1, 1000),
    default=50,
    show_default=True,
    help="How many at most, the newest first.",
)


def shortened(found: Sequence[Any], most: int, what: str) -> Sequence[Any]:
    """Those to show of one more than was asked for; says on standard error when there are more."""
    if len(found) > most:
        click.echo(
            f"tornado_cc: the newest {most} are shown, there are more {what}; see --limit", err=True
        )
    return found[:most]


def print_json(rows: Sequence[Any]) -> None:
    """One JSON document, a row to a line."""
    for number, row in enumerate(rows):
        say(f"{',' if number else '['}{json_value.dump(row).decode()}")
    say("]" if rows else "[]")
