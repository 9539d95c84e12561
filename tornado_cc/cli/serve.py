"""Serving: from the conf to a worker that runs until it is told to stop."""

import asyncio
import logging
import os
import signal
import sys
from pathlib import Path
from typing import NoReturn

import click

from tornado_cc.cli import logs
from tornado_cc.cli.command import CANNOT_RUN, end, end_with_mistakes
from tornado_cc.cli.output import say
from tornado_cc.core.redact import Redactor
from tornado_cc.hooks import Implementation
from tornado_cc.hooks.specs import HOOKS
from tornado_cc.server import Built, Server, StartError, build
from tornado_cc.server.build import PathsTaken, PluginsFailed
from tornado_cc.server.loop import run
from tornado_cc.settings import Mistakes

_log = logging.getLogger("tornado_cc.cli")


def serve(conf: Path, check: bool) -> None:
    """Serve what a conf says until a signal comes, or only report what it would be.

    Args:
        check: whether to report only.
    """
    built = _build(conf)
    if check:
        _report(conf, built)
        return
    logs.set_up(built.configuration.log, built.secrets())
    for warning in built.warnings():
        _log.warning(warning)
    try:
        is_clean = run(_serve(built))
    except StartError as error:
        text = Redactor(built.secrets()).clean(str(error))
        click.echo(f"tornado_cc: {text}", err=True)
        _leave(CANNOT_RUN)
    if not is_clean:
        _log.warning("a plugin's task or thread goes on and is left behind")
        _leave(0)


def _build(conf: Path) -> Built:
    try:
        return build(conf, os.environ)
    except Mistakes as mistakes:
        end_with_mistakes(mistakes)
    except PathsTaken as taken:
        end(CANNOT_RUN, f"{taken}\nName the endpoint otherwise, or move the dialect's mount.")
    except PluginsFailed as failed:
        end(
            CANNOT_RUN,
            f"{failed}\nA plugin that fails does not start the server: mend it, or name it in"
            " [plugins] disable, or in [plugins] optional to start without it.",
        )


def _leave(code: int) -> NoReturn:
    """End without waiting for anybody: Python itself would join every thread first."""
    logging.shutdown()
    sys.stderr.flush()
    os._exit(code)


async def _serve(built: Built) -> None:
    """Serve until SIGTERM or SIGINT; a second one ends the drain."""
    loop = asyncio.get_running_loop()
    stop = asyncio.Event()
    hurry = asyncio.Event()

    def on_signal() -> None:
        (hurry if stop.is_set() else stop).set()

    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, on_signal)
    server = Server(built)
    await server.start()
    await stop.wait()
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
    in_order = sorted(built.registry.everything(), key=lambda one: HOOKS.index(one.hook))
    for one in in_order:
        say(f"plugin {one.plugin}: {' '.join((one.hook, *_claim(one)))} ({one.place})")


def _claim(one: Implementation) -> tuple[str, ...]:
    if one.claim is None and one.hook not in ("on_start", "on_stop"):
        return ("of any name nobody declared",)
    return one.claim or ()
