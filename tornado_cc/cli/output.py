"""Standard output: a command whose words cannot be written there says so, and fails."""

import os
import sys
from typing import IO, Any

import click

CANNOT_WRITE = 74
"""EX_IOERR of sysexits.h."""


class CannotWrite(click.ClickException):
    """Standard output takes nothing more, as on a full disk; ends the process with one line."""

    exit_code = CANNOT_WRITE

    def show(self, file: IO[Any] | None = None) -> None:
        """Say it on standard error."""
        click.echo(f"tornado_cc: {self.message}", file=file, err=True)


def say(text: str) -> None:
    """Print a line on standard output, at once.

    Raises:
        CannotWrite: it cannot be written.
        BrokenPipeError: whoever reads has enough; click ends quietly then.
    """
    if sys.stdout is None:
        # Its descriptor was closed before we came.
        raise CannotWrite("cannot write the output: it is closed")
    try:
        click.echo(text)
    except BrokenPipeError:
        raise
    except OSError as error:
        # What is still in the buffer would be tried again at the end, and be a traceback.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        raise CannotWrite(f"cannot write the output: {error.strerror}") from None
