"""`tail`: requests and deliveries as they come and end."""

import asyncio
import io
import os
from collections.abc import Callable
from typing import Any

import click

from tornado_cc.cli import arguments
from tornado_cc.cli.command import run
from tornado_cc.cli.follow import Event, Follower
from tornado_cc.cli.logs import printable
from tornado_cc.cli.output import say
from tornado_cc.core import clock, json_value
from tornado_cc.store import Store, StoreUnavailable

_PAUSE = 0.5
"""Seconds between two looks; as long as a look took, when that was longer."""
_AWAY = 2.0
"""Seconds between two looks while the database is away."""
_COLOURS = {
    "failed": "red",
    "dead": "bold red",
    "refused": "yellow",
    "retried": "yellow",
    "discarded": "yellow",
}


@click.command()
@click.option(
    "--since",
    metavar="ID",
    type=arguments.Ulid(),
    help="Begin with what came after this request; with what comes from now on otherwise.",
)
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object a line.")
def tail(since: tuple[str, int] | None, as_json: bool) -> None:
    """Print each request and each delivery as it ends, until Ctrl-C.

    Of a delivery also every attempt that failed. Requests are those that [journal] record keeps.
    """
    tell = _tell_json if as_json else _tell_line
    try:
        run(lambda store: _follow(store, since, tell))
    except KeyboardInterrupt:
        return


async def _follow(
    store: Store, since: tuple[str, int] | None, tell: Callable[[Event], None]
) -> None:
    request_id, moment = since or (None, await store.changes.now())
    follower = Follower(store.changes, moment, request_id)
    is_away = False
    while True:
        began = clock.monotonic()
        try:
            async for event in follower.look():
                tell(event)
            is_away = False
        except StoreUnavailable as error:
            if not is_away:
                click.echo(f"tornado_cc: waiting for the database: {error.log}", err=True)
            is_away = True
        took = clock.monotonic() - began
        await asyncio.sleep(_AWAY if is_away else max(_PAUSE, took))


def _tell_json(event: Event) -> None:
    head = {"time": event.time, "what": event.what, "how": event.how}
    say(json_value.dump({**head, **event.facts}).decode())


def _tell_line(event: Event) -> None:
    words = _of_request(event.facts) if event.what == "request" else _of_delivery(event.facts)
    how = event.how or "-"
    line = f"{event.time}  {event.what:<8}  {how:<9}  {'  '.join(words)}"
    say(_coloured(printable(line), _COLOURS.get(how, "")))


def _of_request(facts: Any) -> list[str]:
    words = [facts["id"], f"{facts['dialect']} {facts['method']} {facts['route']}"]
    if facts["status"] is not None:
        words.append(f"{facts['status']} in {facts['ms']} ms")
    return [*words, *filter(None, (facts["hook"], facts["cause"]))]


def _of_delivery(facts: Any) -> list[str]:
    words = [facts["id"], f"{facts['kind']} {facts['plugin']}: {facts['target']}"]
    words.append(f"attempt {facts['attempt']}")
    return [*words, *filter(None, (facts["error"],))]


def _coloured(line: str, style: str) -> str:
    """The line in colour, where a terminal shows it and wants any."""
    if not style or not os.isatty(1):
        return line
    from rich.console import Console
    from rich.text import Text

    shown = io.StringIO()
    # Whoever looks on a terminal has it break the lines, or copies them whole.
    console = Console(file=shown, force_terminal=True, soft_wrap=True, highlight=False)
    console.print(Text(line, style), end="")
    return shown.getvalue()
