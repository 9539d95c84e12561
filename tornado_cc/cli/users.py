"""`users`: who there is, who may come in, and with which token."""

from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from dataclasses import asdict
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import click

from tornado_cc.cli import arguments, tables
from tornado_cc.cli.command import REFUSED, end, run
from tornado_cc.cli.logs import printable
from tornado_cc.cli.output import CannotWrite, say
from tornado_cc.core import json_value
from tornado_cc.core.state import User
from tornado_cc.store import Store
from tornado_cc.store.users import Users

_PAGE = 1000

_which = click.argument("user", metavar="NAME_OR_ID", type=arguments.Text())
_as_json = click.option("--json", "as_json", is_flag=True, help="Print one JSON document.")


def _password_options(command: Any) -> Any:
    """The three ways to give a password, none of which the process list shows."""
    for option in (
        click.option(
            "--password-file",
            type=click.Path(path_type=Path, dir_okay=False),
            help="Read the password from a file of one line.",
        ),
        click.option(
            "--password-stdin", is_flag=True, help="Read the password from standard input."
        ),
        click.option(
            "--password", "ask", is_flag=True, help="Ask for the password, twice, on the terminal."
        ),
    ):
        command = option(command)
    return command


@click.group()
def users() -> None:
    """Users: add, list, keep out, give tokens to.

    A GameSparks player, a Parse user and a Skygear user of one id are one user. A server that runs
    notices every change at once.
    """


@users.command()
@click.argument("name", type=arguments.Text())
@click.option("--id", "user_id", type=arguments.Text(), help="The id; a new one otherwise.")
@click.option("--display-name", type=arguments.Text(), help="What others may see.")
@click.option("--unverified", is_flag=True, help="Nobody has verified the user yet.")
@_password_options
def add(
    name: str,
    user_id: str | None,
    display_name: str | None,
    unverified: bool,
    ask: bool,
    password_stdin: bool,
    password_file: Path | None,
) -> None:
    """Add a user called NAME.

    Without one of the --password options the user has none and cannot log in, as a player of a
    game; `users token` still gives access, and `users password` sets a password later.
    """
    password = arguments.password(ask, password_stdin, password_file)

    async def work(store: Store) -> User:
        return await store.users.add(
            name,
            password,
            user_id=user_id,
            display_name=display_name,
            verified=not unverified,
        )

    say(f"{_called(run(work))} is added")


@users.command("list")
@_as_json
def list_all(as_json: bool) -> None:
    """List all users, by id."""
    run(_print_json if as_json else _print_tables)


@users.command()
@_which
@_as_json
def show(user: str, as_json: bool) -> None:
    """Show one user."""

    async def work(store: Store) -> User:
        return await _found(store, user)

    one = run(work)
    if as_json:
        say(_json(one))
        return
    tables.show(("field", "value"), [(name, _cell(value)) for name, value in asdict(one).items()])


@users.command()
@_which
@click.option("--message", type=arguments.Text(), help="Why, for the user to read.")
@click.option("--until", type=arguments.Moment(), help="ISO 8601; without it, for good.")
def disable(user: str, message: str | None, until: datetime | None) -> None:
    """Keep a user out.

    The user's tokens stay, and count again after `users enable`, or when UNTIL is over.
    """

    async def work(store: Store) -> User:
        one = await _found(store, user)
        await store.users.disable(one.id, message=message, until=until)
        return await store.users.get(one.id) or one

    one = run(work)
    end_of_it = f" until {one.disabled_until}" if one.disabled_until else ""
    say(f"{_called(one)} is disabled{end_of_it}")


@users.command()
@_which
def enable(user: str) -> None:
    """Let a user in again."""
    say(f"{_changed(user, Users.enable)} is enabled")


@users.command()
@_which
def verify(user: str) -> None:
    """Note that a user is verified."""
    say(f"{_changed(user, Users.verify)} is verified")


@users.command()
@_which
@_password_options
def password(user: str, ask: bool, password_stdin: bool, password_file: Path | None) -> None:
    """Set a user's password. Every session the user has ends."""
    new = arguments.needed_password(ask, password_stdin, password_file)
    who = _changed(user, lambda users, user_id: users.set_password(user_id, new))
    say(f"{who} has a new password; sessions from before have ended")


@users.command()
@_which
@click.option(
    "--expires",
    type=arguments.Duration(),
    default="30d",
    show_default=True,
    help="When the token ends: a number and s, m, h, d or w, or never.",
)
def token(user: str, expires: timedelta | None) -> None:
    """Print a new access token of a user, and nothing else on standard output.

    \b
        TOKEN=$(python -m tornado_cc --conf conf/dev.ini users token alice)
    """

    async def work(store: Store) -> tuple[User, str | None]:
        one = await _found(store, user)
        session = await store.users.issue(one.id, expires)
        try:
            say(session.token)
        except (CannotWrite, BrokenPipeError):
            # Nobody has seen it, so nobody could ever end it alone.
            await store.users.log_out(session.token)
            raise
        return one, session.expires_at

    one, until = run(work)
    click.echo(
        f"tornado_cc: the token of {_called(one)} is shown this once, as only a hash of it is kept;"
        f" {'it ends ' + until if until else 'it never ends'}",
        err=True,
    )


@users.command()
@_which
def revoke(user: str) -> None:
    """End all sessions of a user: no token counts any more."""
    say(f"all sessions of {_changed(user, Users.revoke_all)} have ended")


def _changed(user: str, change: Callable[[Users, str], Awaitable[None]]) -> str:
    """Change the user of this name or id, and return what to call them."""

    async def work(store: Store) -> User:
        one = await _found(store, user)
        await change(store.users, one.id)
        return one

    return _called(run(work))


async def _found(store: Store, name_or_id: str) -> User:
    one = await store.users.find(name_or_id)
    if one is None:
        end(REFUSED, f"there is no user {printable(name_or_id)}")
    other = await store.users.get(name_or_id)
    if other is not None and other.id != one.id:
        # Plugins let people choose their names: somebody else's id may be one.
        end(
            REFUSED,
            f"{printable(name_or_id)} is the name of the user with the id {one.id} and the id of"
            f" {_called(other)}; say {one.id} for the first",
        )
    return one


async def _pages(store: Store) -> AsyncIterator[Sequence[User]]:
    after = ""
    while page := await store.users.all(after=after, limit=_PAGE):
        yield page
        after = page[-1].id


async def _print_tables(store: Store) -> None:
    async for page in _pages(store):
        tables.show(
            ("id", "name", "display name", "verified", "disabled", "created"), map(_row, page)
        )


async def _print_json(store: Store) -> None:
    """One document, written as it is read: there may be a million users."""
    first = True
    async for page in _pages(store):
        for one in page:
            say(f"{'[' if first else ','}{_json(one)}")
            first = False
    say("[]" if first else "]")


def _row(one: User) -> tuple[str, ...]:
    disabled = _cell(one.disabled)
    if one.disabled and one.disabled_until:
        disabled = f"until {one.disabled_until}"
    cells = (one.id, one.user_name, one.display_name, one.verified)
    return (*map(_cell, cells), disabled, one.created_at)


def _cell(value: str | bool | None) -> str:
    if isinstance(value, bool):
        return "yes" if value else "no"
    return "-" if value is None else value


def _called(one: User) -> str:
    return f"{printable(one.user_name)} (id {one.id})" if one.user_name else f"id {one.id}"


def _json(one: User) -> str:
    return json_value.dump(asdict(one)).decode()
