"""What `hooks` does, and how it shows what came of it."""

import asyncio
import logging
import sys
from collections.abc import Awaitable, Callable, Iterable, Mapping
from typing import Any, NoReturn, TypeVar

import click

from tornado_cc.cli.command import BAD_CONFIGURATION, CANNOT_RUN, REFUSED, end, needed_conf
from tornado_cc.cli.logs import printable
from tornado_cc.cli.output import say
from tornado_cc.cli.serve import build_or_end
from tornado_cc.core import json_value
from tornado_cc.core.redact import Redactor
from tornado_cc.dialects.parse import unregistrable
from tornado_cc.flows import Registration
from tornado_cc.flows.registration import Done, Hook, Plan
from tornado_cc.outbound import OutboundError
from tornado_cc.server import Built
from tornado_cc.server.registration import NotRegistrable, opened
from tornado_cc.settings.address import WebAddress

T = TypeVar("T")

TO_DO = 3
"""What `plan` exits with when there is something to do: not 2, which is a misspelt command."""


def show_plan(*, as_json: bool) -> None:
    """Print the plan; ends the process with `TO_DO` when there is something to do."""
    built = build_or_end(needed_conf())
    plan = _run(built, Registration.plan)
    if as_json:
        say(json_value.dump(_plan_facts(plan)).decode())
    else:
        for line in _plan_lines(plan):
            say(line)
        _note_unregistrable(built)
    if not plan.is_clean:
        sys.exit(TO_DO)


def apply_and_show(*, yes: bool, keep_orphans: bool, as_json: bool) -> None:
    """Do what the plan says, and print what was done."""
    built = build_or_end(needed_conf())
    plan = _run(built, Registration.plan)
    if not keep_orphans:
        _ask(plan.orphans, yes=yes)
    done = _run(built, lambda one: one.apply(plan, remove=not keep_orphans))
    _show_done(done, as_json=as_json)
    if not as_json:
        _note_unregistrable(built)


def drop_and_show(*, yes: bool, as_json: bool) -> None:
    """Remove what is registered here, and print what was removed."""
    built = build_or_end(needed_conf())

    async def ours(registration: Registration) -> tuple[Hook, ...]:
        return registration.ours(await registration.plan())

    hooks = _run(built, ours)
    _ask(hooks, yes=yes)
    _show_done(_run(built, lambda one: one.remove(hooks)), as_json=as_json)


def _run(built: Built, work: Callable[[Registration], Awaitable[T]]) -> T:
    """What some work returned; ends the process when it cannot be done."""
    # What is wrong is said in one line.
    logging.disable(logging.CRITICAL)

    async def main() -> T:
        async with opened(built) as registration:
            return await work(registration)

    try:
        return asyncio.run(main())
    except NotRegistrable as error:
        end(BAD_CONFIGURATION, str(error))
    except OutboundError as error:
        _end_cleaned(built, CANNOT_RUN, f"the Parse Server cannot be asked: {error}")


def _end_cleaned(built: Built, code: int, text: str) -> NoReturn:
    end(code, printable(Redactor(built.secrets()).clean(text)))


def _ask(hooks: Iterable[Hook], *, yes: bool) -> None:
    """Ask whether these may be removed; ends the process when they may not."""
    hooks = list(hooks)
    if not hooks or yes:
        return
    for hook in hooks:
        click.echo(f"- {printable(str(hook))}", err=True)
    what = f"{len(hooks)} webhook{'s' * (len(hooks) > 1)}"
    if not sys.stdin.isatty():
        end(REFUSED, f"nothing was done: removing {what} takes --yes, or a terminal to ask on")
    if not click.confirm(f"Remove {what} from the Parse Server?", err=True):
        end(REFUSED, "nothing was done")


def _plan_lines(plan: Plan) -> Iterable[str]:
    yield from (f"+ {_spelt(hook)}" for hook in plan.missing)
    yield from (f"~ {_spelt(hook)}, now at {_place(url)}" for hook, url in plan.moved.items())
    yield from (f"- {_spelt(hook)}, which no plugin has" for hook in plan.orphans)
    yield from (
        f"  {_spelt(hook)} at {_place(url)}, left alone" for hook, url in plan.others.items()
    )
    count = len(plan.kept)
    if plan.is_clean:
        yield f"no changes: {count} registered"
    else:
        counts = (len(plan.missing), len(plan.moved), len(plan.orphans), count)
        yield "{} to register, {} to change, {} to remove, {} registered".format(*counts)


def _show_done(done: Done, *, as_json: bool) -> None:
    """Print it; ends the process when the Parse Server refused something."""
    if as_json:
        say(json_value.dump(_done_facts(done)).decode())
    else:
        for sign, hooks in (("+", done.added), ("~", done.moved), ("-", done.removed)):
            for hook in hooks:
                say(f"{sign} {_spelt(hook)}")
        counts = (len(done.added), len(done.moved), len(done.removed), len(done.confirmed))
        say("{} registered, {} changed, {} removed, {} confirmed".format(*counts))
    if done.failed:
        lines = "".join(f"\n{_spelt(hook)}: {printable(why)}" for hook, why in done.failed.items())
        end(REFUSED, f"the Parse Server refused {len(done.failed)}:{lines}")


def _note_unregistrable(built: Built) -> None:
    for name in unregistrable(built.registry.claims()):
        text = f"note: {name} is for any name, and a Parse Server registers by name only"
        click.echo(f"tornado_cc: {printable(text)}", err=True)


def _spelt(hook: Hook) -> str:
    return printable(str(hook))


def _place(url: str) -> str:
    """Whose an address is: the rest of it may be a secret of theirs."""
    try:
        return printable(WebAddress.parse(url).place)
    except ValueError:
        return "an address that is none"


def _plan_facts(plan: Plan) -> dict[str, Any]:
    return {
        "changes": not plan.is_clean,
        "missing": _facts(plan.missing),
        "moved": _facts_with("url", {hook: _place(url) for hook, url in plan.moved.items()}),
        "orphans": _facts(plan.orphans),
        "others": _facts_with("url", {hook: _place(url) for hook, url in plan.others.items()}),
        "registered": _facts(plan.kept),
    }


def _done_facts(done: Done) -> dict[str, Any]:
    return {
        "registered": _facts(done.added),
        "changed": _facts(done.moved),
        "removed": _facts(done.removed),
        "confirmed": _facts(done.confirmed),
        "refused": _facts_with("message", done.failed),
    }


def _facts(hooks: Iterable[Hook]) -> list[dict[str, str]]:
    return [hook.fields for hook in hooks]


def _facts_with(name: str, hooks: Mapping[Hook, str]) -> list[dict[str, str]]:
    return [{**hook.fields, name: text} for hook, text in hooks.items()]
