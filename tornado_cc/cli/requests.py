"""`requests`: what came in, what came of it, and the same once more."""

from collections.abc import Sequence
from dataclasses import asdict
from typing import Any

import click

from tornado_cc.cli import arguments, bodies, deliveries, explanation, listing, tables
from tornado_cc.cli.command import REFUSED, end, run
from tornado_cc.cli.logs import printable
from tornado_cc.cli.output import say
from tornado_cc.core import json_value
from tornado_cc.core.record import Record
from tornado_cc.store import Store
from tornado_cc.store.deliveries import Delivery

OUTCOMES = ("accepted", "replied", "silent", "refused", "failed")

_SHORT = 60
"""Characters of a cause in a table of many."""
_DELIVERIES = 1000
_COLUMNS = (
    "id",
    "received",
    "dialect",
    "method",
    "route",
    "hook",
    "outcome",
    "status",
    "ms",
    "why",
)

_which = click.argument("request_id", metavar="ID", type=arguments.Text())


@click.group()
def requests() -> None:
    """Requests that were recorded: look at them, and run them again.

    [journal] record says which are. Passwords, keys and tokens are not kept.
    """


@requests.command("list")
@click.option("--dialect", type=arguments.Text(), help="Only those of this dialect.")
@click.option(
    "--route", type=arguments.Text(), help="Only those of this route, as the list has it."
)
@click.option("--outcome", type=click.Choice(OUTCOMES), help="Only those that ended like this.")
@listing.limit
@listing.as_json
def list_all(
    dialect: str | None, route: str | None, outcome: str | None, limit: int, as_json: bool
) -> None:
    """List requests, the newest first."""

    async def work(store: Store) -> list[Record]:
        return await store.requests.find(
            dialect=dialect, route=route, outcome=outcome, limit=limit + 1
        )

    found = listing.shortened(run(work), limit, "requests")
    if as_json:
        listing.print_json([_facts(one) for one in found])
    elif found:
        tables.show(_COLUMNS, map(_row, found), numbers=("ms",))


@requests.command()
@_which
@listing.as_json
def show(request_id: str, as_json: bool) -> None:
    """Show one request, what came of it, and whether it can be replayed."""

    async def work(store: Store) -> tuple[Record | None, Sequence[Delivery]]:
        record = await store.requests.get(request_id)
        found = await store.deliveries.find(request_id=request_id, limit=_DELIVERIES)
        return record, found[::-1]

    record, found = run(work)
    if record is None:
        end(REFUSED, f"there is no request {printable(request_id)}")
    if as_json:
        facts = {**_facts(record), "headers": record.headers}
        facts.update(bodies.spelt("body", record.body))
        facts.update(bodies.spelt("answer", record.answer))
        facts["deliveries"] = [deliveries.facts_of(one) for one in found]
        say(json_value.dump(facts).decode())
        return
    _show(record, found)


@requests.command()
@_which
@listing.as_json
def explain(request_id: str, as_json: bool) -> None:
    """Tell how the credentials or the signature of one request were judged, and what to do.

    It was found out when the request came, with the secrets of then.
    """
    record = run(lambda store: store.requests.get(request_id))
    if record is None:
        end(REFUSED, f"there is no request {printable(request_id)}")
    found = explanation.of(record)
    if as_json:
        say(json_value.dump(asdict(found)).decode())
        return
    explanation.show(found)


@requests.command()
@_which
@click.option(
    "--dry-run",
    is_flag=True,
    help="Note requests to others and writes to the store instead of doing them.",
)
@click.option("--force", is_flag=True, help="Also when not all of the request was kept.")
@listing.as_json
def replay(request_id: str, dry_run: bool, force: bool, as_json: bool) -> None:
    """Run a request again through the plugins as they are now, and show how its answer differs.

    The plugins are loaded and started as for a server, which may run beside this. What they do is
    done: mail is sent, money is moved. With --dry-run it is only noted, except for what a plugin
    does without `call`, such as a connection of its own. The replay itself is not recorded.
    """
    # Whoever only looks need not wait for the server's libraries.
    from tornado_cc.cli.replay import replay_and_show

    replay_and_show(request_id, dry_run=dry_run, force=force, as_json=as_json)


def _facts(one: Record) -> dict[str, Any]:
    """A request as JSON, without headers and bodies."""
    facts = asdict(one)
    for name in ("headers", "body", "answer"):
        del facts[name]
    return facts


def _row(one: Record) -> tuple[str, ...]:
    why = one.cause or "-"
    shown = why if len(why) <= _SHORT else f"{why[:_SHORT]}..."
    head = (one.id, one.received_at, one.dialect, one.method, one.route, one.hook or "-")
    return (*head, one.outcome or "-", _text(one.status), _text(one.ms), shown)


def _text(value: object) -> str:
    return "-" if value is None else str(value)


def _show(one: Record, found: Sequence[Delivery]) -> None:
    query = f"?{one.query}" if one.query else ""
    rows = [
        ("id", one.id),
        ("received", one.received_at),
        ("from", one.remote or "-"),
        ("request", f"{one.method} {one.path}{query}"),
        ("dialect", one.dialect),
        ("route", one.route),
        ("credentials", one.verdict),
        ("user", _text(one.user_id)),
        ("master", "yes" if one.master else "no"),
        ("hook", one.hook or "-"),
        ("plugins", one.plugins or "-"),
        ("outcome", _text(one.outcome)),
        ("why", _text(one.cause)),
        ("error id", _text(one.error_id)),
        ("status", _text(one.status)),
        ("ms", _text(one.ms)),
        ("replay", f"no: {one.not_replayable}" if one.not_replayable else "yes"),
    ]
    tables.show(("field", "value"), rows)
    say("")
    tables.show(("header", "value"), [(name, value) for name, value in one.headers])
    _show_body(f"body, {one.size} bytes as sent", one.body)
    _show_body("answer", one.answer)
    if found:
        say("")
        deliveries.show_table(found)


def _show_body(title: str, body: bytes | None) -> None:
    bodies.show(title, ["(not kept)"] if body is None else bodies.lines(body))
