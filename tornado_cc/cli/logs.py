"""How log lines are written: JSON for machines, colours for a developer, secrets for nobody."""

import asyncio
import logging
import sys
import threading
import traceback
from collections.abc import Callable
from types import TracebackType
from typing import TYPE_CHECKING, Any, TextIO

from tornado_cc.core import clock, json_value
from tornado_cc.core.call import CALL
from tornado_cc.core.redact import Redactor
from tornado_cc.settings import LogSettings

if TYPE_CHECKING:
    from tornado_cc.server.access import Facts

_threads = logging.getLogger("tornado_cc.plugin")

_STANDARD = frozenset(vars(logging.makeLogRecord({}))) | {"message", "asctime", "taskName", CALL}
# Its fields are templates and numbers, so it needs no cleaning, which would cost every request.
_CLEAN = "tornado_cc.access"


# What all lines of the access log have in common, as JSON.
_ACCESS = f'"level":"info","logger":"{_CLEAN}","message":"request"'


def facts_of(record: logging.LogRecord) -> dict[str, Any]:
    """What the caller of the logger passed as `extra`."""
    return {key: value for key, value in vars(record).items() if key not in _STANDARD}


def access_line(facts: "Facts") -> str:
    """A line of the access log as JSON: nothing in it can be a secret."""
    said = json_value.dump(facts).decode()
    return f'{{"time":"{clock.stamp()}",{_ACCESS},{said[1:]}'


class JsonFormatter(logging.Formatter):
    """One JSON object a line."""

    def __init__(self, redactor: Redactor) -> None:
        super().__init__()
        self._redactor = redactor

    def format(self, record: logging.LogRecord) -> str:
        """The record as JSON, cleaned of secrets."""
        line: dict[str, Any] = {
            "time": clock.stamp(),
            "level": record.levelname.lower(),
            "logger": record.name,
            "message": _message(record),
        }
        for key, value in facts_of(record).items():
            line.setdefault(key, _plain(value))
        if trace := _traceback(record):
            line["exception"] = trace
        call = getattr(record, CALL, None)
        line = {key: self._clean(value, call) for key, value in line.items()}
        return json_value.dump(line).decode()

    def _clean(self, value: Any, call: Any) -> Any:
        if not isinstance(value, str):
            return value
        # JSON cannot carry a lone surrogate.
        return self._redactor.clean(value, call).encode("utf-8", "backslashreplace").decode()


class HumanFormatter(logging.Formatter):
    """The message and its facts, for a terminal."""

    def __init__(self, redactor: Redactor) -> None:
        super().__init__()
        self._redactor = redactor

    def format(self, record: logging.LogRecord) -> str:
        """The record as text, cleaned of secrets, with a traceback indented below it."""
        facts = " ".join(f"{key}={_words(value)}" for key, value in facts_of(record).items())
        call = getattr(record, CALL, None)
        text = self._redactor.clean(f"{_message(record)} {facts}".strip(), call)
        lines = [self._head(record) + printable(text)]
        trace = self._redactor.clean(_traceback(record), call)
        lines += [f"    {printable(line)}" for line in trace.splitlines()]
        return "\n".join(lines)

    def _head(self, record: logging.LogRecord) -> str:
        return ""


class PlainFormatter(HumanFormatter):
    """The same with its time, level and logger, for a file or a pipe."""

    def _head(self, record: logging.LogRecord) -> str:
        return f"{clock.stamp()} {record.levelname} {record.name}: "


class LineHandler(logging.StreamHandler[TextIO]):
    """Writes lines in their order; those of the access log when their callers have their answers.

    What one turn of the event loop has answered is written in one go.
    """

    def __init__(self, stream: TextIO) -> None:
        super().__init__(stream)
        self._waiting: list[logging.LogRecord | Facts] = []

    def emit(self, record: logging.LogRecord) -> None:
        """Write a line, after those that wait; or have it wait with them."""
        if record.name == _CLEAN:
            self.put_off(record)
            return
        self._waiting.append(record)
        self.flush()

    def put_off(self, line: "logging.LogRecord | Facts") -> None:
        """Write a line of the access log, a record or only what it says, with those of its turn."""
        assert self.lock is not None
        # Another thread may be writing what waits.
        with self.lock:
            self._waiting.append(line)
            if len(self._waiting) == 1 and not self._is_put_off():
                self.flush()

    def flush(self) -> None:
        """Write what waits; Python itself asks for this at its end."""
        self.acquire()
        try:
            waiting, self._waiting = self._waiting, []
            if waiting:
                self.stream.write("".join(map(self._line, waiting)))
            super().flush()
        except Exception:  # noqa: BLE001 - nobody could be told: this is the log
            return
        finally:
            self.release()

    def _line(self, line: "logging.LogRecord | Facts") -> str:
        text = access_line(line) if isinstance(line, dict) else self.format(line)
        return f"{text}{self.terminator}"

    def _is_put_off(self) -> bool:
        """Whether the loop, if one runs here, will ask for a `flush`."""
        try:
            asyncio.get_running_loop().call_soon(self.flush)
        except RuntimeError:
            return False
        return True


def set_up(settings: LogSettings, secrets: set[str], *, worker: int | None = None) -> None:
    """Send every logger of the process to standard error.

    Args:
        worker: the process's id, where lines of several go the same way.
    """
    handler = _handler(settings, Redactor(secrets))
    if worker is not None:
        handler.addFilter(lambda record: vars(record).setdefault("worker", worker) is not None)
    logging.basicConfig(level=settings.level.upper(), handlers=[handler], force=True)
    # What logging itself prints about a line it cannot write quotes the line's arguments.
    logging.raiseExceptions = False
    # No line of ours says who wrote it in which thread, and to find out costs as much as the line.
    logging.logThreads = logging.logProcesses = logging.logMultiprocessing = False
    # asyncio's debug lines quote arguments of callbacks, which may be anything.
    logging.getLogger("asyncio").setLevel(logging.INFO)
    logging.getLogger(_CLEAN).disabled = not settings.access
    _divert(handler, worker)
    logging.captureWarnings(True)
    threading.excepthook = _log_thread
    sys.unraisablehook = _log_unraisable


def _divert(handler: logging.Handler, worker: int | None) -> None:
    """Have the lines of the access log written without records, where they are written as JSON."""
    if not isinstance(handler, LineHandler) or not isinstance(handler.formatter, JsonFormatter):
        return
    if not logging.getLogger(_CLEAN).isEnabledFor(logging.INFO):
        return
    # The server takes a second to import, and most commands do without.
    from tornado_cc.server.access import divert

    divert(handler.put_off if worker is None else _numbered(handler.put_off, worker))


def _numbered(write: "Callable[[Facts], None]", worker: int) -> "Callable[[Facts], None]":
    return lambda facts: write({**facts, "worker": worker})


def _log_thread(failed: threading.ExceptHookArgs) -> None:
    """What ends a thread of a plugin's own, which Python would print as it is."""
    _log_place("a thread failed", failed.exc_type, failed.exc_traceback)


def _log_unraisable(failed: Any) -> None:
    """The same for what is raised where nobody can catch it, as in `__del__`."""
    _log_place("an exception was ignored", failed.exc_type, failed.exc_traceback)


def _log_place(message: str, kind: type[BaseException], trace: TracebackType | None) -> None:
    """Where it happened, without its text: whose secrets that may quote, nobody knows here."""
    place = "".join(traceback.format_tb(trace))
    _threads.error(message, extra={"error": kind.__name__, "place": place})


def _handler(settings: LogSettings, redactor: Redactor) -> logging.Handler:
    handler: logging.Handler
    if settings.format == "human" and sys.stderr.isatty():
        handler = _terminal_handler()
        handler.setFormatter(HumanFormatter(redactor))
        return handler
    handler = LineHandler(sys.stderr)
    formatter = JsonFormatter if settings.format == "json" else PlainFormatter
    handler.setFormatter(formatter(redactor))
    return handler


def _terminal_handler() -> logging.Handler:
    from rich.console import Console
    from rich.logging import RichHandler

    return RichHandler(console=Console(stderr=True), show_path=False, rich_tracebacks=False)


def _message(record: logging.LogRecord) -> str:
    try:
        return record.getMessage()
    except Exception:  # noqa: BLE001 - a plugin's arguments may not fit its message
        return f"{_words(record.msg)} {_repr(record.args)}"


def _traceback(record: logging.LogRecord) -> str:
    if not record.exc_info or record.exc_info[1] is None:
        return ""
    return "".join(traceback.format_exception(record.exc_info[1]))


def _plain(value: Any) -> Any:
    """A value as JSON has it, or its repr."""
    if isinstance(value, str):
        return value
    if value is None or isinstance(value, int | float):
        try:
            return json_value.checked(value)
        except json_value.NotJson:
            pass
    return _repr(value)


def _words(value: object) -> str:
    try:
        return str(value)
    except Exception:  # noqa: BLE001 - a plugin's object may have no words for itself
        return f"<{type(value).__name__}>"


def _repr(value: object) -> str:
    try:
        return repr(value)
    except Exception:  # noqa: BLE001 - a plugin's object may have no words for itself
        return f"<{type(value).__name__}>"


def printable(text: str) -> str:
    """One line, whatever a caller put into it: no line break, no escape sequence."""
    if text.isprintable():
        return text
    return "".join(one if one.isprintable() else repr(one)[1:-1] for one in text)
