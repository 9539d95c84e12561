"""`migrate`: the tables of a database brought up to date."""

import asyncio

import click

from tornado_cc.cli.command import guarded, store_settings
from tornado_cc.settings import StoreSettings
from tornado_cc.store.move import migrate as bring_up_to_date


@click.command()
def migrate() -> None:
    """Bring the tables of the database up to date.

    A server does so itself on SQLite. On PostgreSQL it does not start until this was run: before
    the first start, and after an update. Running it again does no harm. A database made by a newer
    tornado_cc is refused.
    """
    settings: StoreSettings = store_settings()
    place = str(settings.url)
    changed = guarded(lambda: asyncio.run(bring_up_to_date(settings.url)), place)
    click.echo(
        f"{place}: the tables are up to date now"
        if changed
        else f"{place}: the tables were up to date, nothing was done"
    )
