"""`config`: the parameters that plugins and clients read."""

from typing import Any, NoReturn

import click

from tornado_cc.cli import arguments, tables
from tornado_cc.cli.command import REFUSED, end, run
from tornado_cc.cli.logs import printable
from tornado_cc.cli.output import say
from tornado_cc.core import json_value
from tornado_cc.store import Store

_HIDDEN = "(hidden, see --reveal)"
_FROM_STDIN = "-"


@click.group()
def config() -> None:
    """Configuration: parameters that plugins and clients read.

    Values are JSON. A parameter for the master key only is seen by plugins that ask for it, and
    never by a client. A server that runs notices a change within half a second.
    """


@config.command()
@click.argument("name", type=arguments.Text())
def get(name: str) -> None:
    """Print the value of NAME as JSON, also when it is for the master key only."""

    async def work(store: Store) -> str:
        parameters = await store.config.all()
        if name not in parameters:
            _end_without(name)
        return _spelt(parameters[name][0])

    say(run(work))


# Otherwise -1 would be an option that nobody knows.
@config.command("set", context_settings={"ignore_unknown_options": True})
@click.argument("name", type=arguments.Text())
@click.argument("value", type=arguments.Text())
@click.option("--string", is_flag=True, help="VALUE is a text as it stands, not JSON.")
@click.option(
    "--master-key-only/--public",
    "master_key_only",
    default=None,
    help="Who sees it. One that is there stays as it is, a new one is public.",
)
def set_one(name: str, value: str, string: bool, master_key_only: bool | None) -> None:
    """Set the parameter NAME to VALUE.

    VALUE is JSON: 10, true, '"a text"', '{"a": [1, 2]}'. A single - reads it from standard input,
    where no process list shows it.
    """
    text = arguments.standard_input() if value == _FROM_STDIN else value
    parsed = text if string else _parsed(text)
    flags = {} if master_key_only is None else {name: master_key_only}

    async def work(store: Store) -> bool:
        await store.config.save({name: parsed}, flags)
        parameters = await store.config.all()
        return parameters.get(name, (None, False))[1]

    who = "for the master key only" if run(work) else "public"
    say(f"{printable(name)} is set, and {who}")


@config.command()
@click.argument("name", type=arguments.Text())
def unset(name: str) -> None:
    """Remove the parameter NAME."""

    async def work(store: Store) -> None:
        if name not in await store.config.all():
            _end_without(name)
        await store.config.save({name: {"__op": "Delete"}})

    run(work)
    say(f"{printable(name)} is removed")


@config.command("list")
@click.option(
    "--json",
    "as_json",
    is_flag=True,
    help="Print one JSON document, as a Parse Server answers the master key. Hides nothing.",
)
@click.option("--reveal", is_flag=True, help="Show values for the master key only in the table.")
def list_all(as_json: bool, reveal: bool) -> None:
    """List all parameters.

    The table hides values that are for the master key only: others may see the screen.
    """

    async def work(store: Store) -> dict[str, tuple[Any, bool]]:
        return await store.config.all()

    parameters = run(work)
    if as_json:
        values = {name: value for name, (value, _) in parameters.items()}
        flags = {name: only for name, (_, only) in parameters.items()}
        say(_spelt({"params": values, "masterKeyOnly": flags}))
        return
    rows = [
        (
            name,
            _HIDDEN if only and not reveal else _spelt(value),
            "master key only" if only else "public",
        )
        for name, (value, only) in parameters.items()
    ]
    if rows:
        tables.show(("name", "value", "seen by"), rows)


def _parsed(text: str) -> Any:
    try:
        return json_value.parse(text.encode())
    except json_value.NotJson as error:
        raise click.BadParameter(
            f"{error}. A text is quoted, as in '\"a text\"', or given with --string.",
            param_hint="VALUE",
        ) from None


def _spelt(value: Any) -> str:
    return json_value.dump(value).decode()


def _end_without(name: str) -> NoReturn:
    end(REFUSED, f"there is no parameter {printable(name)}")
