"""`python -m tornado_cc --conf FILE`: serves, or runs a command."""

import io
import sys
from pathlib import Path

import click

from tornado_cc.cli.command import needed_conf
from tornado_cc.cli.config import config
from tornado_cc.cli.deliveries import deliveries
from tornado_cc.cli.hooks import hooks
from tornado_cc.cli.migrate import migrate
from tornado_cc.cli.move import move
from tornado_cc.cli.plugins import plugins
from tornado_cc.cli.requests import requests
from tornado_cc.cli.tail import tail
from tornado_cc.cli.users import users


@click.group(invoke_without_command=True, context_settings={"help_option_names": ["-h", "--help"]})
@click.option(
    "--conf",
    type=click.Path(path_type=Path, dir_okay=False),
    help="The conf file, for example conf/dev.ini. Stands before a command.",
)
@click.option(
    "--check", is_flag=True, help="Validate the conf, load the plugins, report, do not serve."
)
@click.option("--worker", default="", hidden=True, help="The files a supervisor hands over.")
@click.version_option(package_name="tornado_cc")
@click.pass_context
def main(context: click.Context, conf: Path | None, check: bool, worker: str) -> None:
    """Serve cloud code: plugins answer the calls of Parse Servers and other callers.

    With a COMMAND it does not serve, but looks after what the server keeps, in the database that
    [store] of the conf names. Users and configuration can be changed while a server runs.
    """
    # A name may have letters that the terminal has not.
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="backslashreplace")
    if context.invoked_subcommand is None:
        # A command need not wait for the server's libraries.
        from tornado_cc.cli.serve import serve

        serve(needed_conf(), check, [int(one) for one in worker.split(",") if one])
    elif check:
        raise click.UsageError("--check stands alone, without a command.")


for _command in (users, config, requests, deliveries, hooks, plugins, tail, migrate, move):
    main.add_command(_command)
