"""`deliveries`: what runs after an answer, what failed, and what is to be done about it."""

import shlex
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict
from typing import Any, NoReturn

import click

from tornado_cc.cli import arguments, bodies, listing, tables
from tornado_cc.cli.command import REFUSED, end, needed_conf, run
from tornado_cc.cli.logs import printable
from tornado_cc.cli.output import say
from tornado_cc.core import json_value
from tornado_cc.core.json_value import NotJson
from tornado_cc.core.mail import without_bodies
from tornado_cc.store import Store, moments
from tornado_cc.store.deliveries import NOT_DONE, STATES, Delivery, NotPossible

KINDS = ("hook", "job", "schedule", "webhook", "mail")

_SHORT = 60
"""Characters of an error in a table of many."""
_COLUMNS = ("id", "state", "kind", "plugin", "what", "of", "attempts", "when", "last error")

_which = click.argument("delivery", metavar="ID", type=arguments.Text())
_plugin = click.option("--plugin", type=arguments.Text(), help="Only those of this plugin.")
_kind = click.option("--kind", type=click.Choice(KINDS), help="Only those of this kind.")


@click.group()
def deliveries() -> None:
    """Deliveries: what runs after an answer, and what failed.

    After-hooks, jobs, runs of schedules, outgoing webhooks and mail. One that has failed at every
    attempt is dead: it stays, and nothing is done about it until somebody does. A server that runs
    takes up each change with its next look at the database.
    """


@deliveries.command("list")
@click.option(
    "--state",
    "states",
    type=click.Choice(STATES),
    multiple=True,
    help="Only those in this state, or in one of several; without it, all that is not done.",
)
@_plugin
@_kind
@listing.limit
@listing.as_json
def list_all(
    states: tuple[str, ...], plugin: str | None, kind: str | None, limit: int, as_json: bool
) -> None:
    """List deliveries, the newest first."""

    async def work(store: Store) -> list[Delivery]:
        return await store.deliveries.find(
            state=states or NOT_DONE, plugin=plugin, kind=kind, limit=limit + 1
        )

    found = listing.shortened(run(work), limit, "deliveries")
    if as_json:
        listing.print_json([facts_of(one) for one in found])
    elif found:
        show_table(found)


@deliveries.command()
@_which
@click.option("--reveal", is_flag=True, help="Show what a mail says, and what is attached to it.")
@listing.as_json
def show(delivery: str, reveal: bool, as_json: bool) -> None:
    """Show one delivery with all that is kept of it.

    Of a mail only the sizes of text and attachments are shown: others may see the screen.
    """

    async def work(store: Store) -> Delivery | None:
        return await store.deliveries.get(delivery)

    one = run(work)
    if one is None:
        end(REFUSED, f"there is no delivery {printable(delivery)}")
    if as_json:
        facts = {**facts_of(one), "payload": _payload(one, reveal)}
        say(json_value.dump(facts).decode())
        return
    _show(one, reveal)


@deliveries.command()
@_which
def retry(delivery: str) -> None:
    """Run one again, without waiting any longer.

    A dead one gets all of its attempts anew.
    """

    async def work(store: Store) -> Delivery:
        return await store.deliveries.retry(delivery)

    say(_what_comes(run(work)))


@deliveries.command()
@_plugin
@_kind
@click.option("--all", "everything", is_flag=True, help="Every dead one.")
def redrive(plugin: str | None, kind: str | None, everything: bool) -> None:
    """Run every dead one again, or those of a plugin or a kind, the oldest first.

    Each gets all of its attempts anew.
    """
    if everything == bool(plugin or kind):
        _refuse_redrive(everything)

    async def work(store: Store) -> int:
        total = await store.deliveries.count_dead(plugin=plugin, kind=kind)
        with _progress(total) as notice:
            return await store.deliveries.redrive(plugin=plugin, kind=kind, notice=notice)

    count = run(work)
    if not count:
        say("no dead delivery was found, nothing was done")
        return
    them = "1 dead delivery runs" if count == 1 else f"{count:,} dead deliveries run"
    say(f"{them} again: a server takes up what it can with its next look at the database")


@deliveries.command()
@click.argument("delivery_ids", metavar="ID...", type=arguments.Text(), nargs=-1, required=True)
def discard(delivery_ids: tuple[str, ...]) -> None:
    """Never run these; they stay to be looked at for as long as those that are done."""

    async def work(store: Store) -> list[str]:
        refusals = []
        for delivery_id in delivery_ids:
            try:
                await store.deliveries.discard(delivery_id)
            except NotPossible as refusal:
                refusals.append(refusal.message)
                continue
            say(f"{printable(delivery_id)} is discarded and will not run")
        return refusals

    refusals = run(work)
    if refusals:
        end(REFUSED, "; ".join(map(printable, refusals)))


def show_table(found: Sequence[Delivery]) -> None:
    """Print deliveries as a table."""
    tables.show(_COLUMNS, map(_row, found), numbers=("attempts",))


def facts_of(one: Delivery) -> dict[str, Any]:
    """A delivery as JSON, without its payload."""
    facts = asdict(one)
    del facts["payload"]
    for name in ("due_at", "created_at", "ended_at"):
        facts[name] = None if facts[name] is None else moments.spelt(facts[name])
    return facts


def _refuse_redrive(everything: bool) -> NoReturn:
    """Whoever does not say how many may not know how many there are."""
    if everything:
        raise click.UsageError("--all stands alone, without --plugin and --kind.")

    async def work(store: Store) -> int:
        return await store.deliveries.count_dead()

    dead = run(work)
    raise click.UsageError(f"Give --all, --plugin or --kind; {dead:,} dead in all.")


def _what_comes(one: Delivery) -> str:
    if one.state == "waiting":
        return f"{one.id} waits for those before it in its lane, and runs then"
    return f"{one.id} is ready: a server takes it with its next look at the database"


def _row(one: Delivery) -> tuple[str, ...]:
    last = one.failures[-1]["error"] if one.failures else "-"
    shown = last if len(last) <= _SHORT else f"{last[:_SHORT]}..."
    what = (one.id, one.state, one.kind, one.plugin, one.target, _subject(one))
    return (*what, str(one.attempts), _when(one), shown)


def _subject(one: Delivery) -> str:
    """The object a delivery is about, as its lane says; a long lane is only a hash."""
    if one.lane is None:
        return "-"
    return one.lane.removeprefix(f"{one.plugin} {one.target}|")


def _when(one: Delivery) -> str:
    if one.ended_at is not None:
        return f"ended {moments.spelt(one.ended_at)}"
    word = {"running": "leased until", "waiting": "in its turn, from"}.get(one.state, "due")
    return f"{word} {moments.spelt(one.due_at)}"


def _show(one: Delivery, reveal: bool) -> None:
    rows = [
        ("id", one.id),
        ("state", one.state),
        ("kind", one.kind),
        ("plugin", f"{one.plugin} {one.version or ''}".strip()),
        ("what", one.target),
        ("of", _subject(one)),
        ("request", one.request_id or "-"),
        ("once", one.once or "-"),
        ("attempts", str(one.attempts)),
        ("accepted", moments.spelt(one.created_at)),
        ("when", _when(one)),
        ("worker", one.leased_by or "-"),
    ]
    tables.show(("field", "value"), rows)
    if one.failures:
        say("")
        failed = [
            (str(each["attempt"]), each["at"], each["error"], each.get("error_id", "-"))
            for each in one.failures
        ]
        tables.show(("attempt", "failed", "error", "error id"), failed, numbers=("attempt",))
    bodies.show("payload", bodies.indented(_shown(one, reveal).encode()))
    for line in _next_steps(one):
        say(line)


def _next_steps(one: Delivery) -> Iterator[str]:
    """The commands that somebody who reads this may want."""
    program = f"python -m tornado_cc --conf {shlex.quote(str(needed_conf()))}"
    if one.state in NOT_DONE and one.state != "running":
        yield ""
        yield f"run it now:   {program} deliveries retry {one.id}"
        yield f"never run it: {program} deliveries discard {one.id}"
    elif one.request_id is not None:
        yield ""
        yield f"its request:  {program} requests show {one.request_id}"


def _payload(one: Delivery, reveal: bool) -> Any:
    shown = _shown(one, reveal)
    try:
        return json_value.parse(shown.encode())
    except NotJson:
        return shown


def _shown(one: Delivery, reveal: bool) -> str:
    """The payload, of a mail without what it says."""
    if one.kind != "mail" or reveal:
        return one.payload
    try:
        facts = json_value.parse(one.payload.encode())
    except NotJson:
        return one.payload
    return json_value.dump(without_bodies(facts)).decode()


@contextmanager
def _progress(total: int) -> Iterator[Callable[[int], None]]:
    """A bar while somebody looks on."""
    if not sys.stderr.isatty():
        yield lambda count: None
        return
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TimeElapsedColumn

    columns = (BarColumn(), MofNCompleteColumn(), TimeElapsedColumn())
    with Progress(*columns, console=Console(stderr=True)) as progress:
        bar = progress.add_task("", total=total)
        yield lambda count: progress.update(bar, completed=count)
