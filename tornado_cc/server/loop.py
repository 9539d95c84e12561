"""Running a worker on an event loop that no callback can end."""

import asyncio
import logging
from collections.abc import Coroutine
from typing import Any

_log = logging.getLogger("tornado_cc.server")


def run(main: Coroutine[Any, Any, None]) -> None:
    """Run a worker to its end, as `asyncio.run` does.

    asyncio stops when a bare callback raises SystemExit, and a plugin can make one by
    `loop.call_soon(sys.exit)`, which no task's guard sees. What is left of the loop is sound, so it
    is run on.
    """
    with asyncio.Runner() as runner:
        loop = runner.get_loop()
        task = loop.create_task(main)
        while not task.done():
            try:
                loop.run_until_complete(task)
            except (SystemExit, KeyboardInterrupt) as error:
                if task.done():
                    raise
                _log.error("a callback tried to end the process", exc_info=error)
