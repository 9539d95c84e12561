"""What every command does around its work: the conf, the store, and how it ends."""

import asyncio
import logging
import os
import sys
import traceback
from collections.abc import Awaitable, Callable
from pathlib import Path
from textwrap import shorten
from typing import NoReturn, TypeVar

import click

from tornado_cc.cli.logs import printable
from tornado_cc.settings import SECTIONS, Document, Mistakes, StoreSettings
from tornado_cc.store import CannotOpen, SchemaError, Store, StoreError, StoreUnavailable
from tornado_cc.store.deliveries import NotPossible
from tornado_cc.store.engine import StatementFailed
from tornado_cc.store.move import NotUsable

T = TypeVar("T")
Work = Callable[[Store], Awaitable[T]]

REFUSED = 1
# sysexits.h: what service managers and people look up.
CANNOT_RUN = 70
BAD_CONFIGURATION = 78

_SECTION = "store"


def end(code: int, text: str) -> NoReturn:
    """Say why on standard error, and end the process."""
    click.echo(f"tornado_cc: {text}", err=True)
    sys.exit(code)


def end_with_mistakes(mistakes: Mistakes) -> NoReturn:
    """Say what is wrong with the settings, and end the process."""
    count = len(mistakes.mistakes)
    end(BAD_CONFIGURATION, f"{count} mistake{'s' * (count > 1)} in the settings:\n{mistakes}")


def conf_path() -> Path | None:
    """The file that `--conf` names, before whichever command."""
    path: Path | None = click.get_current_context().find_root().params["conf"]
    return path


def needed_conf() -> Path:
    """The same, where nothing can be done without."""
    path = conf_path()
    if path is None:
        raise click.UsageError(
            "Missing option '--conf', which stands before a command, as in"
            " `python -m tornado_cc --conf conf/dev.ini`."
        )
    return path


def store_settings() -> StoreSettings:
    """`[store]` of the conf; ends the process when that is wrong.

    The other sections are not judged: their secrets may be set for the server only. One whose name
    nobody knows still is a mistake, for it may be a misspelt `[store]`.
    """
    document = Document.read(needed_conf(), os.environ)
    document.add_sections_from_environment([_SECTION])
    settings = document.validate(_SECTION, StoreSettings)
    others = [name for name in document.sections() if ":" in name]
    kinds = {"dialect:", "plugin:", *(f"{name.partition(':')[0]}:" for name in others)}
    document.add_unknown_sections([*SECTIONS, *others])
    document.add_unknown_variables({*SECTIONS, *kinds} - {_SECTION})
    try:
        document.raise_mistakes()
    except Mistakes as mistakes:
        end_with_mistakes(mistakes)
    assert settings is not None
    return settings


def run(work: Work[T]) -> T:
    """What some work with the conf's store returned; ends the process when it cannot be done."""
    settings = store_settings()

    async def opened() -> T:
        store = Store(settings)
        try:
            await store.open_for_command()
            return await work(store)
        finally:
            await store.close()

    return guarded(lambda: asyncio.run(opened()), str(settings.url))


def guarded(work: Callable[[], T], place: str, *, quiet: bool = True) -> T:
    """What some work returned. Whatever it raises ends the process with one line.

    Args:
        place: the database, without credentials.
        quiet: whether nothing is logged meanwhile.
    """
    if quiet:
        # What is wrong is said in that line; the store's log is for servers.
        logging.disable(logging.CRITICAL)
    try:
        return work()
    except StoreUnavailable as error:
        perhaps = "; the change may have been made all the same" if error.maybe_done else ""
        end(CANNOT_RUN, f"cannot use {place}: {error.log}{perhaps}")
    except (CannotOpen, NotUsable, SchemaError) as error:
        end(CANNOT_RUN, str(error))
    except StatementFailed as error:
        # It may be long, and have lines.
        end(CANNOT_RUN, f"{place} refused a statement: {shorten(str(error), 300)}")
    except (StoreError, NotPossible) as error:
        end(REFUSED, printable(error.message))
    except (click.ClickException, click.Abort, click.exceptions.Exit, BrokenPipeError):
        # click ends quietly when whoever reads, such as `head`, has enough.
        raise
    except Exception as error:  # noqa: BLE001 - a traceback may quote what is stored
        where = traceback.extract_tb(error.__traceback__)[-1]
        place_in_code = f"{Path(where.filename).name}:{where.lineno}"
        end(CANNOT_RUN, f"internal error, {type(error).__name__} at {place_in_code}")
