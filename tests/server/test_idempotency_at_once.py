"""Repeats that come while the first still runs, in the same process."""

import asyncio
import gc
from pathlib import Path

import pytest

from tests.server.repeating import (
    DEFAULT,
    FIRED,
    HEADER,
    ask,
    is_repeat,
    lines,
    started,
    until_running,
)
from tests.serving import Serve, Served, read_answer
from tornado_cc.core.call import Call, CallbackCall
from tornado_cc.core.message import Headers, Request, Response
from tornado_cc.core.outcome import Reply
from tornado_cc.core.redact import Redactor
from tornado_cc.server.idempotency import Answered, Idempotency


async def test_1000_duplicates_at_once_run_the_hook_once_and_get_one_answer(
    serve: Serve, tmp_path: Path
) -> None:
    served = await started(serve)
    go = tmp_path / "go"
    head = f"POST {DEFAULT}?until={go} HTTP/1.1\r\nHost: x\r\nContent-Length: 0\r\n"
    raw = f"{head}{HEADER}: order-17\r\n\r\n".encode()
    # More at once than may wait to be accepted would take seconds to connect.
    turn = asyncio.Semaphore(50)

    async def connected() -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
        async with turn:
            return await asyncio.open_connection("127.0.0.1", served.port)

    streams = await asyncio.gather(*(connected() for _ in range(1000)))
    for _, writer in streams:
        writer.write(raw)
    await until_running(served, 1000)
    go.touch()
    answers = await asyncio.gather(*(read_answer(reader) for reader, _ in streams))
    for _, writer in streams:
        writer.close()
    assert served.fired == [FIRED]
    assert {one.status for one in answers} == {200}
    assert len({one.body for one in answers}) == 1
    assert len({tuple(lines(one)) for one in answers}) == 1
    assert sum(one.header("Idempotent-Replayed") is None for one in answers) == 1


async def test_duplicates_at_once_share_a_failure_and_the_next_runs_again(
    serve: Serve, tmp_path: Path
) -> None:
    served = await started(serve)
    go = tmp_path / "go"
    path = f"{DEFAULT}?do=raise&until={go}"
    asked = [asyncio.create_task(ask(served, path)) for _ in range(20)]
    await until_running(served, 20)
    go.touch()
    answers = await asyncio.gather(*asked)
    assert {one.status for one in answers} == {500}
    assert len({one.body for one in answers}) == 1
    assert served.fired == [FIRED]
    assert (await ask(served)).status == 200
    assert served.fired == [FIRED] * 2


async def test_a_client_that_hangs_up_finds_the_answer_when_it_is_back(
    serve: Serve, tmp_path: Path
) -> None:
    served = await started(serve)
    go = tmp_path / "go"
    _, writer = await asyncio.open_connection("127.0.0.1", served.port)
    head = f"POST {DEFAULT}?until={go} HTTP/1.1\r\nHost: x\r\nContent-Length: 0\r\n"
    writer.write(f"{head}{HEADER}: order-17\r\n\r\n".encode())
    await until_running(served)
    writer.close()
    await asyncio.sleep(0.05)
    go.touch()
    first = await ask(served)
    assert first.header("Idempotent-Replayed") == "true"
    assert is_repeat(first, await ask(served))
    assert served.fired == [FIRED]


class Attempts:
    """Runs calls without a server around, each until it is told how it ends."""

    def __init__(self, served: Served) -> None:
        self.count = 0
        self.end: asyncio.Future[Response] = asyncio.get_running_loop().create_future()
        self._idempotency = Idempotency(served.store.receipts, Redactor())

    async def ask(self) -> Answered:
        request = Request("POST", "/", "", Headers(), b"")
        call = CallbackCall(
            dialect="x", hook="on_callback", claim=(), request=request, idempotency_key="1"
        )
        return await self._idempotency.answer(call, "/", self._run)

    async def some(self) -> list[asyncio.Task[Answered]]:
        """Three who ask at once, of whom the first runs."""
        tasks = [asyncio.create_task(self.ask()) for _ in range(3)]
        async with asyncio.timeout(20):
            while not self.count:
                await asyncio.sleep(0.005)
        return tasks

    async def _run(self, call: Call) -> Answered:
        self.count += 1
        return Answered(await asyncio.shield(self.end), Reply())


async def test_one_that_waits_and_is_given_up_takes_nothing_from_the_others(serve: Serve) -> None:
    attempts = Attempts(await serve())
    first, second, third = await attempts.some()
    second.cancel()
    await asyncio.wait({second})
    attempts.end.set_result(Response(200, b"x"))
    assert [(await one).response.body for one in (first, third)] == [b"x", b"x"]
    assert (attempts.count, second.cancelled()) == (1, True)


async def test_those_who_wait_for_one_that_is_given_up_are_given_up(serve: Serve) -> None:
    attempts = Attempts(await serve())
    tasks = await attempts.some()
    tasks[0].cancel()
    await asyncio.wait(tasks, timeout=20)
    assert [one.cancelled() for one in tasks] == [True] * 3
    attempts.end.set_result(Response(200, b"x"))
    assert (await attempts.ask()).response.body == b"x"
    assert attempts.count == 2


async def test_what_an_attempt_raises_is_raised_to_everybody_and_left_behind_nowhere(
    serve: Serve,
) -> None:
    served = await serve()
    attempts = Attempts(served)
    tasks = await attempts.some()
    attempts.end.set_exception(LookupError("no answer"))
    raised = await asyncio.gather(*tasks, return_exceptions=True)
    assert [type(one) for one in raised] == [LookupError] * 3
    with pytest.raises(LookupError):
        await attempts.ask()
    del raised, tasks, attempts
    gc.collect()
    assert not [one for one in served.records if "never retrieved" in one.getMessage()]
