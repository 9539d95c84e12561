"""`move`: everything a database keeps, copied into another."""

import os
import signal
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

import click

from tornado_cc.cli import arguments, tables
from tornado_cc.cli.command import REFUSED, end, guarded, store_settings
from tornado_cc.cli.output import say
from tornado_cc.settings import Database
from tornado_cc.store.move import Moved, MoveRefused, Notice
from tornado_cc.store.move import move as copy_all


@click.command()
@click.option(
    "--from", "source", metavar="URL", help="The database to copy; [store] url otherwise."
)
@click.option("--to", "target", metavar="URL", required=True, help="The empty database to fill.")
def move(source: str | None, target: str) -> None:
    """Copy everything that one database keeps into another, all of it or nothing.

    URL is sqlite:///PATH or postgresql://user:password@host/name. So that no password stands in
    the process list, write env:NAME for an environment variable or file:PATH for a file of one
    line.

    Stop every server of both databases first. One that uses a SQLite file is noticed, and the move
    refused; one on PostgreSQL is not: what it writes during the move stays behind.
    """
    taken = _database(source, "--from") if source is not None else store_settings().url
    filled = _database(target, "--to")
    for one in (taken, filled):
        if one.path is None:
            click.echo(f"tornado_cc: note: no server may use {one} during the move", err=True)
    # A service manager's way to interrupt; without it half a file would be left.
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    try:
        moved = guarded(lambda: _moved(taken, filled), f"{taken} and {filled}")
    except KeyboardInterrupt:
        end(REFUSED, f"interrupted; {filled} is left without any of it")
    tables.show(
        ("table", "rows there", "rows here"),
        [(one.table, f"{one.source:,}", f"{one.target:,}") for one in moved],
        numbers=("rows there", "rows here"),
    )
    say(f"{taken} is copied into {filled}; to use that, state it as [store] url")


def _moved(source: Database, target: Database) -> Sequence[Moved]:
    try:
        with _progress() as notice:
            return copy_all(source, target, notice)
    except MoveRefused as refused:
        end(REFUSED, str(refused))


@contextmanager
def _progress() -> Iterator[Notice]:
    """A bar for each table while somebody looks on."""
    if not sys.stderr.isatty():
        yield lambda table, done, total: None
        return
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

    columns = (
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        TimeElapsedColumn(),
    )
    with Progress(*columns, console=Console(stderr=True)) as progress:
        bars = {}

        def notice(table: str, done: int, total: int) -> None:
            if table not in bars:
                bars[table] = progress.add_task(table, total=total)
            progress.update(bars[table], completed=done)

        yield notice


def _database(text: str, option: str) -> Database:
    """The database that an option names, directly or by reference."""
    kind, _, rest = text.partition(":")
    if kind == "env":
        if rest not in os.environ:
            raise click.BadParameter(f"the variable {rest} is not set.", param_hint=option)
        text = os.environ[rest]
    elif kind == "file":
        text = arguments.file_text(Path(rest).expanduser())
    try:
        return Database.parse(text.strip())
    except ValueError as error:
        raise click.BadParameter(f"{error}.", param_hint=option) from None
