"""`plugins`: which plugins a conf loads, and how the hosts do that they ask."""

import click

from tornado_cc.cli import listing


@click.command()
@listing.as_json
def plugins(as_json: bool) -> None:
    """List the plugins: version, what they answer, when they run, whom they may reach.

    They are loaded and not started. Of a server that runs on this machine, [admin] bind says which
    hosts it leaves alone for a while because they kept failing.
    """
    # Whoever only looks at --help need not wait for the server's libraries.
    from tornado_cc.cli.loaded import show_plugins

    show_plugins(as_json)
