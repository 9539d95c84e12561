"""`requests replay`, and how it shows what came of it."""

import asyncio
import difflib
import signal
from collections.abc import Sequence
from dataclasses import asdict
from typing import Any

import click

from tornado_cc.cli import bodies, logs, tables
from tornado_cc.cli.command import CANNOT_RUN, REFUSED, end, guarded, needed_conf
from tornado_cc.cli.logs import printable
from tornado_cc.cli.output import say
from tornado_cc.cli.serve import build_or_end, leave
from tornado_cc.core import json_value
from tornado_cc.core.redact import Redactor
from tornado_cc.server import Built, StartError
from tornado_cc.server.loop import run
from tornado_cc.server.rehearsal import Note
from tornado_cc.server.replay import Answer, NotReplayable, Ran, Replayed, replay

_LIMITS = (
    "Requests to others were answered with an empty 200; what plugins do without `call` was done."
)


def replay_and_show(request_id: str, *, dry_run: bool, force: bool, as_json: bool) -> None:
    """Replay a request and print what came of it; ends the process when that cannot be done."""
    built = build_or_end(needed_conf())
    # Why a hook fails is what somebody who replays wants to know.
    logs.set_up(built.configuration.log, built.secrets())
    replayed, is_clean = guarded(
        lambda: _replayed(built, request_id, dry_run=dry_run, force=force),
        str(built.configuration.store.url),
        quiet=False,
    )
    if as_json:
        say(json_value.dump(_facts(replayed)).decode())
    else:
        _show(replayed)
    if not is_clean:
        leave(0)


def _replayed(
    built: Built, request_id: str, *, dry_run: bool, force: bool
) -> tuple[Replayed, bool]:
    """What came of it, and whether nothing is left running."""
    done: list[Replayed] = []

    async def main() -> None:
        task = asyncio.current_task()
        assert task is not None
        for number in (signal.SIGTERM, signal.SIGINT):
            asyncio.get_running_loop().add_signal_handler(number, task.cancel)
        done.append(await replay(built, request_id, dry_run=dry_run, force=force))

    try:
        is_clean = run(main())
    except NotReplayable as problem:
        end(REFUSED, printable(str(problem)))
    except StartError as problem:
        end(CANNOT_RUN, printable(Redactor(built.secrets()).clean(str(problem))))
    except asyncio.CancelledError:
        end(REFUSED, "interrupted; what the plugins had done by then is done")
    return done[0], is_clean


def _show(replayed: Replayed) -> None:
    record = replayed.record
    if record.not_replayable is not None:
        click.echo(f"tornado_cc: note: {_forced(record.not_replayable)}", err=True)
    if replayed.ran is not None:
        _show_ran(replayed.ran)
    if replayed.answer is not None:
        _show_answer(replayed, replayed.answer)
    if replayed.notes is not None:
        _show_notes(replayed.notes)


def _forced(reason: str) -> str:
    return f"this is not the request as it came: {reason}"


def _show_ran(ran: Sequence[Ran]) -> None:
    if not ran:
        say("no plugin has a hook for it now")
        return
    rows = [(one.plugin, one.target, one.error or "done", one.error_id or "-") for one in ran]
    tables.show(("plugin", "what", "how it ended", "error id"), rows)


def _show_answer(replayed: Replayed, answer: Answer) -> None:
    for line in _lines(answer, bodies.lines(answer.body)):
        say(line)
    say("")
    if replayed.is_same is None:
        say("the answer it got was not kept, so there is nothing to compare with")
    elif replayed.is_same:
        say("the answer is the same")
    else:
        say("the answer differs:")
        for line in _difference(replayed):
            say(line)


def _difference(replayed: Replayed) -> list[str]:
    """A unified diff of both answers; of JSON a member to a line, where that shows anything."""
    if replayed.stored is None or replayed.answer is None or replayed.is_same:
        return []
    for form in (bodies.indented, bodies.lines):
        before, after = (_lines(one, form(one.body)) for one in (replayed.stored, replayed.answer))
        found = list(difflib.unified_diff(before, after, "stored", "now", lineterm=""))
        if found:
            return found
    return ["(only in characters that are shown alike)"]


def _lines(answer: Answer, body: list[str]) -> list[str]:
    return [f"HTTP {answer.status}", *body]


def _show_notes(notes: Sequence[Note]) -> None:
    say("")
    say("not done, as this was a dry run:" if notes else "nothing would have been done")
    for line in map(_line, notes):
        say(f"  {printable(line)}")
    say(_LIMITS)


def _line(note: Note) -> str:
    details = f" {json_value.dump(note.details).decode()}" if note.details else ""
    when = "" if note.during == "request" else f" (in {note.during})"
    return f"{note.verb} {note.subject}{details}{when}"


def _facts(replayed: Replayed) -> dict[str, Any]:
    """What came of it as JSON."""
    return {
        "id": replayed.record.id,
        "not_replayable": replayed.record.not_replayable,
        "answer": _answer(replayed.answer),
        "stored": _answer(replayed.stored),
        "same": replayed.is_same,
        "diff": _difference(replayed),
        "ran": None if replayed.ran is None else [asdict(one) for one in replayed.ran],
        "dry_run": replayed.notes is not None,
        "notes": None if replayed.notes is None else [asdict(one) for one in replayed.notes],
    }


def _answer(answer: Answer | None) -> dict[str, Any] | None:
    if answer is None:
        return None
    return {"status": answer.status, **bodies.spelt("body", answer.body)}
