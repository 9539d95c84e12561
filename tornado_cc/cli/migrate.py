"""`migrate`: the tables of a database brought up to date."""

import asyncio

import click

from tornado_cc.cli.command import guarded, store_settings
from tornado_cc.cli.output import say
from tornado_cc.store.move import migrate as bring_up_to_date


@click.command()
def migrate() -> None:
    """Bring the tables of the database up to date.

    A server does so itself on SQLite. On PostgreSQL it does not start until this was run: before
    the first start, and after an update. Running it again does no harm. A database made by a newer
    tornado_cc is refused.
    """
    database = store_settings().url
    changed = guarded(lambda: asyncio.run(bring_up_to_date(database)), str(database))
    done = "are up to date now" if changed else "were up to date, nothing was done"
    say(f"{database}: the tables {done}")
