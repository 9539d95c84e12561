"""Serving: from the conf to a worker that runs until it is told to stop."""

import asyncio
import logging
import os
import signal
import sys
from collections.abc import Coroutine, Sequence
from pathlib import Path
from typing import Any, NoReturn

import click

from tornado_cc.cli import logs
from tornado_cc.cli.command import CANNOT_RUN, end, end_with_mistakes
from tornado_cc.cli.output import say
from tornado_cc.core.redact import Redactor
from tornado_cc.flows import BadSchedules, schedules_of
from tornado_cc.hooks import Implementation
from tornado_cc.hooks.specs import HOOKS
from tornado_cc.server import Built, Server, StartError, build
from tornado_cc.server.build import PathsTaken, PluginsFailed
from tornado_cc.server.listening import CannotListen, Sockets, activated, adopted
from tornado_cc.server.loop import run, settle
from tornado_cc.server.notify import ServiceManager
from tornado_cc.server.plan import Plan, read_plan
from tornado_cc.server.supervisor import Supervisor
from tornado_cc.server.worker import Line, Worker
from tornado_cc.settings import Mistakes

_log = logging.getLogger("tornado_cc.cli")


def serve(conf: Path, check: bool, worker: Sequence[int] = ()) -> None:
    """Serve what a conf says until a signal comes, or only report what it would be.

    Args:
        check: whether to report only.
        worker: the files of a supervisor's worker: its line, and the sockets that listen.
    """
    if check:
        _report(conf, build_or_end(conf))
    elif worker:
        serve_for_supervisor(conf, worker)
    elif (plan := _plan_of_several(conf)) is not None:
        supervise(conf, plan)
    else:
        built = build_or_end(conf)
        sockets, service = activated(os.environ), ServiceManager(os.environ)
        logs.set_up(built.configuration.log, built.secrets())
        _run(built, _serve(built, sockets, service))


def serve_for_supervisor(conf: Path, files: Sequence[int]) -> None:
    """Serve as one of several workers."""
    # The supervisor hears Ctrl-C too, and says what to do.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    line = Line(files[0])
    built = build_or_end(conf)
    logs.set_up(built.configuration.log, built.secrets(), worker=os.getpid())
    _run(built, _serve_for_supervisor(built, Sockets(adopted(files[1:]), ()), line))


def supervise(conf: Path, plan: Plan) -> NoReturn:
    """Run several workers."""
    logs.set_up(plan.log, set())
    sockets, service = activated(os.environ), ServiceManager(os.environ)
    supervisor = Supervisor(lambda: read_plan(conf, os.environ), sockets, service)

    async def work() -> None:
        supervisor.start()
        await supervisor.run()

    try:
        run(work())
    except CannotListen as error:
        click.echo(f"tornado_cc: {error}", err=True)
        leave(CANNOT_RUN)
    leave(supervisor.exit_code)


def _plan_of_several(conf: Path) -> Plan | None:
    """What a conf says of workers, None when it wants one, or when something is wrong with it."""
    try:
        plan = read_plan(conf, os.environ)
    except Mistakes:
        return None
    return plan if plan.server.workers > 1 else None


def _run(built: Built, serving: Coroutine[Any, Any, None]) -> None:
    for warning in built.warnings():
        _log.warning(warning)
    try:
        is_clean = run(serving)
    except StartError as error:
        text = Redactor(built.secrets()).clean(str(error))
        click.echo(f"tornado_cc: {text}", err=True)
        leave(CANNOT_RUN)
    if not is_clean:
        _log.warning("a plugin's task or thread goes on and is left behind")
        leave(0)


def build_or_end(conf: Path) -> Built:
    """What a conf says; ends the process when that is wrong, or a plugin cannot be loaded."""
    try:
        return build(conf, os.environ)
    except Mistakes as mistakes:
        end_with_mistakes(mistakes)
    except PathsTaken as taken:
        end(CANNOT_RUN, f"{taken}\nName the endpoint otherwise, or move the dialect's mount.")
    except BadSchedules as bad:
        end(CANNOT_RUN, f"{bad}\nA schedule is due some day: docs/hooks.md has the spellings.")
    except PluginsFailed as failed:
        end(
            CANNOT_RUN,
            f"{failed}\nA plugin that fails does not start the server: mend it, or name it in"
            " [plugins] disable, or in [plugins] optional to start without it.",
        )


def leave(code: int) -> NoReturn:
    """End without waiting for anybody: Python itself would join every thread first."""
    logging.shutdown()
    sys.stderr.flush()
    os._exit(code)


async def _serve(built: Built, sockets: Sockets, service: ServiceManager) -> None:
    """Serve until SIGTERM, SIGINT or SIGHUP; a second one ends the drain."""
    loop = asyncio.get_running_loop()
    stop = asyncio.Event()
    hurry = asyncio.Event()

    def on_signal() -> None:
        (hurry if stop.is_set() else stop).set()

    for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
        loop.add_signal_handler(number, on_signal)
    server = Server(built, sockets)
    await server.start()
    settle()
    service.ready()
    await stop.wait()
    service.stopping()
    await _drain(server, hurry)


async def _serve_for_supervisor(built: Built, sockets: Sockets, line: Line) -> None:
    """Serve until the supervisor says stop, or somebody sends SIGTERM."""
    server = Server(built, sockets, on_stall=lambda facts: line.tell(stall=facts))
    await server.start()
    settle()
    worker = Worker(server, built.configuration.server, line)
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, worker.stop)
    line.serves(worker)
    worker.show_life()
    await worker.stopping.wait()
    worker.show_life()
    await _drain(server, worker.hurry)
    await worker.end()


async def _drain(server: Server, hurry: asyncio.Event) -> None:
    """Let what runs finish, unless somebody is in a hurry, and end."""
    draining = asyncio.create_task(server.drain())
    hurried = asyncio.create_task(hurry.wait())
    await asyncio.wait({draining, hurried}, return_when=asyncio.FIRST_COMPLETED)
    hurried.cancel()
    draining.cancel()
    await server.end()


def _report(conf: Path, built: Built) -> None:
    say(f"{conf} is valid.")
    for warning in built.warnings():
        click.echo(f"warning: {warning}", err=True)
    for dialect in built.dialects:
        say(f"dialect {dialect.name} at {dialect.mount}")
    for name, webhook in built.configuration.webhooks.items():
        how = "signed" if webhook.secret else "not signed"
        say(f"webhook {name} to {webhook.url}, {how}")
    if (place := built.configuration.mail.url) is not None:
        say(f"mail to {place}")
    parse_server = built.configuration.parse_server
    if parse_server.url is not None:
        say(f"Parse Server at {parse_server.url}")
    in_order = sorted(built.registry.everything(), key=lambda one: HOOKS.index(one.hook))
    schedules = {schedule.one: schedule for schedule in schedules_of(built.registry)}
    for one in in_order:
        words = [one.hook, *_claim(one)]
        if schedule := schedules.get(one):
            words = [one.hook, schedule.name, f"every {schedule.every.text},"]
            words.append(f"next at {schedule.next_due()}")
        say(f"plugin {one.plugin}: {' '.join(words)} ({one.place})")


def _claim(one: Implementation) -> tuple[str, ...]:
    if one.claim is None and one.hook not in ("on_start", "on_stop"):
        return ("of any name nobody declared",)
    return one.claim or ()
