"""Whatever comes: no failure, nothing in the log, and nobody stays past the deadline.

`make fuzz` sends a hundred thousand; so many more are one variable away.
"""

import asyncio
import os
import re
from collections.abc import Iterator

from tests.server.test_three_dialects import ALL, CONF
from tests.server.wire.mutants import mutants
from tests.serving import Serve, Served

COUNT = int(os.environ.get("TORNADO_CC_FUZZ_COUNT", "1000"))
SEED = int(os.environ.get("TORNADO_CC_FUZZ_SEED", "1"))
AT_ONCE = 400
LIMITS = """
[server]
header_timeout = 0.5
body_timeout = 0.5
idle_timeout = 0.5
bad_credentials_per_minute = 1000000
"""
PATIENCE = 20
"""Seconds: many times what the limits allow."""
_STATUS = re.compile(rb"HTTP/1\.1 (\d{3}) ")


async def test_no_mutated_request_does_any_harm(serve: Serve, wire: str) -> None:
    served = await serve(CONF + LIMITS, {"all": ALL})
    numbered = enumerate(mutants(COUNT, SEED))
    found = await asyncio.gather(*(send(served, numbered) for _ in range(AT_ONCE)))
    statuses = {status: sum(one.get(status, 0) for one in found) for status in set().union(*found)}
    assert sum(statuses.values()) > COUNT / 2
    assert [status for status in statuses if status >= 500] == []
    # The loop is the senders' as well, and the machine may be busy.
    assert served.errors == set()
    assert not served.server.gate.is_busy


async def send(served: Served, numbered: Iterator[tuple[int, bytes]]) -> dict[int, int]:
    """Send these, each on a connection of its own; how often each status came back.

    One in ten senders waits for the server to close; the others say that they have ended.
    """
    statuses: dict[int, int] = {}
    for number, raw in numbered:
        reader, writer = await asyncio.open_connection("127.0.0.1", served.port)
        try:
            async with asyncio.timeout(PATIENCE):
                writer.write(raw)
                if number % 10:
                    writer.write_eof()
                received = await reader.read()
        except ConnectionError:
            received = b""
        except TimeoutError:
            raise AssertionError(f"it kept the connection open after {raw!r}") from None
        finally:
            writer.close()
        for status in map(int, _STATUS.findall(received)):
            statuses[status] = statuses.get(status, 0) + 1
    return statuses
