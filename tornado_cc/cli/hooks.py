"""`hooks`: our webhooks at the Parse Server, compared and made what the plugins declare."""

import click

from tornado_cc.cli import listing

_yes = click.option("--yes", is_flag=True, help="Do not ask before anything is removed.")


@click.group()
def hooks() -> None:
    """Webhooks that a Parse Server has registered here, and what the plugins declare.

    [parse_server] says which Parse Server, and where it reaches this one. Those that it has
    registered at other addresses are listed, and left alone.
    """


@hooks.command()
@listing.as_json
def plan(as_json: bool) -> None:
    """Show what `hooks apply` would do: + registers, ~ changes the address, - removes.

    Exits with 3 when there is something to do.
    """
    # Whoever only looks at --help need not wait for the server's libraries.
    from tornado_cc.cli import registration

    registration.show_plan(as_json=as_json)


@hooks.command()
@_yes
@click.option("--keep-orphans", is_flag=True, help="Leave what no plugin has registered.")
@click.option("--dry-run", is_flag=True, help="The same as `hooks plan`.")
@listing.as_json
def apply(yes: bool, keep_orphans: bool, dry_run: bool, as_json: bool) -> None:
    """Register what the plugins declare, one after another, and confirm what is registered.

    What is registered here and declared by no plugin is removed, after a question.
    """
    from tornado_cc.cli import registration

    if dry_run:
        registration.show_plan(as_json=as_json)
        return
    registration.apply_and_show(yes=yes, keep_orphans=keep_orphans, as_json=as_json)


@hooks.command()
@_yes
@listing.as_json
def drop(yes: bool, as_json: bool) -> None:
    """Remove every webhook that is registered here, after a question."""
    from tornado_cc.cli import registration

    registration.drop_and_show(yes=yes, as_json=as_json)
