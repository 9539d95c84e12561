"""What a bare callback of a plugin raises is logged, and none of what only its call may know."""

import asyncio
import contextvars
import logging
import traceback
from collections.abc import Callable, Iterator

import pytest

from tornado_cc import hooks
from tornado_cc.core.call import CURRENT, FunctionCall
from tornado_cc.core.message import Headers, Request
from tornado_cc.server import loop

SECRET = "the token of this call"
LOOPS = [asyncio.new_event_loop, loop.new]


class Lines(logging.Handler):
    """What was logged, and for which call it was cleaned."""

    def __init__(self) -> None:
        super().__init__()
        self.found: list[tuple[str, object]] = []

    def emit(self, record: logging.LogRecord) -> None:
        assert record.exc_info is not None
        self.found.append(("".join(traceback.format_exception(record.exc_info[1])), CURRENT.get()))


@pytest.fixture
def lines() -> Iterator[Lines]:
    made = Lines()
    logger = logging.getLogger("tornado_cc.hooks")
    logger.addHandler(made)
    yield made
    logger.removeHandler(made)


@pytest.mark.parametrize("new", LOOPS, ids=["asyncio", "own"])
def test_it_is_cleaned_for_its_call_or_has_no_text(
    lines: Lines, new: Callable[[], asyncio.AbstractEventLoop]
) -> None:
    def fail_in_a_callback() -> None:
        raise RuntimeError(SECRET)

    request = Request("POST", "/", "", Headers(), b"")
    call = FunctionCall(dialect="parse", hook="f", claim=("f",), request=request, name="f")
    context = contextvars.copy_context()
    context.run(CURRENT.set, call)
    own = new()
    hooks.install(own)
    own.call_soon(fail_in_a_callback, context=context)
    own.run_until_complete(asyncio.sleep(0.01))
    own.close()
    ((text, cleaned_for),) = lines.found
    assert cleaned_for is call or SECRET not in text
    assert "RuntimeError" in text
    assert "fail_in_a_callback" in text
